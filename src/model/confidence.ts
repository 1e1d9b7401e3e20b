// SPDX-License-Identifier: Apache-2.0

/** A mean over independent seeds with its 95 % confidence interval: mean - half to mean + half. */
export interface Interval {
  readonly mean: number;
  readonly half: number;
  readonly seeds: number;
}

/** Two-sided 95 % quantiles of Student's t for 1 to 30 degrees of freedom (standard table). */
const T95 = [
  12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.306, 2.2622, 2.2281, 2.201, 2.1788, 2.1604,
  2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.093, 2.086, 2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555,
  2.0518, 2.0484, 2.0452, 2.0423,
];
const Z95 = 1.959964;

/** Two-sided 95 % quantile of Student's t; above 30 degrees of freedom by its expansion (error below 1e-4). */
export function studentT95(degrees: number): number {
  if (!Number.isInteger(degrees) || degrees < 1) {
    throw new RangeError(`degrees of freedom are an integer of at least 1, got ${degrees}`);
  }
  const listed = T95[degrees - 1];
  if (listed !== undefined) return listed;
  const z = Z95;
  return z + (z ** 3 + z) / (4 * degrees) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * degrees * degrees);
}

/** The mean of values from independent seeds, or undefined with fewer than two: then there is no interval. */
export function meanInterval(values: readonly number[]): Interval | undefined {
  const n = values.length;
  if (n < 2) return undefined;
  const mean = values.reduce((a, b) => a + b, 0) / n;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  return { mean, half: studentT95(n - 1) * Math.sqrt(variance / n), seeds: n };
}

/**
 * The ratio of paired values (same seeds, so the same messages) with its interval, or undefined with fewer than two
 * pairs or a base of zero. Pairing removes what the seeds have in common.
 */
export function pairedRatio(values: readonly number[], bases: readonly number[]): Interval | undefined {
  if (values.length !== bases.length) throw new RangeError('paired values need the same number of bases');
  if (bases.some((base) => base === 0)) return undefined;
  return meanInterval(values.map((value, i) => value / bases[i]!));
}
