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
    const waiting =
      (lambda * (second + (x * x * f) / 2 + x * x * (1 - below - f / 2))) / (2 * free * free);
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
