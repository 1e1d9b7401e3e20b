// SPDX-License-Identifier: Apache-2.0
// Reads the settings of an earlier run, so that it can be run again.
import { ContentError } from '../errors/errors.js';
import type { RunSettings, TestRequest } from './backend.js';
import { MAX_COUNT } from './plan.js';
import type { RunResult } from './result.js';
import { findTest, MAX_SIZE_BYTES, MIN_SIZE_BYTES } from './tests.js';

const MAX_SEED = 0xffff_ffff;

/** An earlier run's plan. */
export interface Repeat {
  nic: string;
  requests: TestRequest[];
  settings: RunSettings;
}

/**
 * The plan of a result that follows the schema; the schema leaves `settings` open, so they are checked here as strictly
 * as flags are. Throws a ContentError that begins with `file` when `perf` did not write it, or a different one did.
 */
export function repeatOf(result: RunResult, file: string): Repeat {
  const refuse = (text: string): never => {
    throw new ContentError(`${file}: ${text}`, { suggestions: ['name a result.json that perf wrote'] });
  };
  if (result.kind !== 'perf') refuse(`a result of kind '${result.kind}': only perf can repeat its own`);
  const { tests, ...settings } = result.settings as unknown as RunSettings & { tests: TestRequest[] };
  const within = (name: 'count' | 'warmup' | 'seed', min: number, max: number): void => {
    const value: unknown = settings[name];
    if (!Number.isInteger(value) || (value as number) < min || (value as number) > max)
      refuse(`settings.${name} is not a whole number from ${min} to ${max}`);
  };
  within('count', 1, MAX_COUNT);
  within('warmup', 0, MAX_COUNT);
  within('seed', 0, MAX_SEED);
  if (typeof settings.pcieProfile !== 'string') refuse('settings.pcieProfile names no PCIe profile');
  if (!Array.isArray(tests) || tests.length === 0) refuse('settings.tests names no tests');
  for (const test of tests) checkTest(test, settings, refuse);
  return { nic: result.nic, requests: tests, settings };
}

function checkTest(test: TestRequest, settings: RunSettings, refuse: (text: string) => never): void {
  const definition = findTest(test?.name) ?? refuse(`settings.tests names '${String(test?.name)}', no test`);
  const { sizeBytes } = test;
  const fits = definition.sized
    ? Number.isInteger(sizeBytes) && sizeBytes >= MIN_SIZE_BYTES && sizeBytes <= MAX_SIZE_BYTES
    : definition.defaultSizesBytes.includes(sizeBytes);
  if (!fits) refuse(`settings.tests has ${definition.name} with a size of ${String(sizeBytes)} bytes`);
  if (definition.name !== 'workload') return;
  const { workload, load } = settings;
  if (typeof workload !== 'string' || !/^w[1-5]$/.test(workload))
    refuse('settings.workload is none of w1 to w5');
  if (typeof load !== 'number' || !(load > 0 && load < 1))
    refuse('settings.load is no share above 0 and below 1');
}
