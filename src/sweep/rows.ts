// SPDX-License-Identifier: Apache-2.0
import { appendFileSync, readFileSync, truncateSync } from 'node:fs';
import { STRATEGIES } from '../model/catalogue.js';
import type { ModelResult } from '../model/run.js';
import { pointKey } from './points.js';

/** One line of a sweep's file: a point and what it gave. */
export interface SweepRow extends Omit<ModelResult, 'backlog' | 'histogram'> {
  readonly schemaVersion: 1;
  readonly kind: 'model-point';
}

/** The row of a result: everything but the curve over time and the histogram. */
export function sweepRow(result: ModelResult): SweepRow {
  const { backlog, histogram, ...rest } = result;
  void backlog;
  void histogram;
  return { schemaVersion: 1, kind: 'model-point', ...rest };
}

/** A sweep's file that cannot be used; the message names the line. */
export class SweepFileError extends Error {
  override readonly name = 'SweepFileError';
}

/**
 * Reads the rows of a sweep's file; none when there is no such file. A last line that was cut off (the run was killed
 * while it wrote) is left out, and with `repair` cut away; a point that is there twice counts once, or its seed would
 * pass for two. Throws SweepFileError for any other line that is no row.
 */
export function readRows(path: string, options: { repair?: boolean } = {}): SweepRow[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  const end = text.lastIndexOf('\n') + 1;
  if (options.repair === true && end < text.length) truncateSync(path, Buffer.byteLength(text.slice(0, end)));
  const rows = new Map<string, SweepRow>();
  text
    .slice(0, end)
    .split('\n')
    .forEach((line, i) => {
      if (line.trim() === '') return;
      const row = parseRow(line, i + 1);
      rows.set(pointKey(row.settings), row);
    });
  return [...rows.values()];
}

/** Appends a row as one line. */
export function appendRow(path: string, row: SweepRow): void {
  appendFileSync(path, `${JSON.stringify(row)}\n`);
}

/** The keys of the points that are done. */
export function keysOf(rows: readonly SweepRow[]): Set<string> {
  return new Set(rows.map((row) => pointKey(row.settings)));
}

function parseRow(line: string, number: number): SweepRow {
  let row: unknown;
  try {
    row = JSON.parse(line);
  } catch {
    throw new SweepFileError(`line ${number} is not JSON`);
  }
  const candidate = row as Partial<SweepRow> | null;
  if (candidate?.kind !== 'model-point' || candidate.schemaVersion !== 1 || !isResult(candidate)) {
    throw new SweepFileError(`line ${number} is not a point of a model sweep (version 1)`);
  }
  return candidate as SweepRow;
}

/** True when a value read from a file has what comparisons and plots take from a result. */
export function isResult(value: unknown): boolean {
  const result = value as Partial<ModelResult> | null | undefined;
  return (
    typeof result?.settings === 'object' &&
    STRATEGIES.some(({ name }) => name === result.settings?.strategy) &&
    typeof result.settings.workload === 'string' &&
    typeof result.slowdown === 'object' &&
    Array.isArray(result.deciles) &&
    Array.isArray(result.slotOccupancy)
  );
}
