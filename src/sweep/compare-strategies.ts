// SPDX-License-Identifier: Apache-2.0
// Runs points, keeps them in a file as they come, and hands back the comparison: what `model sweep`, and `model run`
// over several seeds, have in common.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Outcome } from '../base/base-command.js';
import type { OutputFolder } from '../base/output-folder.js';
import type { Progress } from '../base/progress.js';
import { InterruptedError } from '../errors/errors.js';
import type { ModelSettings } from '../model/settings.js';
import { formatComparisons, formatEntriesNeeded, simulatedAs } from '../report/model-tables.js';
import type { TextShape } from '../report/text-shape.js';
import { asCommandErrors } from './failures.js';
import { loadDistribution } from './point-source.js';
import { normalizeSettings, pointKey } from './points.js';
import { appendRow, keysOf, readRows, type SweepRow } from './rows.js';
import { runSweep } from './run-sweep.js';
import { summarizeRows } from './summarize-rows.js';

/** What a command lends. */
export interface CommandParts {
  readonly folder: () => OutputFolder;
  readonly shape: TextShape;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** Name of the file that holds one row a point. */
export const POINTS_FILE = 'points.jsonl';

/** Compares strategies with exact SRPT over `seeds` seeds. */
export async function compareStrategies(
  parts: CommandParts,
  wanted: readonly ModelSettings[],
  seeds: number,
): Promise<Outcome> {
  const points = new Map<string, ModelSettings>();
  for (let i = 0; i < seeds; i++) {
    for (const settings of wanted) {
      const seeded = { ...settings, seed: settings.seed + i };
      for (const point of [normalizeSettings({ ...seeded, strategy: 'exact' }), seeded]) {
        points.set(pointKey(point), point);
      }
    }
  }
  return runPoints(parts, [...points.values()], {});
}

/** Runs the points of a sweep that the folder's file does not hold yet. */
export async function runPoints(
  parts: CommandParts,
  points: readonly ModelSettings[],
  options: { resume?: boolean; threads?: number },
): Promise<Outcome> {
  // A workload that cannot be loaded is found out before any work.
  for (const point of new Map(points.map((p) => [`${p.workload} ${p.lengthRule}`, p])).values()) {
    await asCommandErrors(() => loadDistribution(point.workload, point.lengthRule));
  }
  const folder = parts.folder();
  const file = join(folder.path, POINTS_FILE);
  const keys = new Set(points.map(pointKey));
  if (options.resume !== true) rmSync(file, { force: true }); // an old sweep's points, with --force
  const before = options.resume === true ? await asCommandErrors(() => readRows(file, { repair: true })) : [];
  const rows: SweepRow[] = before.filter((row) => keys.has(pointKey(row.settings)));
  const done = keysOf(rows);
  const todo = points.filter((point) => !done.has(pointKey(point)));
  parts.progress.start(`${todo.length} points of the model`, todo.length);
  let finished = true;
  try {
    finished = await asCommandErrors(() =>
      runSweep({
        points: todo,
        ...(options.threads === undefined ? {} : { threads: options.threads }),
        signal: parts.signal,
        onRow: (row) => {
          appendRow(file, row);
          rows.push(row);
        },
        onProgress: ({ done: count, secondsLeft }) => {
          parts.progress.update(count, secondsLeft === null ? undefined : `${timeLeft(secondsLeft)} left`);
        },
      }),
    );
  } finally {
    folder.discardIfEmpty();
  }
  if (rows.length === 0) throw new InterruptedError('interrupted before the first point was finished');
  return outcome(parts.shape, rows, {
    file: `${folder.shown}/${POINTS_FILE}`,
    finished,
    skipped: done.size,
    total: points.length,
    resumes: options.resume !== undefined,
  });
}

function outcome(
  shape: TextShape,
  rows: readonly SweepRow[],
  about: { file: string; finished: boolean; skipped: number; total: number; resumes: boolean },
): Outcome {
  const { comparisons, needed } = summarizeRows(rows);
  const compared = comparisons.filter((c) => c.seeds > 1);
  return {
    result: {
      points: rows.length,
      file: about.file,
      finished: about.finished,
      comparisons: compared,
      needed,
    },
    render: () => {
      const parts: string[] = [];
      const kind = simulatedAs(rows[0]!.settings);
      if (compared.length > 0) {
        parts.push(
          `Queue model (${kind}), 95 % confidence intervals over seeds\n`,
          formatComparisons(compared, shape),
        );
      } else if (about.finished)
        parts.push('One seed a point: no comparison without confidence intervals; add --seeds 5.\n');
      if (needed.length > 0) {
        parts.push(
          'Fewest entries of those tried from which on the p99 slowdown stays within so much of\nexact SRPT (upper end of the interval): of all messages, of each tenth of them by size\n',
          formatEntriesNeeded(needed, shape),
        );
      }
      const resumed = about.skipped > 0 ? `, ${about.skipped} of them from before` : '';
      if (about.finished) parts.push(`${rows.length} points${resumed}: ${about.file}\n`);
      else {
        const next = about.resumes ? '; the same command with --resume and its --out goes on' : '';
        parts.push(`Interrupted: ${rows.length} of ${about.total} points${resumed}: ${about.file}${next}\n`);
      }
      return parts.join('\n');
    },
  };
}

function timeLeft(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5400 ? `${Math.ceil(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
