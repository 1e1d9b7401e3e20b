// SPDX-License-Identifier: Apache-2.0

/** A table of message lengths as data files carry it: [bytes, share of messages of that length or shorter]. */
export interface WorkloadTable {
  readonly name: string;
  readonly title: string;
  readonly source: string;
  readonly points: readonly (readonly [lengthBytes: number, fraction: number])[];
}

/** A workload table that cannot be used; the message names the value and what is allowed. */
export class WorkloadError extends Error {
  override readonly name = 'WorkloadError';
  /** `missing`: there is no such workload or file; `content`: it is there and wrong. */
  readonly kind: 'missing' | 'content';

  constructor(message: string, kind: 'missing' | 'content' = 'content') {
    super(message);
    this.kind = kind;
  }
}

/**
 * Checks parsed JSON and returns it as a table. Lengths must be integers from 1 that ascend, fractions must lie in
 * (0, 1], never decrease, and end at 1. Throws WorkloadError that names the point at fault.
 */
export function parseWorkloadTable(json: unknown, fallbackName = 'workload'): WorkloadTable {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new WorkloadError('a workload is a JSON object with "name" and "points"');
  }
  const record = json as Record<string, unknown>;
  const text = (key: string, otherwise: string): string =>
    typeof record[key] === 'string' ? record[key] : otherwise;
  const name = text('name', fallbackName);
  const raw = record['points'];
  if (!Array.isArray(raw) || raw.length === 0) {
    throw new WorkloadError(
      `workload ${name}: "points" must be a list of [bytes, fraction] pairs, at least one`,
    );
  }
  const points: [number, number][] = [];
  let lastLength = 0;
  let lastFraction = 0;
  raw.forEach((entry: unknown, index) => {
    const where = `workload ${name}, point ${index + 1}`;
    if (!Array.isArray(entry) || entry.length !== 2) {
      throw new WorkloadError(`${where}: expected [bytes, fraction], got ${JSON.stringify(entry)}`);
    }
    const [length, fraction] = entry as [unknown, unknown];
    if (typeof length !== 'number' || !Number.isSafeInteger(length) || length <= lastLength) {
      throw new WorkloadError(
        `${where}: length ${String(length)} is not an integer above the one before (${lastLength})`,
      );
    }
    if (typeof fraction !== 'number' || !(fraction > 0 && fraction <= 1)) {
      throw new WorkloadError(`${where}: fraction ${String(fraction)} is outside the range above 0 up to 1`);
    }
    if (fraction < lastFraction) {
      throw new WorkloadError(
        `${where}: fraction ${fraction} is below the one before (${lastFraction}); cumulative fractions never decrease`,
      );
    }
    points.push([length, fraction]);
    lastLength = length;
    lastFraction = fraction;
  });
  if (lastFraction !== 1) {
    throw new WorkloadError(`workload ${name}: the last fraction is ${lastFraction}, it must be 1`);
  }
  return { name, title: text('title', name), source: text('source', 'not stated'), points };
}
