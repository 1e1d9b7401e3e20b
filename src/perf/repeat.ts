// SPDX-License-Identifier: Apache-2.0
// Reads the settings of an earlier run, so that it can be run again.
import { ContentError } from '../errors/errors.js';
import type { RunSettings, TestRequest } from './backend.js';
import type { RunResult } from './result.js';
import { findTest } from './tests.js';

/** An earlier run's plan. */
export interface Repeat {
  nic: string;
  requests: TestRequest[];
  settings: RunSettings;
}

/** The plan of a validated result; throws ContentError when it was not written by `perf`, or by a different one. */
export function repeatOf(result: RunResult): Repeat {
  if (result.kind !== 'perf')
    throw new ContentError(`this result is of kind '${result.kind}': only perf can repeat its own`);
  const { tests, ...settings } = result.settings as unknown as RunSettings & { tests: TestRequest[] };
  const complete =
    Array.isArray(tests) &&
    tests.every((test) => findTest(test.name) !== undefined && Number.isInteger(test.sizeBytes)) &&
    [settings.count, settings.warmup, settings.seed].every(Number.isInteger) &&
    typeof settings.pcieProfile === 'string';
  if (!complete)
    throw new ContentError('the settings of this result do not name tests, count, warmup, seed and profile');
  return { nic: result.nic, requests: tests, settings };
}
