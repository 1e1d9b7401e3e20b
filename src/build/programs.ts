// SPDX-License-Identifier: Apache-2.0
// Builds the C library and programs of app/, in the cache, once per content of their sources.
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Executor } from '../exec/executor.js';
import { runOrThrow } from '../exec/failures.js';

export interface ProgramBuildSetup {
  /** where the compiler runs: always this machine */
  executor: Executor;
  cacheFolder: string;
  /** the package's folder, with app/ and driver/uapi/ */
  packageRoot: string;
  /** programs that need nothing but a kernel, for the guest */
  isStatic: boolean;
  timeoutMs: number;
  signal?: AbortSignal;
}

const SOURCE_FOLDERS = ['app', 'app/lib', 'app/src', 'driver/uapi'];
const SOURCE = /(\.[ch]|^Makefile)$/;

/** Folder with the built programs. Throws `ContentError` with the compiler's words. */
export async function buildPrograms(setup: ProgramBuildSetup): Promise<string> {
  const hash = createHash('sha256').update(`static=${setup.isStatic}`);
  for (const folder of SOURCE_FOLDERS) {
    const names = (await readdir(join(setup.packageRoot, folder))).filter((name) => SOURCE.test(name)).sort();
    for (const name of names) {
      hash.update(`\0${folder}/${name}\0`).update(await readFile(join(setup.packageRoot, folder, name)));
    }
  }
  const build = join(setup.cacheFolder, 'programs', hash.digest('hex').slice(0, 16));
  const complete = join(build, 'complete');
  if (await setup.executor.exists(complete)) return build;
  await mkdir(build, { recursive: true });
  const make = [
    'make',
    '-s',
    `-j${availableParallelism()}`,
    '-C',
    join(setup.packageRoot, 'app'),
    `BUILD=${build}`,
  ];
  if (setup.isStatic) make.push('STATIC=1');
  await runOrThrow(setup.executor, [...make, 'apps'], {
    what: 'building the C programs',
    timeoutMs: setup.timeoutMs,
    ...(setup.signal ? { signal: setup.signal } : {}),
    suggestions: ['apt install make gcc libc6-dev'],
  });
  await writeFile(complete, '');
  return build;
}
