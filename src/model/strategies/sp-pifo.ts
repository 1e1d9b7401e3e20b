// SPDX-License-Identifier: Apache-2.0
import type { Messages } from '../messages.js';
import { Ring } from '../ring.js';
import { MORE, type Strategy, type StrategySetup } from '../strategy.js';

/**
 * SP-PIFO: k FIFOs in strict priority whose bounds follow the traffic. An arrival goes into the last queue whose bound
 * it reaches and raises that bound to itself; one below all bounds goes into the first queue and lowers every bound by
 * what it was short of. A message keeps its place until it is finished.
 *
 *     bound  2 --> [ 3 | 2 ]    --> served first
 *     bound 12 --> [ 40 | 12 ]  --> when the one above is empty
 *     bound 90 --> [ 412 ]      --> when all above are empty
 */
export class SpPifo implements Strategy {
  readonly behind = 0;
  readonly highWater = 0;
  readonly lowWater = 0;
  readonly moves = 0;
  readonly nextEvent = Infinity;
  occupancy = 0;
  private readonly messages: Messages;
  private readonly bounds: Float64Array;
  private readonly queues: Ring[];

  constructor(setup: StrategySetup) {
    this.messages = setup.messages;
    this.bounds = new Float64Array(setup.levels);
    this.queues = Array.from({ length: setup.levels }, () => new Ring());
  }
  arrive(message: number): void {
    this.occupancy++;
    const rank = this.messages.remaining[message]!;
    for (let level = this.queues.length - 1; level >= 0; level--) {
      if (rank < this.bounds[level]!) continue;
      this.bounds[level] = rank;
      this.queues[level]!.push(message);
      return;
    }
    const short = this.bounds[0]! - rank;
    for (let level = 0; level < this.bounds.length; level++) this.bounds[level]! -= short;
    this.queues[0]!.push(message);
  }
  head(): number {
    const queue = this.served();
    return queue === undefined ? -1 : queue.at(0);
  }
  burstUnits(): number {
    return Infinity;
  }
  depart(_message: number, _cycle: number, outcome: number): void {
    if (outcome === MORE) return;
    this.served()!.shift();
    this.occupancy--;
  }
  step(): void {
    // Nothing happens between arrivals and departures.
  }
  private served(): Ring | undefined {
    for (let level = 0; level < this.queues.length; level++) {
      if (this.queues[level]!.size > 0) return this.queues[level];
    }
    return undefined;
  }
}
