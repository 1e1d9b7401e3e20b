// SPDX-License-Identifier: Apache-2.0
import type { Messages } from '../messages.js';
import { Ring } from '../ring.js';
import { MORE, type Strategy, type StrategySetup } from '../strategy.js';

/**
 * Strict priorities: k FIFOs by remaining length; a message moves up a level when its rest gets short enough.
 *
 *     remaining <= t1 --> [ 3 | 2 ]        --> served first
 *     remaining <= t2 --> [ 40 | 38 | 12 ] --> when the one above is empty
 *     the rest        --> [ 412 ]          --> when all above are empty
 */
export class Strict implements Strategy {
  readonly behind = 0;
  readonly highWater = 0;
  readonly lowWater = 0;
  readonly moves = 0;
  readonly nextEvent = Infinity;
  occupancy = 0;
  private readonly messages: Messages;
  private readonly thresholds: readonly number[];
  private readonly queues: Ring[];

  constructor(setup: StrategySetup) {
    this.messages = setup.messages;
    this.thresholds = setup.thresholdsUnits;
    this.queues = Array.from({ length: this.thresholds.length + 1 }, () => new Ring());
  }
  arrive(message: number): void {
    this.queues[this.levelOf(message)]!.push(message);
    this.occupancy++;
  }
  head(): number {
    const level = this.servedLevel();
    return level < 0 ? -1 : this.queues[level]!.at(0);
  }
  burstUnits(message: number): number {
    const level = this.servedLevel();
    return level === 0 ? Infinity : this.messages.remaining[message]! - this.thresholds[level - 1]!;
  }
  depart(message: number, _cycle: number, outcome: number): void {
    const level = this.servedLevel();
    if (outcome !== MORE) {
      this.queues[level]!.shift();
      this.occupancy--;
      return;
    }
    const next = this.levelOf(message);
    if (next === level) return;
    this.queues[level]!.shift();
    this.queues[next]!.push(message);
  }
  step(): void {
    // Nothing happens between arrivals and departures.
  }
  private levelOf(message: number): number {
    const remaining = this.messages.remaining[message]!;
    let level = 0;
    while (level < this.thresholds.length && remaining > this.thresholds[level]!) level++;
    return level;
  }
  private servedLevel(): number {
    for (let level = 0; level < this.queues.length; level++) if (this.queues[level]!.size > 0) return level;
    return -1;
  }
}
