// SPDX-License-Identifier: Apache-2.0
// Queueing theory to hold the model against. Lengths and times in the same unit, link speed 1.
import type { LengthDistribution } from '#src/workload/length-distribution.js';

/** A continuous length distribution by its density on (0, limit), with limit far in the tail. */
export interface Density {
  density: (x: number) => number;
  limit: number;
}

/**
 * Mean completion time of M/G/1-SRPT by Schrage and Miller:
 * E[T(x)] = lambda (m2(x) + x^2 (1 - F(x))) / (2 (1 - rho(x))^2) + integral_0^x dt / (1 - rho(t)).
 */
export function srptContinuous({ density, limit }: Density, load: number, steps = 200_000): number {
  const h = limit / steps;
  let mean = 0;
  for (let i = 0; i < steps; i++) mean += (i + 0.5) * h * density((i + 0.5) * h) * h;
  const lambda = load / mean;
  let below = 0; // F(x)
  let first = 0; // integral of t f(t)
  let second = 0; // integral of t^2 f(t)
  let residence = 0;
  let total = 0;
  for (let i = 0; i < steps; i++) {
    const x = (i + 0.5) * h;
    const f = density(x) * h;
    // Half of the step counts as at or below its midpoint.
    const free = 1 - lambda * (first + (x * f) / 2);
    const waiting = (lambda * (second + (x * x * f) / 2 + x * x * (1 - below - f / 2))) / (2 * free * free);
    total += f * (waiting + residence + h / 2 / free);
    residence += h / free;
    below += f;
    first += x * f;
    second += x * x * f;
  }
  return total / below;
}

/**
 * The same for lengths with atoms, ties in order of arrival: work of the same length ahead delays, work of the same
 * length behind does not, so one factor of the waiting time excludes the atom.
 */
export function srptDiscrete(distribution: LengthDistribution, load: number): number {
  const lengths = distribution.lengthsBytes;
  const share = distribution.probabilities();
  const lambda = load / distribution.meanBytes;
  let first = 0;
  let second = 0;
  let below = 0;
  let residence = 0;
  let last = 0;
  let total = 0;
  for (let i = 0; i < lengths.length; i++) {
    const x = lengths[i]!;
    const p = share[i]!;
    const freeBefore = 1 - lambda * first;
    residence += (x - last) / freeBefore;
    first += x * p;
    second += x * x * p;
    below += p;
    const freeWith = 1 - lambda * first;
    const waiting = (lambda * (second + x * x * Math.max(0, 1 - below))) / (2 * freeBefore * freeWith);
    total += p * (waiting + residence);
    last = x;
  }
  return total;
}

/** Mean completion time of M/G/1-FIFO by Pollaczek and Khinchine. */
export function fifoMean(distribution: LengthDistribution, load: number): number {
  const share = distribution.probabilities();
  const second = share.reduce((sum, p, i) => sum + p * distribution.lengthsBytes[i]! ** 2, 0);
  const mean = distribution.meanBytes;
  return mean + ((load / mean) * second) / (2 * (1 - load));
}

/**
 * The mean of `values`, one per seed, corrected by control variates: figures of the same runs whose true mean is
 * known. The regression's intercept is the estimate, its standard error gives the interval (half-width with `t`, the
 * quantile of Student's t for values.length - controls.length - 1 degrees of freedom).
 */
export function controlledMean(
  values: readonly number[],
  controls: readonly { values: readonly number[]; expected: number }[],
  t: (degrees: number) => number,
): { mean: number; half: number } {
  const columns = [
    values.map(() => 1),
    ...controls.map((control) => control.values.map((v) => v / control.expected - 1)),
  ];
  const m = columns.length;
  const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((s, v, i) => s + v * b[i]!, 0);
  // Gauss-Jordan on the normal equations beside the unit matrix.
  const rows = columns.map((a, i) => [
    ...columns.map((b) => dot(a, b)),
    ...columns.map((_, j) => (i === j ? 1 : 0)),
  ]);
  for (let c = 0; c < m; c++) {
    const pivot = rows[c]![c]!;
    rows[c] = rows[c]!.map((v) => v / pivot);
    for (let r = 0; r < m; r++) {
      const factor = rows[r]![c]!;
      if (r !== c) rows[r] = rows[r]!.map((v, j) => v - factor * rows[c]![j]!);
    }
  }
  const inverse = rows.map((row) => row.slice(m));
  const right = columns.map((column) => dot(column, values));
  const weights = inverse.map((row) => dot(row, right));
  const residuals = values.map(
    (v, i) => v - columns.reduce((s, column, j) => s + weights[j]! * column[i]!, 0),
  );
  const degrees = values.length - m;
  const variance = dot(residuals, residuals) / degrees;
  return { mean: weights[0]!, half: t(degrees) * Math.sqrt(variance * inverse[0]![0]!) };
}
