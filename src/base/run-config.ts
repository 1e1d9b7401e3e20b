// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What a command knows of the program it belongs to. oclif's own configuration has these too. */
export interface RunConfig {
  /** Folder of the package: the one that holds package.json. */
  readonly root: string;
  readonly version: string;
  /** Where builds and downloads go; an installed package never writes into itself. */
  readonly cacheDir: string;
}

/** Folder of the package. Compiled files lie two folders below it, bundled or not. */
export function packageRoot(): string {
  return dirname(dirname(dirname(fileURLToPath(import.meta.url))));
}

export function packageVersion(root: string): string {
  const text = readFileSync(`${root}/package.json`, 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function cacheFolder(): string {
  const own = process.env['HOMA_NIC_CACHE_DIR'];
  if (own) return own;
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'homa-nic');
}

/** What a command is given that runs from this package. */
export function makeRunConfig(root: string): RunConfig {
  return { root, version: packageVersion(root), cacheDir: cacheFolder() };
}
