// SPDX-License-Identifier: Apache-2.0
// One `perf` run from plan to files: measures, writes each trace as its test ends, then the result.
import type { PerfBackend, RunSettings, TestRequest } from './backend.js';
import { removeFormerRun, RESULT_FILE, writeResult, writeTrace } from './record.js';
import type { EnvironmentRecord, RunResult, TestResult } from './result.js';
import { runResult, runTests } from './run.js';

/** What a session left behind. */
export interface Session {
  result: RunResult;
  /** trace file of each test that left one, in order of `result.tests` */
  traces: { test: TestResult; file: string }[];
  resultFile: string;
}

/**
 * Runs the requests and writes their traces and `result.json` into `folder`. An aborted signal ends it early with what
 * was measured, marked partial; undefined when that is nothing.
 */
export async function runSession(
  backend: PerfBackend,
  requests: readonly TestRequest[],
  settings: RunSettings,
  surroundings: { folder: string; environment: EnvironmentRecord; versions: Record<string, string> },
  signal: AbortSignal,
  onProgress: (test: TestRequest, done: number, total: number) => void,
): Promise<Session | undefined> {
  const tests: TestResult[] = [];
  const traces: Session['traces'] = [];
  for await (const { request, run, row } of runTests(backend, requests, settings, signal, onProgress)) {
    // Not sooner: a run that measures nothing takes nothing away.
    if (tests.length === 0) await removeFormerRun(surroundings.folder);
    tests.push(row);
    const file = await writeTrace(surroundings.folder, request, run);
    if (file !== undefined) traces.push({ test: row, file });
  }
  if (tests.length === 0) return undefined;
  const result = runResult({
    backend,
    settings: { ...settings, tests: requests.map(({ name, sizeBytes }) => ({ name, sizeBytes })) },
    environment: surroundings.environment,
    versions: surroundings.versions,
    partial: signal.aborted,
    tests,
    warnings: [],
  });
  await writeResult(surroundings.folder, result);
  return { result, traces, resultFile: RESULT_FILE };
}
