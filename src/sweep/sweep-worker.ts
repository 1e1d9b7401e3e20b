// SPDX-License-Identifier: Apache-2.0
// A thread of a sweep: takes settings, hands back rows.
import { parentPort } from 'node:worker_threads';
import { runModel } from '../model/run.js';
import type { ModelSettings } from '../model/settings.js';
import type { LengthDistribution } from '../workload/length-distribution.js';
import { loadDistribution } from './point-source.js';
import { sweepRow, type SweepRow } from './rows.js';

/** What a thread answers: a row, or what went wrong. */
export type WorkerAnswer = { row: SweepRow } | { error: string };

const loaded = new Map<string, Promise<LengthDistribution>>();

parentPort!.on('message', (settings: ModelSettings) => {
  void answer(settings).then((result) => {
    parentPort!.postMessage(result);
  });
});

async function answer(settings: ModelSettings): Promise<WorkerAnswer> {
  try {
    const name = `${settings.workload} ${settings.lengthRule}`;
    const promise = loaded.get(name) ?? loadDistribution(settings.workload, settings.lengthRule);
    loaded.set(name, promise);
    const result = runModel(settings, { kind: 'poisson', distribution: await promise });
    return { row: sweepRow(result) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}
