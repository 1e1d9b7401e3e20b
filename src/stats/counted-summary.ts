// SPDX-License-Identifier: Apache-2.0
// Apart from summary.ts, so that a command which only has counts does not load simple-statistics at start-up.
import type { CountedValues } from './counted-values.js';
import { nearestRank } from './percentile.js';

/**
 * What is said about a set of samples, in their own unit. A percentile that the count cannot support is null
 * (shown as `-`). `deviation` is the population standard deviation, so one sample has deviation 0.
 */
export interface Summary {
  count: number;
  min: number;
  p50: number | null;
  p90: number | null;
  p99: number | null;
  p999: number | null;
  max: number;
  mean: number;
  deviation: number;
}

export const NO_SAMPLES = 'no samples: there is nothing to summarize';

/**
 * The same figures from exact counts per value, without expanding them: memory and time follow the number of
 * distinct values, not of samples. Throws RangeError when every count is 0.
 */
export function summarizeCounts({ values, counts }: CountedValues): Summary {
  // simple-statistics has no weighted mean or deviation; the test holds these sums against it.
  let count = 0;
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    count += counts[i]!;
    sum += values[i]! * counts[i]!;
  }
  if (count === 0) throw new RangeError(NO_SAMPLES);
  const average = sum / count;
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += counts[i]! * (values[i]! - average) ** 2;
  const percentile = (p: number): number | null => {
    const rank = nearestRank(count, p);
    if (rank === undefined) return null;
    let seen = 0;
    for (let i = 0; i < values.length; i++) {
      seen += counts[i]!;
      if (seen >= rank) return values[i]!;
    }
    return null;
  };
  const present = Array.from(counts, (c, i) => (c > 0 ? i : -1)).filter((i) => i >= 0);
  return {
    count,
    min: values[present[0]!]!,
    p50: percentile(0.5),
    p90: percentile(0.9),
    p99: percentile(0.99),
    p999: percentile(0.999),
    max: values[present[present.length - 1]!]!,
    mean: average,
    deviation: Math.sqrt(squares / count),
  };
}
