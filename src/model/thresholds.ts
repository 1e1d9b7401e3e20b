// SPDX-License-Identifier: Apache-2.0
import type { LengthDistribution } from '../workload/length-distribution.js';

/**
 * Thresholds of remaining units that cut the load of a workload into `levels` parts of about equal size: of all units
 * ever sent, the share sent while at most t were left is E[min(S, t)] / E[S]. Ascending, without repeats, so there are
 * fewer of them than levels - 1 where whole units leave no room.
 */
export function equalLoadThresholds(
  distribution: LengthDistribution,
  levels: number,
  unitBytes: number,
): number[] {
  const share = distribution.probabilities();
  const units = Array.from(distribution.lengthsBytes, (bytes) => Math.ceil(bytes / unitBytes));
  const sentAtOrBelow = (threshold: number): number =>
    units.reduce((sum, length, i) => sum + share[i]! * Math.min(length, threshold), 0);
  const longest = units.at(-1)!;
  const total = sentAtOrBelow(longest);
  const thresholds: number[] = [];
  for (let level = 1; level < levels; level++) {
    const wanted = (total * level) / levels;
    let low = 1;
    let high = longest;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sentAtOrBelow(middle) >= wanted) high = middle;
      else low = middle + 1;
    }
    if (low < longest && low > (thresholds.at(-1) ?? 0)) thresholds.push(low);
  }
  return thresholds;
}
