// SPDX-License-Identifier: Apache-2.0
// One guest for the tests of a file: booted in this process, the driver loaded the way `load-driver` does it.
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type ModuleBuildSetup } from '#src/build/kernel-module.js';
import { buildPrograms } from '#src/build/programs.js';
import { loadDriver } from '#src/doctor/load-driver.js';
import { runOrThrow } from '#src/exec/failures.js';
import { LocalExecutor } from '#src/exec/local-executor.js';
import type { NicDeviceFactory } from '#src/nic/device.js';
import { createSimNic } from '#src/nic/sim/device.js';
import { Hub } from '#src/vm/ethernet-port.js';
import { ensureBootFiles } from '#src/vm/guest/boot-files.js';
import { Machine } from '#src/vm/machine.js';
import { type GuestPackages, ensurePackages } from '#src/vm/packages/guest-packages.js';
import { prepareKernelBuild } from '#src/vm/packages/kernel-headers.js';

const here = new LocalExecutor();
export const cacheFolder =
  process.env['HOMA_NIC_CACHE_DIR'] ??
  join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'homa-nic');

export const simNic: NicDeviceFactory = (outputs) => createSimNic({}, outputs);

export interface GuestOptions {
  cards?: NicDeviceFactory[];
  hub?: Hub;
  iommu?: boolean;
  /** module parameters; the driver is not loaded when undefined */
  parameters?: string[];
}

/** A kernel message at a level above info (notice to emergency), with its level. */
export interface KernelMessage {
  level: number;
  text: string;
}

const INFO = 6;
const BOOT_LIMIT_MS = 120_000;
/** What every load of an unsigned module says. */
const TAINTS = /loading out-of-tree module taints kernel|module verification failed/;
/** What a kernel says when the machine under its emulated processor is busy; the driver has no part in it. */
const SLOW_PROCESSOR = /^hrtimer: interrupt took|^clocksource: |^perf: interrupt took too long/;

