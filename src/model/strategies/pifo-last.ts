// SPDX-License-Identifier: Apache-2.0
import { FifoBehind } from './sorted-slots.js';

/**
 * PIFO whose last slot is unsorted: what the N-1 sorted slots push out lies there until the next push-out moves it to
 * the store. A vacancy takes it at once, and the store refills the last slot ahead of need: a refill in hand hides the
 * time to the store, but the last slot holds the latest, not the smallest.
 *
 *     arrive --> [ 3 | 7 | 9 ] --> smallest first
 *                  ^       | largest, when a slot is missing
 *                  |       v
 *                 [ 40 ]          the last slot
 *                  ^       | what lay there
 *                  |       v
 *                 [ 412 | 55 | 90 ]   oldest first
 */
export class PifoLast extends FifoBehind {
  private last = -1;

  override get occupancy(): number {
    return this.sorted.size + (this.last >= 0 ? 1 : 0);
  }
  protected wants(): boolean {
    if (this.last >= 0) return false;
    this.lowWater++;
    return true;
  }
  protected override place(key: number): void {
    this.sorted.push(key);
    if (this.sorted.size <= this.entries - 1) return;
    if (this.last >= 0) {
      this.store.push(this.last);
      this.highWater++;
      this.moves++;
    }
    this.last = this.sorted.popMax();
  }
  protected override freed(): void {
    if (this.last < 0) return;
    this.sorted.push(this.last);
    this.last = -1;
  }
}
