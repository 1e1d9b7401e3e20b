// SPDX-License-Identifier: Apache-2.0
import { Ring } from '../ring.js';
import { MORE, type Strategy } from '../strategy.js';

/**
 * First in, first out, whole messages: what a card without a scheduler does.
 *
 *     arrive --> [ 412 | 3 | 40 | 7 | ... ] --> oldest first
 */
export class Fifo implements Strategy {
  readonly behind = 0;
  readonly highWater = 0;
  readonly lowWater = 0;
  readonly moves = 0;
  readonly nextEvent = Infinity;
  private readonly queue = new Ring();

  get occupancy(): number {
    return this.queue.size;
  }
  arrive(message: number): void {
    this.queue.push(message);
  }
  head(): number {
    return this.queue.size === 0 ? -1 : this.queue.at(0);
  }
  burstUnits(): number {
    return Infinity;
  }
  depart(_message: number, _cycle: number, outcome: number): void {
    if (outcome !== MORE) this.queue.shift();
  }
  step(): void {
    // Nothing happens between arrivals and departures.
  }
}
