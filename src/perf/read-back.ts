// SPDX-License-Identifier: Apache-2.0
// Reads the traces of a session back from disk through the parser, so that what is printed is what the files say.
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { BugError } from '../errors/errors.js';
import { analyzeTrace } from '../parse/analyze-trace.js';
import { binCounts, countValues, type CountedValues } from '../stats/counted-values.js';
import type { Summary } from '../stats/summary.js';
import type { TestResult } from './result.js';
import type { Session } from './session.js';
import { findTest } from './tests.js';

/** Bins of a row's distribution. */
const BINS = 40;

/** Figures of one test as its trace file gives them. */
export interface ReadBackRow {
  test: TestResult;
  summary: Summary;
  bins: number[];
  binsUpTo?: number;
}

async function figuresOf(
  path: string,
  request: string,
  response: string,
): Promise<{ summary: Summary; counted: CountedValues }> {
  const analysis = analyzeTrace();
  analysis.startFile(path);
  for await (const chunk of createReadStream(path)) analysis.feed(chunk as Uint8Array);
  const pair = analysis.finish().pairs.find((p) => p.request === request && p.response === response);
  if (!pair) throw new BugError(`the trace holds no ${request} with its ${response}`);
  return { summary: pair.summary, counted: pair.histogram };
}

/** A row for each test of the session, from its trace where it left one, else from its samples. */
export async function readBack(folder: string, session: Session): Promise<ReadBackRow[]> {
  const rows: ReadBackRow[] = [];
  for (const test of session.result.tests) {
    const file = session.traces.find((trace) => trace.test === test)?.file;
    const definition = findTest(test.name)!;
    const figures =
      file === undefined
        ? { summary: test.summary, counted: countValues(test.samplesNs ?? []) }
        : await figuresOf(join(folder, file), definition.startEvent, definition.endEvent);
    const { summary, counted } = figures;
    // A long tail would flatten the rest: with enough samples the line ends at p99 and its last column holds the tail.
    const upTo = summary.p99 === null || summary.p99 === summary.max ? undefined : summary.p99;
    rows.push({
      test,
      summary,
      bins: binCounts(counted, BINS, upTo),
      ...(upTo === undefined ? {} : { binsUpTo: upTo }),
    });
  }
  return rows;
}
