// SPDX-License-Identifier: Apache-2.0
import type { StrategySetup } from '../strategy.js';
import { FifoBehind } from './sorted-slots.js';

/**
 * PIFO with high and low water marks: traffic to the store comes in bursts. Too full: the largest go to the store until
 * the high mark is reached. At the low mark or under: the oldest of the store come back until the high mark is reached.
 *
 *                    low       high
 *     arrive --> [ 3 | 7 | 9 | 40 | - | - ] --> smallest first
 *                      ^         | burst down to high, when a slot is missing
 *       burst up to    |         v
 *       high, at low   [ 412 | 55 | 90 | 61 ]   oldest first
 */
export class PifoWatermark extends FifoBehind {
  private readonly lowMark: number;
  private readonly highMark: number;
  private filling = false;

  constructor(setup: StrategySetup) {
    super(setup);
    this.lowMark = setup.lowMark;
    this.highMark = setup.highMark;
  }
  protected wants(): boolean {
    if (!this.filling && this.sorted.size <= this.lowMark) {
      this.filling = true;
      this.lowWater++;
    }
    if (this.sorted.size >= this.highMark) this.filling = false;
    return this.filling;
  }
  protected override place(key: number): void {
    this.sorted.push(key);
    if (this.sorted.size <= this.entries) return;
    this.highWater++;
    while (this.sorted.size > this.highMark) {
      this.store.push(this.sorted.popMax());
      this.moves++;
    }
  }
}
