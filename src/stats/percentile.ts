// SPDX-License-Identifier: Apache-2.0

/** Percentiles are taken in whole millionths, so that 0.07 * 100 is 7 and not 7.000000000000001. */
const MILLION = 1_000_000;

function inMillionths(p: number): number {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`a percentile is a fraction from 0 to 1, not ${p}`);
  return Math.round(p * MILLION);
}

/**
 * The 1-based rank of percentile `p` (a fraction, 0 to 1) among `count` sorted samples by the nearest-rank rule,
 * or undefined when `count` cannot support it: below 1, it needs at least 1/(1-p) samples (p99 100, p99.9 1000).
 * p = 0 is the smallest sample and p = 1 the largest. Throws RangeError for a `p` outside 0 to 1.
 */
export function nearestRank(count: number, p: number): number | undefined {
  const millionths = inMillionths(p);
  if (count < 1) return undefined;
  if (millionths < MILLION && count * (MILLION - millionths) < MILLION) return undefined;
  return Math.max(1, Math.ceil((count * millionths) / MILLION));
}

/**
 * Percentile `p` (a fraction, 0 to 1) of samples sorted in ascending order, by nearest rank: always one of the
 * samples, in their unit, never an interpolation. Undefined when there are too few samples (see `nearestRank`).
 */
export function percentileNearestRank(sorted: ArrayLike<number>, p: number): number | undefined {
  const rank = nearestRank(sorted.length, p);
  return rank === undefined ? undefined : sorted[rank - 1];
}
