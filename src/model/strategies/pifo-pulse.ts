// SPDX-License-Identifier: Apache-2.0
import { FifoBehind } from './sorted-slots.js';

/**
 * PIFO with an insertion pulse: each arrival sends, besides itself, the oldest entry of the store past the slots. If it
 * is smaller than the largest there it stays and the largest goes, else it goes to the end of the store: the store turns
 * round and nothing small stays behind for long. A free slot draws the oldest entry as well.
 *
 *     arrive --> [ 3 | 7 | 9 | 40 ] --> smallest first
 *       |           ^          | largest
 *       | pulse     |          v
 *       +--------> [ 55 | 90 | 61 | 412 ]   oldest first, rotating
 */
export class PifoPulse extends FifoBehind {
  private pulse = false;

  override arrive(message: number, cycle: number): void {
    if (this.store.size > 0) this.pulse = true;
    super.arrive(message, cycle);
  }
  protected wants(): boolean {
    if (this.sorted.size < this.entries) {
      this.lowWater++;
      return true;
    }
    const pulse = this.pulse;
    this.pulse = false;
    return pulse;
  }
}
