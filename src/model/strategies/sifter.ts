// SPDX-License-Identifier: Apache-2.0
import { remainingOf } from '../messages.js';
import { Ring } from '../ring.js';
import type { StrategySetup } from '../strategy.js';
import { RefilledSlots } from './sorted-slots.js';

/**
 * In Sifter's manner: a small PIFO in front of unsorted buckets, each a range of remaining lengths. What is smaller than
 * the largest slot, or belongs before every bucket in use, goes into the slots; all else into its bucket. When the slots
 * run low, the lowest bucket is sifted: its entries pass through the slots one by one, and the smallest stay.
 *
 *     arrive --> [ 3 | 7 | 9 | - | - ] --> smallest first
 *        |         ^             | largest, when a slot is missing
 *        |  sift   |             v
 *        +-----> [ 12 | 15 | 13 ]  [ 40 | 55 | 61 ]  [ 412 | 700 ]
 *                  1 to 16           17 to 64          65 to 1024
 */
export class Sifter extends RefilledSlots {
  private readonly buckets: Ring[] = [];
  private readonly bounds: number[];
  private readonly lowMark: number;
  private stored = 0;
  private sifted = 0; // the bucket of the pass
  private left = 0; // entries of the pass still to come

  constructor(setup: StrategySetup) {
    super(setup);
    this.lowMark = setup.lowMark;
    this.bounds = bucketBounds(setup.buckets, setup.maxUnits);
    this.buckets = this.bounds.map(() => new Ring());
  }
  get behind(): number {
    return this.stored + (this.flying >= 0 ? 1 : 0);
  }
  protected place(key: number): void {
    const fits = this.sorted.size < this.entries && this.bucketOf(key) < this.lowest();
    if (key < this.sorted.max || fits) this.land(key);
    else this.store(key);
  }
  protected take(): number {
    const full = this.sorted.size >= this.entries && this.bucketOf(this.sorted.max) < this.sifted;
    if (this.buckets[this.sifted]!.size === 0 || full) this.left = 0;
    if (this.left === 0) {
      if (this.stored === 0 || this.sorted.size > this.lowMark) return -1;
      this.sifted = this.lowest();
      this.left = this.buckets[this.sifted]!.size;
      this.lowWater++;
    }
    this.left--;
    this.stored--;
    return this.buckets[this.sifted]!.shift();
  }
  protected land(key: number): void {
    this.sorted.push(key);
    if (this.sorted.size <= this.entries) return;
    this.store(this.sorted.popMax());
    this.highWater++;
  }
  private store(key: number): void {
    this.buckets[this.bucketOf(key)]!.push(key);
    this.stored++;
    this.moves++;
  }
  /** The lowest bucket in use; past the last one when all are empty. */
  private lowest(): number {
    if (this.stored === 0) return this.buckets.length;
    let bucket = 0;
    while (this.buckets[bucket]!.size === 0) bucket++;
    return bucket;
  }
  private bucketOf(key: number): number {
    const remaining = remainingOf(key);
    let low = 0;
    let high = this.bounds.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.bounds[middle]! >= remaining) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/**
 * Upper bounds of `count` ranges of remaining units that cover 1 to `maxUnits` in about equal ratios (fewer where
 * whole units leave no room). The ratio is found by repeated integer steps, without a library logarithm.
 */
export function bucketBounds(count: number, maxUnits: number): number[] {
  const steps = (ratio: number): number[] => {
    const bounds: number[] = [];
    for (let bound = 1; bound < maxUnits; bound = Math.max(bound + 1, Math.floor(bound * ratio))) {
      bounds.push(bound);
      if (bounds.length > count) break;
    }
    bounds.push(maxUnits);
    return bounds;
  };
  if (count <= 1 || maxUnits <= 1) return [maxUnits];
  let low = 1;
  let high = maxUnits;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (steps(middle).length > count) low = middle;
    else high = middle;
  }
  return steps(high);
}
