// SPDX-License-Identifier: Apache-2.0
// Puts what was measured on disk: one trace file a test, one result.json a run.
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestRequest, TestRun } from './backend.js';
import type { RunResult } from './result.js';
import { findTest } from './tests.js';
import { traceText } from './trace-text.js';

/** Name of the file every run leaves behind. */
export const RESULT_FILE = 'result.json';

/** File name of a test's trace: `echo.tt`, or `loopback-64B.tt` where the size can vary. */
export function traceFileName(request: TestRequest): string {
  return findTest(request.name)?.sized ? `${request.name}-${request.sizeBytes}B.tt` : `${request.name}.tt`;
}

/** Writes the trace of one test into `folder`; returns its file name, or undefined when the test leaves no trace. */
export async function writeTrace(
  folder: string,
  request: TestRequest,
  run: TestRun,
): Promise<string | undefined> {
  const events = run.trace[Symbol.iterator]();
  const first = events.next();
  if (first.done) return undefined;
  const name = traceFileName(request);
  const file = createWriteStream(join(folder, name));
  const rest = { [Symbol.iterator]: () => events };
  const all = (function* () {
    yield first.value;
    yield* rest;
  })();
  for (const block of traceText(all, run.traceClock ?? { timestamp: 0, ghz: 1 })) {
    if (!file.write(block)) await once(file, 'drain');
  }
  file.end();
  await once(file, 'finish');
  return name;
}

/** Writes the result of a run into `folder`. */
export async function writeResult(folder: string, result: RunResult): Promise<void> {
  await writeFile(join(folder, RESULT_FILE), `${JSON.stringify(result, null, 1)}\n`);
}

/**
 * Removes what an earlier run left in `folder`: its result and the traces of the tests that this names, so that the folder
 * tells of one run. Any other file stays, and all of them where there is no result of `perf`.
 */
export async function removeFormerRun(folder: string): Promise<void> {
  let former: unknown;
  try {
    former = JSON.parse(await readFile(join(folder, RESULT_FILE), 'utf8'));
  } catch {
    return;
  }
  const { kind, settings, tests } = (former ?? {}) as Partial<RunResult>;
  if (kind !== 'perf') return;
  const asked = settings?.['tests'];
  const rows = [asked, tests].flatMap((list) =>
    Array.isArray(list) ? (list as Partial<TestRequest>[]) : [],
  );
  for (const { name, sizeBytes } of rows) {
    if (typeof name !== 'string' || typeof sizeBytes !== 'number' || !findTest(name)) continue;
    await rm(join(folder, traceFileName({ name, sizeBytes })), { force: true });
  }
  await rm(join(folder, RESULT_FILE), { force: true });
}
