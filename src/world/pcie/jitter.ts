// SPDX-License-Identifier: Apache-2.0
import type { Random } from '../../random/random.js';
import type { JitterParameters, PcieProfile } from './profile.js';

const OCTAVES = 5;

/** Draws of a profile's jitter, whole picoseconds, 0 or more; a seeded stream each, integer arithmetic. */
export class Jitter {
  private readonly parameters: JitterParameters;
  private readonly random: Random;
  private readonly tailThreshold: number;
  private untilOutlier: number;

  constructor(parameters: JitterParameters, random: Random) {
    this.parameters = parameters;
    this.random = random;
    this.tailThreshold = Math.round(parameters.tailChance * 4_294_967_296);
    this.untilOutlier = this.drawInterval();
  }

  /** The extra time of one round trip. */
  drawPs(): number {
    const p = this.parameters;
    const random = this.random;
    // Twelve bytes: mean 1530, deviation 255.998 (12 x 65535/12 under the root).
    const pairs =
      bytePairs(random.nextUint32()) + bytePairs(random.nextUint32()) + bytePairs(random.nextUint32());
    const sum = (pairs & 0xffff) + (pairs >>> 16) - 1530;
    let extra = p.bellMeanPs + Math.trunc((sum * p.bellDeviationPs) / 256);
    if (extra < 0) extra = 0;
    if (random.nextUint32() < this.tailThreshold)
      extra += Math.floor(random.nextExponential() * p.tailMeanPs);
    if (--this.untilOutlier <= 0) {
      extra += this.drawOutlierPs();
      this.untilOutlier = this.drawInterval();
    }
    return extra;
  }

  private drawInterval(): number {
    const half = Math.max(1, Math.floor(this.parameters.outlierInterval / 2));
    return half + this.random.nextBelow(2 * half);
  }

  private drawOutlierPs(): number {
    const top = Math.floor(this.parameters.outlierMaxPs / 2 ** this.random.nextBelow(OCTAVES));
    return top - this.random.nextBelow(Math.floor(top / 2));
  }
}

/** The bytes of a word, two by two: the sum of one pair in the lower half, of the other in the upper. */
function bytePairs(word: number): number {
  return (word & 0x00ff00ff) + ((word >>> 8) & 0x00ff00ff);
}

/** Time from a seen result to the next call of a program that only measures, whole picoseconds. */
export function drawTurnaroundPs(profile: PcieProfile, random: Random): number {
  return profile.turnaroundMinPs + Math.floor(random.nextErlang(2) * profile.turnaroundMeanPs);
}