/** A program for the guest, compiled statically once per content of its sources and headers. */
export async function buildForGuest(name: string, sources: string[], flags: string[]): Promise<string> {
  const hash = createHash('sha256').update(flags.join(' '));
  const folders = new Set([...sources.map((path) => join(path, '..')), 'driver/uapi', 'app/lib']);
  for (const folder of [...folders].sort()) {
    for (const file of (await readdir(folder).catch(() => []))
      .filter((path) => /\.[ch]$/.test(path))
      .sort()) {
      hash.update(await readFile(join(folder, file)));
    }
  }
  const folder = join(cacheFolder, 'vm', 'test-programs');
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${name}-${hash.digest('hex').slice(0, 16)}`);
  if (await here.exists(path)) return path;
  const warnings = ['-Wall', '-Wextra', '-Werror'];
  const command = ['gcc', '-std=gnu11', '-O2', '-static', ...warnings, ...flags, '-o', path, ...sources];
  await runOrThrow(here, command, { what: `compiling ${name}` });
  return path;
}

export class GuestForTests {
  private constructor(
    readonly machine: Machine,
    readonly packages: GuestPackages,
    readonly hub: Hub,
    private readonly folder: string,
    readonly build: ModuleBuildSetup,
  ) {}

  static async start(options: GuestOptions = {}): Promise<GuestForTests> {
    const packages = await ensurePackages({
      executor: here,
      cacheFolder,
      onStep: () => undefined,
      timeoutMs: 600_000,
    });
    const { kmake } = await prepareKernelBuild(packages, join(cacheFolder, 'vm'));
    const bootFiles = await ensureBootFiles(here, packages, 'app/guest/agent.c');
    const hub = options.hub ?? new Hub();
    const folder = await mkdtemp(join(tmpdir(), 'hn-'));
    const cards = (options.cards ?? [simNic]).map((factory) => ({ factory, port: hub.addPort() }));
    const machine = await Machine.start({
      executor: here,
      packages,
      bootFiles,
      cards,
      runFolder: folder,
      bootTimeoutMs: BOOT_LIMIT_MS,
      iommu: options.iommu === true,
    });
    const guest = new GuestForTests(machine, packages, hub, folder, {
      executor: here,
      cacheFolder,
      driverFolder: 'driver',
      kernelRelease: packages.kernelRelease,
      make: (path) => [kmake, path, 'modules'],
      always: false,
      timeoutMs: 120_000,
    });
    try {
      await guest.takeMessages(); // those of the boot
      if (options.parameters) await guest.load(options.parameters);
    } catch (thrown) {
      await guest.stop();
      throw thrown;
    }
    return guest;
  }

  /** Loads the driver as the command does, and forgets what the load wrote to the log. */
  async load(parameters: string[]): Promise<void> {
    await loadDriver({
      executor: this.machine.executor,
      target: 'vm',
      build: this.build,
      parameters,
      dryRun: false,
      timeoutMs: 30_000,
      signal: new AbortController().signal,
      onStep: () => undefined,
    });
    await this.expectQuietLog();
  }

  async stop(): Promise<void> {
    await this.machine.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Runs a shell line; fails the test when its exit code is not 0. Returns what it wrote. */
  async sh(line: string, timeoutMs = 60_000): Promise<string> {
    const outcome = await this.machine.executor.run(['sh', '-c', line], { timeoutMs });
    expect(outcome.exitCode, `${line}\n${outcome.stdout}${outcome.stderr}`).to.equal(0);
    return outcome.stdout;
  }

  async put(path: string, to: string): Promise<void> {
    await this.machine.executor.writeFile(to, await readFile(path), 0o755);
  }

  /** Puts the probe there. */
  async putProbe(): Promise<void> {
    const folder = 'test/integration/vm/guest';
    const sources = (await readdir(folder))
      .filter((name) => name.endsWith('.c'))
      .map((name) => join(folder, name));
    await this.put(await buildForGuest('probe', sources.sort(), ['-Idriver/uapi']), '/tmp/probe');
  }

  /** Puts programs of app/ there. */
  async putPrograms(names: readonly string[]): Promise<void> {
    const folder = await buildPrograms({
      executor: here,
      cacheFolder,
      packageRoot: '.',
      isStatic: true,
      timeoutMs: 300_000,
    });
    for (const name of names) await this.put(join(folder, name), `/tmp/${name}`);
  }

  /** Runs a probe; every line has to be `ok`. Returns how many there were. */
  async probe(words: string, timeoutMs = 60_000): Promise<number> {
    const outcome = await this.machine.executor.run(['/tmp/probe', ...words.split(' ')], { timeoutMs });
    const lines = outcome.stdout.split('\n').filter((line) => /^(not )?ok - /.test(line));
    const bad = lines.filter((line) => line.startsWith('not'));
    expect(bad, `probe ${words}`).to.deep.equal([]);
    expect(outcome.exitCode, `probe ${words}: ${outcome.stdout}${outcome.stderr}`).to.equal(0);
    return lines.length;
  }

  /** Takes the kernel messages above info since the last look, and clears the log. */
  async takeMessages(): Promise<KernelMessage[]> {
    const raw = await this.sh('dmesg -r -c');
    const messages: KernelMessage[] = [];
    for (const line of raw.split('\n')) {
      const match = /^<(\d+)>\[[^\]]*\] ?(.*)$/.exec(line);
      if (!match) continue;
      const level = Number(match[1]) & 7;
      const text = match[2]!;
      if (level < INFO && !TAINTS.test(text) && !SLOW_PROCESSOR.test(text)) messages.push({ level, text });
    }
    return messages;
  }

  /** Nothing above info may have been logged but what is expected; every expectation must have come true. */
  async expectQuietLog(...expected: RegExp[]): Promise<void> {
    const messages = await this.takeMessages();
    const unexpected = messages.filter(({ text }) => !expected.some((pattern) => pattern.test(text)));
    expect(unexpected, 'kernel log').to.deep.equal([]);
    for (const pattern of expected) {
      expect(
        messages.some(({ text }) => pattern.test(text)),
        `kernel log has ${pattern}`,
      ).to.equal(true);
    }
  }

  /** No session is open, no user is stuck and no memory is kept, on any card the driver drives. */
  async expectNoSessions(): Promise<void> {
    const files = '/sys/bus/pci/drivers/homanic/*/homa_state';
    const read = `for f in ${files}; do echo $(cat $f/sessions $f/users_stuck $f/bytes_kept) \\
      $(($(cat $f/sessions_opened) - $(cat $f/sessions_closed))); done`;
    const lines = (await this.sh(read)).trim().split('\n');
    for (const line of lines)
      expect(line, 'sessions, stuck users, bytes kept, opened - closed').to.equal('0 0 0 0');
  }

  /** Free and reclaimable memory of the guest. */
  async freeKilobytes(): Promise<number> {
    await this.sh('sync; echo 3 > /proc/sys/vm/drop_caches');
    const text = await this.sh('cat /proc/meminfo');
    const value = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)![1]);
    return value('MemFree');
  }
}
