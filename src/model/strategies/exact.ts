// SPDX-License-Identifier: Apache-2.0
import { MinHeap } from '../min-heap.js';
import type { Messages } from '../messages.js';
import { MORE, type Strategy, type StrategySetup } from '../strategy.js';

/**
 * Exact SRPT: one sorted queue without bound. What every other strategy is measured against.
 *
 *     arrive --> [ 3 | 7 | 9 | 40 | 412 | ... as many as there are ] --> smallest remaining first
 */
export class Exact implements Strategy {
  readonly behind = 0;
  readonly highWater = 0;
  readonly lowWater = 0;
  readonly moves = 0;
  readonly nextEvent = Infinity;
  private readonly messages: Messages;
  private readonly queue = new MinHeap();

  constructor(setup: StrategySetup) {
    this.messages = setup.messages;
  }
  get occupancy(): number {
    return this.queue.size;
  }
  arrive(message: number): void {
    this.queue.push(this.messages.remaining[message]!, message);
  }
  head(): number {
    return this.queue.top;
  }
  burstUnits(): number {
    return Infinity;
  }
  depart(message: number, _cycle: number, outcome: number): void {
    if (outcome === MORE) this.queue.lowerTop(this.messages.remaining[message]!);
    else this.queue.pop();
  }
  step(): void {
    // Nothing happens between arrivals and departures.
  }
}
