// SPDX-License-Identifier: Apache-2.0
// The Debian packages a guest is made of, fetched once into the cache and unpacked there without installing anything.
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Executor } from '../../exec/executor.js';
import { runOrThrow } from '../../exec/failures.js';
import { PrivateApt } from './private-apt.js';

/** Unpacked packages, ready to use. */
export interface GuestPackages {
  /** holds QEMU with all its libraries: usr/bin, usr/lib, usr/share */
  qemuRoot: string;
  /** holds the kernel image, its headers and busybox: boot, usr/src, usr/lib/modules, usr/bin */
  kernelRoot: string;
  /** as `uname -r` will say, for example 6.12.107+deb13-cloud-amd64 */
  kernelRelease: string;
  /** folder of this set, for what is derived from it */
  folder: string;
}

export interface PackageOptions {
  executor: Executor;
  /** homa-nic's cache folder */
  cacheFolder: string;
  /** hears one line per step */
  onStep: (text: string) => void;
  timeoutMs: number;
  signal?: AbortSignal;
}

const QEMU_PACKAGE = 'qemu-system-x86';
/** unpacks the kernel; its libraries are QEMU's */
const ZSTD_PACKAGE = 'zstd';
const QEMU_RELEASE = 'trixie-backports';
const KERNEL_META = 'linux-image-cloud-amd64';
const KERNEL_PATTERN = /^linux-image-\d[^ ]*-cloud-amd64$/;

/** Raise it when what is unpacked changes shape, so that old folders are not taken for new ones. */
const LAYOUT = 1;

interface CurrentSet {
  layout: number;
  key: string;
  kernelRelease: string;
}

function packagesOf(set: CurrentSet, vmFolder: string): GuestPackages {
  const folder = join(vmFolder, 'sets', set.key);
  return {
    qemuRoot: join(folder, 'qemu'),
    kernelRoot: join(folder, 'kernel'),
    kernelRelease: set.kernelRelease,
    folder,
  };
}

/** The unpacked set, if there is a complete one; looks at the disk only. */
export async function presentPackages(cacheFolder: string): Promise<GuestPackages | undefined> {
  const vmFolder = join(cacheFolder, 'vm');
  try {
    const set = JSON.parse(await readFile(join(vmFolder, 'current.json'), 'utf8')) as CurrentSet;
    if (set.layout !== LAYOUT) return undefined;
    const packages = packagesOf(set, vmFolder);
    await readFile(join(packages.folder, 'complete'));
    return packages;
  } catch {
    return undefined;
  }
}

/**
 * The unpacked set, fetched first when it is not there: about 100 MB over the network and 300 MB on disk. Throws
 * `MissingError` (code `packages_missing`) when Debian cannot be reached. May be interrupted and taken up again.
 */
export async function ensurePackages(options: PackageOptions): Promise<GuestPackages> {
  const present = await presentPackages(options.cacheFolder);
  if (present) return present;
  const { executor, onStep } = options;
  const limits = {
    timeoutMs: options.timeoutMs,
    ...(options.signal ? { signal: options.signal } : {}),
  };
  const vmFolder = join(options.cacheFolder, 'vm');
  await mkdir(join(vmFolder, 'sets'), { recursive: true });
  const apt = new PrivateApt(executor, join(vmFolder, 'apt'));
  await apt.prepare();
  onStep('fetching the Debian package lists (about 10 MB)');
  await apt.update(limits);
  const image = await apt.dependencyOf(KERNEL_META, KERNEL_PATTERN);
  const kernelRelease = image.replace(/^linux-image-/, '');
  const version = kernelRelease.replace(/-cloud-amd64$/, '');
  const wanted = {
    install: [QEMU_PACKAGE, ZSTD_PACKAGE],
    release: QEMU_RELEASE,
    alone: [
      image,
      `linux-headers-${kernelRelease}`,
      `linux-headers-${version}-common`,
      `linux-kbuild-${version}`,
      'busybox-static',
    ],
  };
  const plan = await apt.plan(wanted);
  const megabytes = Math.round(plan.totalBytes / 1e6);
  onStep(
    `fetching ${plan.uris.length} Debian packages into the cache: QEMU and Linux ${version}, ${megabytes} MB`,
  );
  await apt.fetch(wanted, limits);
  const names = (await readdir(apt.archives)).filter((name) => name.endsWith('.deb'));
  const wantedNames = new Set(plan.uris.map((uri) => canonical(uri.fileName)));
  const debs = names.filter((name) => wantedNames.has(canonical(name))).sort();
  const key = createHash('sha256')
    .update(`${LAYOUT}\n${debs.join('\n')}`)
    .digest('hex')
    .slice(0, 16);
  const set: CurrentSet = { layout: LAYOUT, key, kernelRelease };
  const packages = packagesOf(set, vmFolder);
  onStep('unpacking them (about 300 MB)');
  await unpack(executor, apt.archives, debs, new Set(wanted.alone), packages.folder, options.signal);
  await writeFile(join(vmFolder, 'current.json'), `${JSON.stringify(set)}\n`);
  for (const name of debs) await rm(join(apt.archives, name), { force: true });
  return packages;
}

/** Epochs are written `%3a` by apt-get install and left out by apt-get download; both mean the same file. */
function canonical(fileName: string): string {
  return fileName
    .replace(/_\d+%3a/i, '_')
    .replaceAll('%2b', '+')
    .replaceAll('%7e', '~');
}

async function unpack(
  executor: Executor,
  archives: string,
  debs: readonly string[],
  kernelPackages: ReadonlySet<string>,
  folder: string,
  signal?: AbortSignal,
): Promise<void> {
  const part = `${folder}.part`;
  await rm(part, { recursive: true, force: true });
  for (const sub of ['qemu', 'kernel']) await mkdir(join(part, sub), { recursive: true });
  for (const deb of debs) {
    const name = deb.slice(0, deb.indexOf('_'));
    const into = join(part, kernelPackages.has(name) ? 'kernel' : 'qemu');
    await runOrThrow(executor, ['dpkg-deb', '-x', join(archives, deb), into], {
      what: `unpacking ${deb}`,
      ...(signal ? { signal } : {}),
    });
  }
  await writeFile(join(part, 'complete'), `${debs.join('\n')}\n`);
  await rm(folder, { recursive: true, force: true });
  await rename(part, folder);
}
