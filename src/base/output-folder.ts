// SPDX-License-Identifier: Apache-2.0
import { accessSync, constants, mkdirSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { UsageError } from '../errors/errors.js';
import { systemErrorWords } from './classify.js';
import { DEFAULTS } from './config-keys.js';
import { showPath } from './shown-path.js';

function unwritable(path: string, error: unknown): UsageError {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
  return new UsageError(`cannot write to ${showPath(path)}: ${systemErrorWords(code)}`, {
    code: 'unwritable',
    suggestions: ['name another place with --out'],
    cause: error,
  });
}

function exists(path: string, what: string): UsageError {
  return new UsageError(`${showPath(path)} ${what}`, {
    code: 'output_exists',
    suggestions: ['add --force to overwrite it', 'name another place with --out'],
  });
}

/** The folder of one command's output. */
export interface OutputFolder {
  /** Path to use. */
  path: string;
  /** Path to print. */
  shown: string;
  /** Removes the folder if nothing was written into it: a run that failed early leaves no litter. */
  discardIfEmpty(): void;
}

function made(path: string, created: boolean): OutputFolder {
  return {
    path,
    shown: showPath(path),
    discardIfEmpty: () => {
      if (!created) return;
      try {
        rmdirSync(path);
      } catch {
        // not empty, or gone: both are fine
      }
    },
  };
}

/** mkdir -p. Node's own recursive mkdir never returns below /proc, where the parent is there and nothing can be made. */
function makeWithParents(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  const parent = dirname(path);
  if (parent !== path) makeWithParents(parent);
  try {
    mkdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !statSync(path).isDirectory()) throw error;
  }
}

function nextNumbered(root: string, command: string): OutputFolder {
  const name = command.replaceAll(/[^a-z0-9]+/gi, '-');
  try {
    makeWithParents(resolve(root));
    for (;;) {
      const numbers = readdirSync(root).map((entry) => Number(/^(\d{3,})-/.exec(entry)?.[1] ?? 0));
      const next = String(numbers.reduce((a, b) => Math.max(a, b), 0) + 1).padStart(3, '0');
      try {
        const path = join(root, `${next}-${name}`);
        mkdirSync(path);
        return made(path, true);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
    }
  } catch (error) {
    throw unwritable(root, error);
  }
}

/**
 * Makes the folder for a command's output before any work is done: `--out`, or the next number in the results folder.
 * Throws a UsageError if it cannot be written, or if `--out` names something that is not an empty folder and `force`
 * is not set. With `force` files of the same name will be overwritten; nothing is removed here.
 */
export function makeOutputFolder(options: {
  command: string;
  out?: string | undefined;
  force?: boolean;
  resultsFolder?: string;
}): OutputFolder {
  if (options.out === undefined)
    return nextNumbered(options.resultsFolder ?? DEFAULTS.resultsFolder, options.command);
  const path = options.out;
  let created = true;
  try {
    const state = statSync(path, { throwIfNoEntry: false });
    created = state === undefined;
    if (state && !state.isDirectory()) {
      throw new UsageError(`${showPath(path)} is a file, and --out names a folder`, {
        code: 'unwritable',
        suggestions: ['name another place with --out'],
      });
    }
    if (state && !options.force && readdirSync(path).length > 0)
      throw exists(path, 'has something in it already');
    makeWithParents(resolve(path));
    accessSync(path, constants.W_OK);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw unwritable(path, error);
  }
  return made(path, created);
}
