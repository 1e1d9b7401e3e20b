// SPDX-License-Identifier: Apache-2.0
import { mean, standardDeviation } from 'simple-statistics';
import { NO_SAMPLES, type Summary } from './counted-summary.js';
import { percentileNearestRank } from './percentile.js';

export { summarizeCounts, type Summary } from './counted-summary.js';

/** Summarizes samples in any order; the input is left as it is. Throws RangeError when there are none. */
export function summarize(samples: ArrayLike<number>): Summary {
  if (samples.length === 0) throw new RangeError(NO_SAMPLES);
  const sorted = Float64Array.from(samples).sort();
  // simple-statistics only indexes its argument; its types ask for more than it needs.
  const values = sorted as unknown as number[];
  return {
    count: sorted.length,
    min: sorted[0]!,
    p50: percentileNearestRank(sorted, 0.5) ?? null,
    p90: percentileNearestRank(sorted, 0.9) ?? null,
    p99: percentileNearestRank(sorted, 0.99) ?? null,
    p999: percentileNearestRank(sorted, 0.999) ?? null,
    max: sorted[sorted.length - 1]!,
    mean: mean(values),
    deviation: standardDeviation(values),
  };
}
