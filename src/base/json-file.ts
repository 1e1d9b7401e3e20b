// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { ContentError, UsageError } from '../errors/errors.js';
import { systemErrorWords } from './classify.js';

/**
 * Reads a JSON file that the user named; `shown` is its name for messages. Throws a UsageError, with what to type instead,
 * when it cannot be read, and a ContentError when it is no JSON.
 */
export async function readJsonFile(
  path: string,
  shown: string,
  suggestions: readonly string[],
): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const words = systemErrorWords((error as NodeJS.ErrnoException).code ?? 'unknown');
    throw new UsageError(`cannot read ${shown}: ${words}`, {
      code: 'missing_input',
      suggestions,
      cause: error,
    });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ContentError(`${shown}: this is not JSON: ${(error as Error).message}`, { cause: error });
  }
}
