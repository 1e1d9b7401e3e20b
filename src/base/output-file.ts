// SPDX-License-Identifier: Apache-2.0
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { UsageError } from '../errors/errors.js';
import { systemErrorWords } from './classify.js';
import { showPath } from './output-folder.js';

/**
 * Makes sure, before any work, that a file can be written: its folder is there and writable, and the file is not there
 * yet unless `force`. Throws a UsageError.
 */
export function checkOutputFile(path: string, force: boolean): void {
  try {
    if (existsSync(path)) {
      if (statSync(path).isDirectory()) {
        throw new UsageError(`cannot write ${showPath(path)}: it is a folder`, { code: 'unwritable' });
      }
      if (!force) {
        throw new UsageError(`${showPath(path)} exists already`, {
          code: 'output_exists',
          suggestions: ['add --force to overwrite it', 'name another file'],
        });
      }
      accessSync(path, constants.W_OK);
    } else {
      accessSync(dirname(path), constants.W_OK | constants.X_OK);
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new UsageError(`cannot write ${showPath(path)}: ${systemErrorWords(code)}`, {
      code: 'unwritable',
      suggestions: ['name another file'],
      cause: error,
    });
  }
}
