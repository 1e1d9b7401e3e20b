// SPDX-License-Identifier: Apache-2.0
// What the guest boots: the unpacked kernel and a first root file system with busybox and our agent. Both are derived
// from the packages and kept beside them.
import { createHash } from 'node:crypto';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MissingError } from '../../errors/errors.js';
import type { Executor } from '../../exec/executor.js';
import { runOrThrow } from '../../exec/failures.js';
import type { GuestPackages } from '../packages/guest-packages.js';
import { privateProgram } from '../qemu-command.js';
import { type ArchiveEntry, writeNewc } from './newc.js';
import { compressedKernel } from './vmlinux.js';

/** Paths of what QEMU boots. */
export interface BootFiles {
  kernel: string;
  initramfs: string;
}

async function present(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Writes beside the target first, so that an interrupted run leaves no half file. */
async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  await writeFile(`${path}.part`, bytes);
  await rename(`${path}.part`, path);
}

async function makeKernel(executor: Executor, packages: GuestPackages): Promise<string> {
  const kernel = join(packages.folder, 'vmlinux');
  if (await present(kernel)) return kernel;
  const image = await readFile(join(packages.kernelRoot, 'boot', `vmlinuz-${packages.kernelRelease}`));
  const packed = `${kernel}.zst`;
  await writeFile(packed, compressedKernel(image));
  const zstd = privateProgram(packages, 'usr/bin/zstd');
  await runOrThrow(executor, [...zstd, '-q', '-d', '-f', packed, '-o', `${kernel}.part`], {
    what: 'unpacking the kernel',
  });
  await rm(packed);
  await rename(`${kernel}.part`, kernel);
  return kernel;
}

/** Compiles the agent, once per content of its source. */
async function makeAgent(executor: Executor, packages: GuestPackages, source: string): Promise<string> {
  const hash = createHash('sha256')
    .update(await readFile(source))
    .digest('hex');
  const agent = join(packages.folder, `agent-${hash.slice(0, 16)}`);
  if (await present(agent)) return agent;
  const compiler = ['gcc', '-std=gnu11', '-O2', '-static', '-o', `${agent}.part`, source];
  try {
    await runOrThrow(executor, compiler, {
      what: "compiling the guest's agent",
      suggestions: ['apt install gcc libc6-dev'],
    });
  } catch (thrown) {
    if (!(thrown instanceof MissingError)) throw thrown;
    throw new MissingError('a C compiler is needed to make the guest, and gcc is not on this machine', {
      suggestions: ['apt install gcc libc6-dev make'],
    });
  }
  await rename(`${agent}.part`, agent);
  return agent;
}

async function makeInitramfs(
  executor: Executor,
  packages: GuestPackages,
  agentPath: string,
): Promise<string> {
  const path = join(packages.folder, `initramfs-${agentPath.slice(-16)}`);
  if (await present(path)) return path;
  const busybox = join(packages.kernelRoot, 'usr/bin/busybox');
  const { stdout } = await runOrThrow(executor, [busybox, '--list']);
  const folders = ['bin', 'dev', 'proc', 'sys', 'tmp', 'root', 'etc', 'lib', 'run', 'var'];
  const entries: ArchiveEntry[] = folders.map((name) => ({ kind: 'folder', path: name }));
  entries.push(
    { kind: 'link', path: 'sbin', to: 'bin' },
    { kind: 'device', path: 'dev/console', major: 5, minor: 1 },
    { kind: 'file', path: 'init', bytes: await readFile(agentPath), mode: 0o755 },
    { kind: 'file', path: 'bin/busybox', bytes: await readFile(busybox), mode: 0o755 },
    { kind: 'file', path: 'etc/passwd', bytes: Buffer.from('root:x:0:0:root:/root:/bin/sh\n') },
    { kind: 'file', path: 'etc/group', bytes: Buffer.from('root:x:0:\n') },
  );
  for (const applet of stdout.split('\n')) {
    if (applet !== '' && applet !== 'busybox') {
      entries.push({ kind: 'link', path: `bin/${applet}`, to: 'busybox' });
    }
  }
  await writeWhole(path, writeNewc(entries));
  return path;
}

/** Makes what is missing. `agentSource` is the agent's C file. */
export async function ensureBootFiles(
  executor: Executor,
  packages: GuestPackages,
  agentSource: string,
): Promise<BootFiles> {
  const kernel = await makeKernel(executor, packages);
  const agent = await makeAgent(executor, packages, agentSource);
  return { kernel, initramfs: await makeInitramfs(executor, packages, agent) };
}
