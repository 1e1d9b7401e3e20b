// SPDX-License-Identifier: Apache-2.0
// Runs tests on a backend, one after the other, and turns what they gave into results.
import { ContentError } from '../errors/errors.js';
import { countValues } from '../stats/counted-values.js';
import { linearFit } from '../stats/regression.js';
import { summarize } from '../stats/summary.js';
import type { PerfBackend, RunSettings, TestRequest, TestRun } from './backend.js';
import { ceilingsFor } from './ceilings.js';
import type { EnvironmentRecord, RunResult, TestResult } from './result.js';
import { findTest } from './tests.js';

/** Above this many samples a result carries their histogram instead (design section 7). */
export const SAMPLES_KEPT = 1_000_000;
/** An iteration count below this cannot support a p99. */
const P99_NEEDS = 100;

/** One finished test: its row, and its trace to be written. */
export interface MeasuredTest {
  request: TestRequest;
  run: TestRun;
  row: TestResult;
}

/** The row of a finished test. */
export function testResult(
  backend: PerfBackend,
  request: TestRequest,
  settings: RunSettings,
  run: TestRun,
): TestResult {
  const definition = findTest(request.name)!;
  const explanation = backend.explain(request, settings);
  const row: TestResult = {
    name: request.name,
    sizeBytes: request.sizeBytes,
    unit: run.unit,
    clock: run.clock,
    span: run.span,
    count: run.samples.length,
    summary: summarize(run.samples),
    ceilings:
      definition.network === true
        ? backend.limits(request, settings)
        : ceilingsFor({ ...request, oneWay: definition.oneWay }, explanation),
    warnings: [...run.warnings],
  };
  if (run.samples.length > SAMPLES_KEPT) {
    const { values, counts } = countValues(run.samples);
    row.histogram = Array.from(values, (value, i): [number, number] => [value, counts[i]!]);
  } else {
    row.samplesNs = Array.from(run.samples);
  }
  if (run.rateGbps !== undefined) row.rateGbps = run.rateGbps;
  if (run.details !== undefined) row.details = run.details;
  if (run.samples.length < P99_NEEDS) {
    const samples = `${run.samples.length} sample${run.samples.length === 1 ? '' : 's'}`;
    row.warnings.push(`${samples} cannot support p99: it needs ${P99_NEEDS} (--count)`);
  }
  return row;
}

/**
 * Runs the tests in order and yields each as it is done. Stops after the test that an aborted signal cut short; a test
 * with no sample at all then yields nothing. Throws ContentError when a test measured nothing for another reason.
 */
export async function* runTests(
  backend: PerfBackend,
  requests: readonly TestRequest[],
  settings: RunSettings,
  signal: AbortSignal,
  onProgress: (test: TestRequest, done: number, total: number) => void,
): AsyncGenerator<MeasuredTest> {
  for (const request of requests) {
    if (signal.aborted) return;
    const run = await backend.run(request, settings, signal, (done, total) =>
      onProgress(request, done, total),
    );
    if (run.samples.length > 0) yield { request, run, row: testResult(backend, request, settings, run) };
    else if (!run.partial) throw new ContentError(`test '${request.name}' measured nothing`);
    if (run.partial) return;
  }
}

/** Puts rows, settings and surroundings together as `schemas/result.v1.json` has them. */
export function runResult(parts: {
  backend: PerfBackend;
  settings: Record<string, unknown> & { seed: number };
  environment: EnvironmentRecord;
  versions: Record<string, string>;
  partial: boolean;
  tests: TestResult[];
  warnings: string[];
}): RunResult {
  const { nic, simulated, profile, versions } = parts.backend.describe();
  return {
    schemaVersion: 1,
    kind: 'perf',
    nic,
    simulated,
    profile,
    // Without a profile nothing is drawn: a card behind its driver has no seed.
    seed: simulated && profile !== null ? parts.settings.seed : null,
    settings: parts.settings,
    environment: parts.environment,
    versions: { ...versions, ...parts.versions },
    partial: parts.partial,
    tests: parts.tests,
    warnings: parts.warnings,
  };
}

/** The straight line through a sweep: bytes over median time. */
export interface SizeSweepFit {
  /** slope of bytes over time, as Gbit/s */
  slopeGbps: number;
  /** where the line meets zero bytes, ns */
  interceptNs: number;
  r2: number;
}

/** Fits the rows of one test over two or more sizes; undefined when there are fewer. */
export function sizeSweepFit(rows: readonly TestResult[]): SizeSweepFit | undefined {
  const points = rows
    .filter((row) => row.unit === 'ns' && row.summary.p50 !== null)
    .map((row): [number, number] => [row.summary.p50!, row.sizeBytes]);
  if (new Set(points.map(([timeNs]) => timeNs)).size < 2) return undefined;
  const { slope, intercept, r2 } = linearFit(points);
  return { slopeGbps: 8 * slope, interceptNs: -intercept / slope, r2 };
}

/** Warnings of all tests; one that several share is said once. */
export function warningsOf(tests: readonly TestResult[]): string[] {
  const sharedBy = new Map<string, string[]>();
  for (const { name, sizeBytes, warnings } of tests) {
    for (const text of warnings) {
      sharedBy.set(text, [...(sharedBy.get(text) ?? []), `${name} ${sizeBytes} B`]);
    }
  }
  return [...sharedBy].map(([text, [first, ...more]]) =>
    more.length === 0 ? `${first!}: ${text}` : `${first!} and ${more.length} more: ${text}`,
  );
}

/** The envelope carries figures; samples stay in result.json. */
export function withoutSamples(
  result: RunResult,
): Omit<RunResult, 'tests'> & { tests: Partial<TestResult>[] } {
  const tests = result.tests.map(({ samplesNs: _samples, histogram: _histogram, ...rest }) => rest);
  return { ...result, tests };
}
