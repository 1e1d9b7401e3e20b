// SPDX-License-Identifier: Apache-2.0
// A model run in the form of schemas/result.v1.json.
import type { ModelResult } from '../model/run.js';
import type { EnvironmentRecord, RunResult, TestResult } from '../perf/result.js';

/**
 * The result document of runs of the model. A test is one strategy; its summary has the slowdowns of all measured
 * messages, its histogram the same to three significant digits, its details the rest of the ModelResult.
 */
export function modelDocument(
  results: readonly ModelResult[],
  environment: EnvironmentRecord,
  version: string,
  partial: boolean,
): RunResult {
  return {
    schemaVersion: 1,
    kind: 'model',
    nic: 'model',
    simulated: true,
    profile: null,
    seed: results[0]?.settings.seed ?? null,
    settings: { ...results[0]?.settings },
    environment,
    versions: { 'homa-nic': version },
    partial,
    tests: results.map(testOf),
    warnings: [],
  };
}

function testOf(result: ModelResult): TestResult {
  const { histogram, ...rest } = result;
  const { slowdown, settings } = result;
  return {
    name: settings.strategy,
    sizeBytes: 0,
    unit: 'slowdown',
    clock: 'simulated',
    span: 'from arrival to the end of the last packet, over the time the message takes on an idle link',
    count: slowdown.count,
    histogram: histogram.map(([value, count]) => [value, count]),
    summary: {
      count: slowdown.count,
      min: slowdown.min,
      p50: slowdown.p50,
      p90: slowdown.p90,
      p99: slowdown.p99,
      p999: slowdown.p999,
      max: slowdown.max,
      mean: slowdown.mean ?? 0,
      deviation: slowdown.deviation,
    },
    details: rest,
    warnings: [],
  };
}
