// SPDX-License-Identifier: Apache-2.0
import { keyOf, messageOf, remainingOf } from '../messages.js';
import { MinHeap } from '../min-heap.js';
import { SortedSlots } from './sorted-slots.js';

/**
 * PIFO with naive refill: a search walks over the whole store, one entry per refill time, and remembers the smallest;
 * at its end, as soon as a slot is free, the smallest moves in and the search starts again.
 *
 *     arrive --> [ 3 | 7 | 9 | 40 ] --> smallest first
 *                  ^           | largest, when a slot is missing
 *       smallest   |           v
 *       found      [ 412 | 55 | 90 | 61 | 700 ]   searched from end to end, again and again
 */
export class PifoNaive extends SortedSlots {
  // The search finds the smallest of all entries there are when it ends, so a heap gives the same answer; what the
  // search costs is the time at which it ends.
  private readonly store = new MinHeap();
  private searchEnd = 0;

  get behind(): number {
    return this.store.size;
  }
  protected place(key: number, cycle: number): void {
    this.sorted.push(key);
    if (this.sorted.size <= this.entries) return;
    const largest = this.sorted.popMax();
    this.store.push(remainingOf(largest), messageOf(largest));
    this.searchEnd = (this.store.size === 1 ? cycle : Math.max(this.searchEnd, cycle)) + this.refillCycles;
    this.highWater++;
    this.moves++;
  }
  protected settle(cycle: number): void {
    while (this.store.size > 0 && this.sorted.size < this.entries && this.searchEnd <= cycle) {
      const smallest = this.store.pop();
      this.sorted.push(keyOf(this.messages.remaining[smallest]!, smallest));
      this.searchEnd = cycle + this.refillCycles * this.store.size;
      this.lowWater++;
      this.moves++;
    }
    this.nextEvent = this.store.size > 0 && this.sorted.size < this.entries ? this.searchEnd : Infinity;
  }
}
