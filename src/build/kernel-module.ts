// SPDX-License-Identifier: Apache-2.0
// Builds the kernel module, in the cache: an installed package never writes into itself.
import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Executor } from '../exec/executor.js';
import { runOrThrow } from '../exec/failures.js';

export interface ModuleBuildSetup {
  /** where the compiler runs: always this machine */
  executor: Executor;
  cacheFolder: string;
  /** the package's driver/ folder */
  driverFolder: string;
  kernelRelease: string;
  /** the make command, up to the arguments that name the folder of the sources */
  make: (folder: string) => readonly string[];
  /** build even when the same sources have been built for this kernel */
  always: boolean;
  timeoutMs: number;
  signal?: AbortSignal;
}

export interface BuiltModule {
  path: string;
  /** false when an earlier build of the same sources was taken */
  built: boolean;
}

const SOURCE = /(\.[ch]|^Makefile|^Kbuild)$/;

async function sourceFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => SOURCE.test(name) && !name.endsWith('.mod.c')).sort();
}

/** Where a build of these sources for this kernel is kept. */
export async function moduleFolder(setup: ModuleBuildSetup): Promise<string> {
  const hash = createHash('sha256').update(setup.kernelRelease);
  for (const name of await sourceFiles(setup.driverFolder)) {
    hash.update(`\0${name}\0`).update(await readFile(join(setup.driverFolder, name)));
  }
  return join(setup.cacheFolder, 'module', hash.digest('hex').slice(0, 16));
}

/** The module for a kernel, built when needed. Throws `ContentError` with the compiler's words. */
export async function buildModule(setup: ModuleBuildSetup): Promise<BuiltModule> {
  const folder = await moduleFolder(setup);
  const path = join(folder, 'homanic.ko');
  const present = await stat(path).then(
    () => true,
    () => false,
  );
  if (present && !setup.always) return { path, built: false };
  const part = `${folder}.${process.pid}`;
  await rm(part, { recursive: true, force: true });
  try {
    for (const name of await sourceFiles(setup.driverFolder)) {
      await mkdir(join(part, name, '..'), { recursive: true });
      await cp(join(setup.driverFolder, name), join(part, name));
    }
    await runOrThrow(setup.executor, setup.make(part), {
      what: 'building the kernel module',
      timeoutMs: setup.timeoutMs,
      ...(setup.signal ? { signal: setup.signal } : {}),
      suggestions: [`apt install make gcc linux-headers-${setup.kernelRelease}`],
    });
    await rm(folder, { recursive: true, force: true });
    await rename(part, folder);
  } finally {
    await rm(part, { recursive: true, force: true });
  }
  return { path, built: true };
}
