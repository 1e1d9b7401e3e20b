// SPDX-License-Identifier: Apache-2.0
// From what the user asked for to the list of tests to run, or a clear refusal before any work.
import { closest } from '../errors/closest.js';
import { UsageError } from '../errors/errors.js';
import type { TestRequest } from './backend.js';
import { DEFAULT_TESTS, findTest, TESTS, type TestDefinition } from './tests.js';

/** Most iterations of a test, measured or not. */
export const MAX_COUNT = 10_000_000;

/** The tests named in `echo,read`; throws a UsageError that names the unknown one and those that exist. */
export function parseTestNames(text: string): TestDefinition[] {
  const names = [...new Set(text.split(',').map((name) => name.trim()))];
  return names.map((name) => {
    const test = findTest(name);
    if (test) return test;
    const known = TESTS.map((t) => t.name);
    if (name === '')
      throw new UsageError(
        `'${text}' names no test at one of its commas: the tests are ${known.join(', ')}`,
        {
          code: 'unknown_test',
          suggestions: ['homa-nic perf --list'],
        },
      );
    const near = closest(name, known);
    throw new UsageError(`unknown test '${name}': the tests are ${known.join(', ')}`, {
      code: 'unknown_test',
      suggestions: [near ? `--test ${near}` : 'homa-nic perf --list'],
    });
  });
}

/** The tests a run makes when none is named. */
export function defaultTests(): TestDefinition[] {
  return DEFAULT_TESTS.map((name) => findTest(name)!);
}

/**
 * One request a test and size. `sizesBytes` holds the sizes the user typed, or undefined; typed sizes together with a
 * test that has only one size is a usage error, unless the test was not named by the user.
 */
export function planRequests(
  tests: readonly TestDefinition[],
  sizesBytes: readonly number[] | undefined,
): TestRequest[] {
  const unsized = tests.filter((test) => !test.sized);
  if (sizesBytes !== undefined && unsized.length > 0) {
    const sized = TESTS.filter((test) => test.sized).map((test) => test.name);
    throw new UsageError(
      `--size does not go with ${unsized.map((test) => test.name).join(' and ')}: ${unsized.length > 1 ? 'their size is' : 'its size is'} always 64 bytes`,
      {
        code: 'size_of_fixed_test',
        suggestions: [`--test ${sized.join(',')} --size ${sizesBytes.join(',')}`],
      },
    );
  }
  return tests.flatMap((test) =>
    (test.sized ? (sizesBytes ?? test.defaultSizesBytes) : test.defaultSizesBytes).map((sizeBytes) => ({
      name: test.name,
      sizeBytes,
    })),
  );
}

/** A share above 0 and below 1; throws a UsageError otherwise. */
export function parseLoad(text: string): number {
  const load = /^\d*\.?\d+$/.test(text) ? Number(text) : NaN;
  if (!(load > 0 && load < 1)) {
    throw new UsageError(`--load '${text}' is not a share above 0 and below 1`, {
      suggestions: ['--load 0.8'],
    });
  }
  return load;
}
