// SPDX-License-Identifier: Apache-2.0
import { accessSync, constants, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { UsageError } from '../errors/errors.js';
import { systemErrorWords } from './classify.js';
import { showPath } from './shown-path.js';

/**
 * Makes sure, before any work, that a file can be written: its folder is there and writable (or is `folderToCome`, which
 * the run makes itself), and the file is not there yet unless `force`. Throws a UsageError.
 */
export function checkOutputFile(path: string, force: boolean, folderToCome?: string): void {
  const refuse = (error: unknown): UsageError => {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    return new UsageError(`cannot write ${showPath(path)}: ${systemErrorWords(code)}`, {
      code: 'unwritable',
      suggestions: ['name another file'],
      cause: error,
    });
  };
  let there: boolean;
  try {
    const state = statSync(path, { throwIfNoEntry: false });
    if (state?.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
    there = state !== undefined;
  } catch (error) {
    throw refuse(error);
  }
  if (there && !force) {
    throw new UsageError(`${showPath(path)} exists already`, {
      code: 'output_exists',
      suggestions: ['add --force to overwrite it', 'name another file'],
    });
  }
  const folder = dirname(resolve(path));
  if (!there && folderToCome !== undefined && folder === resolve(folderToCome)) return;
  try {
    // Newer Nodes tell of `FILE/plot.svg` above that it is not there, not that FILE is no folder.
    if (!there && !statSync(folder).isDirectory()) throw Object.assign(new Error(), { code: 'ENOTDIR' });
    accessSync(there ? path : folder, there ? constants.W_OK : constants.W_OK | constants.X_OK);
  } catch (error) {
    throw refuse(error);
  }
}

/** The same for a plot, which is always SVG: a name that says otherwise is refused. */
export function checkPlotFile(path: string, force: boolean, folderToCome?: string): void {
  if (!/\.svg$/i.test(path)) {
    throw new UsageError(`--plot draws SVG, and ${showPath(path)} is not named so`, {
      code: 'not_svg',
      suggestions: [
        `--plot ${showPath(path)
          .replace(/(?<=[^./])\.[^./]*$/, '')
          .replace(/\/*$/, '')}.svg`,
      ],
    });
  }
  checkOutputFile(path, force, folderToCome);
}
