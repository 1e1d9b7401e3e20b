// SPDX-License-Identifier: Apache-2.0
// An apt of our own beside the machine's: its lists, cache and (empty) status file are in our folder, so that nothing
// of the machine's package state is read or written.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MissingError } from '../../errors/errors.js';
import type { Executor } from '../../exec/executor.js';
import { runOrThrow, tail } from '../../exec/failures.js';

const MIRROR = 'http://deb.debian.org/debian';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const SUITES = ['trixie', 'trixie-updates', 'trixie-backports'];

/** What is to be fetched: `NAME` and everything it needs, or single packages. */
export interface FetchPlan {
  uris: { fileName: string; sizeBytes: number }[];
  totalBytes: number;
}

export interface AptLimits {
  timeoutMs: number;
  signal?: AbortSignal;
}

function confText(folder: string): string {
  const dirs: Record<string, string> = {
    'Dir::State': `${folder}/state`,
    'Dir::State::status': `${folder}/state/status`,
    'Dir::Cache': `${folder}/cache`,
    'Dir::Cache::pkgcache': 'pkgcache.bin',
    'Dir::Cache::srcpkgcache': 'srcpkgcache.bin',
    'Dir::Log': `${folder}/log`,
    'Dir::Etc::sourcelist': `${folder}/sources.list`,
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    'APT::Architecture': 'amd64',
    'APT::Install-Recommends': 'false',
    'APT::Sandbox::User': 'root',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '3',
  };
  const lines = Object.entries(dirs).map(([key, value]) => `${key} "${value}";`);
  // Hooks of the machine (PackageKit, clean-up of archives) must not run for us.
  lines.push('#clear APT::Architectures;', 'APT::Architectures { "amd64"; };');
  lines.push('#clear APT::Update::Post-Invoke;', '#clear APT::Update::Post-Invoke-Success;');
  lines.push('#clear DPkg::Pre-Install-Pkgs;', '#clear DPkg::Post-Invoke;');
  return `${lines.join('\n')}\n`;
}

/** apt-get with a state of its own under `folder`. */
export class PrivateApt {
  constructor(
    private readonly executor: Executor,
    readonly folder: string,
  ) {}

  /** Lays out the folder; harmless when it is there. Throws `MissingError` where there is no apt or no Debian key. */
  async prepare(): Promise<void> {
    for (const program of ['apt-get', 'dpkg-deb']) {
      if (!(await this.executor.exists(`/usr/bin/${program}`))) {
        throw new MissingError(
          `the guest is made of Debian packages, and ${program} is not on this machine`,
          {
            suggestions: ['run homa-nic on Debian 12 or later (or in a container of it)'],
          },
        );
      }
    }
    if (!(await this.executor.exists(KEYRING))) {
      throw new MissingError('the keys that Debian signs its packages with are not on this machine', {
        suggestions: ['apt install debian-archive-keyring'],
      });
    }
    for (const sub of ['state/lists/partial', 'cache/archives/partial', 'log']) {
      await mkdir(join(this.folder, sub), { recursive: true });
    }
    await writeFile(join(this.folder, 'state/status'), '');
    await writeFile(join(this.folder, 'apt.conf'), confText(this.folder));
    const sources = SUITES.map((suite) => `deb [signed-by=${KEYRING}] ${MIRROR} ${suite} main\n`);
    await writeFile(join(this.folder, 'sources.list'), sources.join(''));
  }

  get archives(): string {
    return join(this.folder, 'cache/archives');
  }

  /** Fetches the package lists (about 10 MB the first time). */
  async update(limits: AptLimits): Promise<void> {
    await this.#network(
      ['apt-get', ...this.#conf(), '-o', 'APT::Update::Error-Mode=any', 'update'],
      'fetching the Debian package lists',
      limits,
    );
  }

  /** First package whose name matches and which `metaPackage` depends on. Throws when there is none. */
  async dependencyOf(metaPackage: string, pattern: RegExp): Promise<string> {
    const { stdout } = await this.executor.run(['apt-cache', ...this.#conf(), 'depends', metaPackage]);
    for (const line of stdout.split('\n')) {
      const name = /^\s*Depends: (\S+)$/.exec(line)?.[1];
      if (name !== undefined && pattern.test(name)) return name;
    }
    throw new MissingError(`the Debian package lists have no ${metaPackage} as homa-nic needs it`, {
      code: 'packages_missing',
    });
  }

  /** What `install` (with all it needs) or `download` (alone) would fetch now. */
  async plan(wanted: { install: string[]; release?: string; alone: string[] }): Promise<FetchPlan> {
    const install = await runOrThrow(this.executor, [
      'apt-get',
      ...this.#conf(),
      'install',
      '--print-uris',
      '-y',
      ...(wanted.release ? ['-t', wanted.release] : []),
      ...wanted.install,
    ]);
    const alone = await runOrThrow(this.executor, [
      'apt-get',
      ...this.#conf(),
      'download',
      '--print-uris',
      ...wanted.alone,
    ]);
    const uris: FetchPlan['uris'] = [];
    for (const line of `${install.stdout}\n${alone.stdout}`.split('\n')) {
      const match = /^'[^']+' (\S+\.deb) (\d+)/.exec(line);
      if (match) uris.push({ fileName: match[1]!, sizeBytes: Number(match[2]) });
    }
    return { uris, totalBytes: uris.reduce((sum, uri) => sum + uri.sizeBytes, 0) };
  }

  /** Fetches into `archives`; what is there already is not fetched again. */
  async fetch(
    wanted: { install: string[]; release?: string; alone: string[] },
    limits: AptLimits,
  ): Promise<void> {
    const release = wanted.release ? ['-t', wanted.release] : [];
    await this.#network(
      [
        'apt-get',
        ...this.#conf(),
        'install',
        '--download-only',
        '-y',
        '-o',
        'APT::Keep-Downloaded-Packages=true',
        ...release,
        ...wanted.install,
      ],
      'fetching QEMU',
      limits,
    );
    await this.#network(
      ['apt-get', ...this.#conf(), 'download', ...wanted.alone],
      'fetching the kernel packages',
      limits,
      this.archives,
    );
  }

  #conf(): string[] {
    return ['-c', join(this.folder, 'apt.conf')];
  }

  async #network(argv: string[], what: string, limits: AptLimits, cwd?: string): Promise<void> {
    const outcome = await this.executor.run(argv, {
      timeoutMs: limits.timeoutMs,
      ...(limits.signal ? { signal: limits.signal } : {}),
      ...(cwd === undefined ? {} : { cwd }),
    });
    if (outcome.exitCode === 0) return;
    throw new MissingError(`${what} failed:\n${tail(outcome.stderr || outcome.stdout)}`, {
      code: 'packages_missing',
      suggestions: [
        'check that this machine reaches deb.debian.org over HTTP',
        'type the same command again: what was fetched is kept',
      ],
    });
  }
}
