// SPDX-License-Identifier: Apache-2.0
// Makes the unpacked kernel headers usable on a machine that is neither the release they are for nor has their compiler.
import { chmod, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { GuestPackages } from './guest-packages.js';

/** Where modules for the guest's kernel are built. */
export interface KernelBuild {
  /** for `make -C`: the prepared headers */
  headersFolder: string;
  /** for `CC=`: the compiler of this machine, with the one option that is too new for it replaced */
  compiler: string;
  /** shell script: `kmake FOLDER [make arguments]` builds the module in FOLDER for the guest's kernel */
  kmake: string;
  kernelRelease: string;
}

/** Programs of the headers package that are linked with a newer C library than Debian 12 has. */
const HOST_TOOLS = [
  'scripts/mod/modpost.real-lsb-64',
  'tools/objtool/objtool.real-x86',
  'tools/bpf/resolve_btfids/resolve_btfids',
];

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (status) => status.isFile(),
    () => false,
  );
}

async function writeScript(path: string, lines: readonly string[]): Promise<void> {
  await writeFile(path, `#!/bin/sh\n${lines.join('\n')}\n`);
  await chmod(path, 0o755);
}

/** Prepares the headers of a set; harmless when they are prepared. `vmFolder` gets a `kmake` link to the newest set. */
export async function prepareKernelBuild(packages: GuestPackages, vmFolder: string): Promise<KernelBuild> {
  const { kernelRoot, kernelRelease, qemuRoot, folder } = packages;
  const version = kernelRelease.replace(/-cloud-amd64$/, '');
  const headersFolder = join(kernelRoot, 'usr/src', `linux-headers-${kernelRelease}`);
  const kmake = join(folder, 'kmake');
  const build = { headersFolder, compiler: join(folder, 'cc'), kmake, kernelRelease };
  const done = join(folder, 'headers-prepared');
  if (await isFile(done)) return build;

  const common = join(kernelRoot, 'usr/src', `linux-headers-${version}-common`);
  const makefile = join(headersFolder, 'Makefile');
  const text = await readFile(makefile, 'utf8');
  // Whatever folder stands before it: a prepared set that was copied elsewhere is prepared again for its new place.
  const anywhere = new RegExp(
    String.raw`(?:/[^\s/]+)*/usr/src/linux-headers-${version.replace(/[.+]/g, String.raw`\$&`)}-common`,
    'g',
  );
  await writeFile(
    makefile,
    text.replace(anywhere, () => common),
  );
  // Without this stub of a kernel image, kbuild makes no BTF and so needs no pahole.
  await rm(join(headersFolder, 'vmlinux'), { force: true });

  const kbuild = join(kernelRoot, 'usr/lib', `linux-kbuild-${version}`);
  for (const tool of HOST_TOOLS) {
    const path = join(kbuild, tool);
    if (!(await isFile(path))) continue;
    const elf = `${path}.elf`;
    if (!(await isFile(elf))) await rename(path, elf);
    const loader = join(qemuRoot, 'usr/lib64/ld-linux-x86-64.so.2');
    const libraries = join(qemuRoot, 'usr/lib/x86_64-linux-gnu');
    await writeScript(path, [`exec '${loader}' --library-path '${libraries}' '${elf}' "$@"`]);
  }

  // The kernel is configured for gcc 14; older ones lack one option, for which they have a near relative.
  await writeScript(build.compiler, [
    'case $(gcc -dumpversion) in [0-9] | 1[0-3] | [0-9].* | 1[0-3].*) ;; *) exec gcc "$@" ;; esac',
    'for word in "$@"; do',
    '  shift',
    '  case $word in -fmin-function-alignment=*) word=-falign-functions=${word#*=} ;; esac',
    '  set -- "$@" "$word"',
    'done',
    'exec gcc "$@"',
  ]);
  await writeScript(kmake, [
    '# kmake FOLDER [make arguments]: builds the kernel module in FOLDER for the guest.',
    'folder=$(cd "$1" && pwd) || exit 2',
    'shift',
    `exec make -j${availableParallelism()} -C '${headersFolder}' CC='${build.compiler}' M="$folder" "$@"`,
  ]);
  const link = join(vmFolder, 'kmake');
  await rm(link, { force: true });
  await symlink(kmake, link);
  await writeFile(done, `${kernelRelease}\n`);
  return build;
}
