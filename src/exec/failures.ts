// SPDX-License-Identifier: Apache-2.0
import { ContentError, MissingError } from '../errors/errors.js';
import type { Executor, RunOptions, RunOutcome } from './executor.js';

/** Longest part of a program's output that an error message repeats. */
const TAIL_CHARACTERS = 1500;

/** What an error says of a program's output: its last lines. */
export function tail(text: string): string {
  const trimmed = text.trimEnd();
  return trimmed.length <= TAIL_CHARACTERS ? trimmed : `...${trimmed.slice(-TAIL_CHARACTERS)}`;
}

export function timeoutError(argv: readonly string[], timeoutMs: number, place: string): ContentError {
  return new ContentError(`${argv[0]} on ${place} did not end within ${timeoutMs / 1000} s and was stopped`, {
    code: 'timeout',
  });
}

export function noSuchProgram(program: string, place: string): MissingError {
  return new MissingError(`${program} is not on ${place}`, { code: 'program_missing' });
}

/** Runs a program that has to succeed: throws `ContentError` with the end of its output when it does not. */
export async function runOrThrow(
  executor: Executor,
  argv: readonly string[],
  options: RunOptions & { what?: string; suggestions?: readonly string[] } = {},
): Promise<RunOutcome> {
  const outcome = await executor.run(argv, options);
  if (outcome.exitCode === 0) return outcome;
  const what = options.what ?? argv.slice(0, 2).join(' ');
  const said = tail(outcome.stderr || outcome.stdout);
  throw new ContentError(`${what} failed (exit code ${outcome.exitCode})${said ? `:\n${said}` : ''}`, {
    ...(options.suggestions ? { suggestions: options.suggestions } : {}),
  });
}
