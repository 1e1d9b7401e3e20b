// SPDX-License-Identifier: Apache-2.0
import { WorkloadError, type WorkloadTable } from './workload-table.js';

/** Longest message the card takes, and the length at which HomaModule's benchmarks cut their tables. */
export const MAX_MESSAGE_BYTES = 1_000_000;

const CELLS = 1024; // a power of two, so that the cell of a draw is exact

/** A discrete distribution of message lengths in bytes. Draws take a uniform number, so it holds no state. */
export class LengthDistribution {
  readonly name: string;
  /** Possible lengths, ascending. */
  readonly lengthsBytes: Float64Array;
  /** Share of messages of that length or shorter; ends at 1. */
  readonly fractions: Float64Array;
  readonly meanBytes: number;
  /** For each of CELLS equal parts of [0, 1) the first point that a draw in it may give. */
  private readonly firstPoint = new Int32Array(CELLS);

  constructor(name: string, points: readonly (readonly [number, number])[]) {
    if (points.length === 0) throw new WorkloadError(`workload ${name}: no points`);
    this.name = name;
    this.lengthsBytes = Float64Array.from(points, (point) => point[0]);
    this.fractions = Float64Array.from(points, (point) => point[1]);
    let mean = 0;
    let before = 0;
    for (const [length, fraction] of points) {
      mean += length * (fraction - before);
      before = fraction;
    }
    this.meanBytes = mean;
    let point = 0;
    for (let cell = 0; cell < CELLS; cell++) {
      while (point < points.length - 1 && this.fractions[point]! < cell / CELLS) point++;
      this.firstPoint[cell] = point;
    }
  }

  /** The length of a message for a uniform draw u in [0, 1): the first point whose fraction is u or more. */
  lengthBytes(u: number): number {
    const { fractions, firstPoint } = this;
    const last = fractions.length - 1;
    let point = firstPoint[Math.floor(u * CELLS)]!;
    while (point < last && fractions[point]! < u) point++;
    return this.lengthsBytes[point]!;
  }

  /** The part of the distribution with lengths from `minBytes` to `maxBytes`; throws WorkloadError when it is empty. */
  between(minBytes: number, maxBytes: number): LengthDistribution {
    const shares = this.probabilities();
    const kept: [number, number][] = [];
    let total = 0;
    this.lengthsBytes.forEach((length, i) => {
      if (length >= minBytes && length <= maxBytes) kept.push([length, (total += shares[i]!)]);
    });
    if (kept.length === this.lengthsBytes.length) return this;
    if (total === 0)
      throw new WorkloadError(`workload ${this.name}: no length from ${minBytes} to ${maxBytes} bytes`);
    return new LengthDistribution(
      this.name,
      kept.map(([length, sum], i): [number, number] => [length, i === kept.length - 1 ? 1 : sum / total]),
    );
  }

  /** The probability of each of `lengthsBytes`, in the same order. */
  probabilities(): Float64Array {
    return this.fractions.map((fraction, i) => (i === 0 ? fraction : fraction - this.fractions[i - 1]!));
  }

  /**
   * The nine lengths that cut the messages into ten classes by size: class d holds lengths above boundary d-1 up to
   * and including boundary d. Where one length holds more than a tenth of the messages, boundaries repeat and the
   * classes between them stay empty.
   */
  decileBoundariesBytes(): number[] {
    return [1, 2, 3, 4, 5, 6, 7, 8, 9].map((tenth) => this.lengthBytes(tenth / 10));
  }
}

/** The table as it stands, lengths up to its own maximum (up to 29,400,000 bytes in w5). */
export function rawDistribution(table: WorkloadTable): LengthDistribution {
  return new LengthDistribution(table.name, table.points);
}

/** The table with every longer length replaced by `maxBytes`. */
export function cutDistribution(table: WorkloadTable, maxBytes = MAX_MESSAGE_BYTES): LengthDistribution {
  const below = table.points.filter(([length]) => length < maxBytes);
  const points = below.length === table.points.length ? below : [...below, [maxBytes, 1] as const];
  return new LengthDistribution(table.name, points);
}

/**
 * The distribution HomaModule's benchmarks draw from: lengths of `maxBytes` or more become `maxBytes`, and points that
 * add less than 0.0025 of the messages are merged into the next kept one, unless the lengths would get sparse (the next
 * one more than 1.2 times the last kept).
 */
export function homaModuleDistribution(
  table: WorkloadTable,
  maxBytes = MAX_MESSAGE_BYTES,
): LengthDistribution {
  const kept: [number, number][] = [];
  let keptLength = 0;
  let keptFraction = 0;
  for (const [i, [length, fraction]] of table.points.entries()) {
    if (length >= maxBytes) {
      kept.push([maxBytes, 1]);
      break;
    }
    const next = table.points[i + 1]?.[0] ?? -1; // nothing follows the last point: only its weight can keep it
    if (fraction - keptFraction >= 0.0025 || 1.2 * keptLength < next) {
      kept.push([length, fraction]);
      keptLength = length;
      keptFraction = fraction;
    }
  }
  const last = kept.at(-1);
  if (last === undefined) throw new WorkloadError(`workload ${table.name}: no point is left after merging`);
  last[1] = 1;
  return new LengthDistribution(table.name, kept);
}
