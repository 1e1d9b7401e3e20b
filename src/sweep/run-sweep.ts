// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { ModelSettings } from '../model/settings.js';
import type { SweepRow } from './rows.js';
import type { WorkerAnswer } from './sweep-worker.js';

/** How far a sweep is. */
export interface SweepProgress {
  readonly done: number;
  readonly total: number;
  /** Seconds left at the pace so far; null before the first point. */
  readonly secondsLeft: number | null;
}

/**
 * Runs points in worker threads, one per core unless told otherwise, and hands each row over as it comes. A thread
 * has its next point before it is done with one, but for the last points: these go to whoever is free. When the signal
 * fires, running points are given up, what was handed over stays, and the promise resolves to false. Rejects when a point
 * fails.
 */
export async function runSweep(options: {
  points: readonly ModelSettings[];
  threads?: number;
  signal?: AbortSignal;
  onRow: (row: SweepRow) => void;
  onProgress?: (progress: SweepProgress) => void;
}): Promise<boolean> {
  const { points, signal, onRow, onProgress } = options;
  const threads = Math.max(1, Math.min(options.threads ?? availableParallelism(), points.length));
  const began = Date.now();
  let next = 0;
  let done = 0;
  const workers = Array.from(
    { length: threads },
    () => new Worker(new URL('./sweep-worker.js', import.meta.url), { stdout: false, stderr: false }),
  );
  const work = (worker: Worker): Promise<void> =>
    new Promise((resolve, reject) => {
      let given = 0; // points this thread has and has not answered
      const give = (): void => {
        const more = (): boolean => next < points.length && (given === 0 || points.length - next > threads);
        for (; signal?.aborted !== true && given < 2 && more(); given++) worker.postMessage(points[next++]!);
        if (given === 0) resolve();
      };
      worker.on('message', (answer: WorkerAnswer) => {
        if (signal?.aborted === true) {
          resolve();
          return;
        }
        if ('error' in answer) {
          reject(new Error(answer.error));
          return;
        }
        given--;
        onRow(answer.row);
        done++;
        const secondsLeft = ((Date.now() - began) / 1000 / done) * (points.length - done);
        onProgress?.({ done, total: points.length, secondsLeft });
        give();
      });
      worker.on('error', reject);
      signal?.addEventListener('abort', () => {
        resolve();
      });
      give();
    });
  try {
    await Promise.all(workers.map(work));
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  return signal?.aborted !== true;
}
