// SPDX-License-Identifier: Apache-2.0
import type { Messages } from '../messages.js';
import { Ring } from '../ring.js';
import { MORE, type Strategy, type StrategySetup } from '../strategy.js';

/** How many recent lengths an arrival is compared with. */
const WINDOW = 32;
/** Share of the queue that is open to every rank. */
const HEADROOM = 0.1;

/**
 * AIFO: one FIFO of N entries with a doorman. An arrival is let in when its rank among the recent arrivals is low enough
 * for the room that is left. The original drops the others; messages cannot be dropped, so they wait behind and are let
 * in, oldest first, when the queue runs low.
 *
 *     arrive --> rank <= room? --> [ 7 | 3 | 9 | 5 ] --> oldest first
 *                   | no               ^
 *                   v                  | when low
 *                 [ 412 | 55 | 90 ] ---+
 */
export class Aifo implements Strategy {
  highWater = 0;
  lowWater = 0;
  moves = 0;
  nextEvent = Infinity;
  private readonly messages: Messages;
  private readonly entries: number;
  private readonly refillCycles: number;
  private readonly lowMark: number;
  private readonly queue = new Ring();
  private readonly store = new Ring();
  private readonly window = new Ring();
  private flying = -1;

  constructor(setup: StrategySetup) {
    this.messages = setup.messages;
    this.entries = setup.entries;
    this.refillCycles = setup.refillCycles;
    this.lowMark = setup.lowMark;
  }
  get occupancy(): number {
    return this.queue.size;
  }
  get behind(): number {
    return this.store.size + (this.flying >= 0 ? 1 : 0);
  }
  arrive(message: number, cycle: number): void {
    const rank = this.messages.remaining[message]!;
    let smaller = 0;
    for (let i = 0; i < this.window.size; i++) if (this.window.at(i) < rank) smaller++;
    const quantile = this.window.size === 0 ? 0 : smaller / this.window.size;
    this.window.push(rank);
    if (this.window.size > WINDOW) this.window.shift();
    const room = this.entries === Infinity ? 1 : (this.entries - this.queue.size) / this.entries;
    if (room > 0 && quantile * (1 - HEADROOM) <= room) this.queue.push(message);
    else {
      this.store.push(message);
      this.highWater++;
      this.moves++;
    }
    this.settle(cycle);
  }
  head(): number {
    return this.queue.size === 0 ? -1 : this.queue.at(0);
  }
  burstUnits(): number {
    return Infinity;
  }
  depart(_message: number, cycle: number, outcome: number): void {
    if (outcome === MORE) return;
    this.queue.shift();
    this.settle(cycle);
  }
  step(cycle: number): void {
    this.settle(cycle);
  }
  private settle(cycle: number): void {
    for (;;) {
      if (this.flying >= 0) {
        if (this.nextEvent > cycle) return;
        this.nextEvent = Infinity;
        // Arrivals may have taken the room meanwhile: then back to the end of the store.
        if (this.queue.size < this.entries) this.queue.push(this.flying);
        else this.store.push(this.flying);
        this.flying = -1;
      }
      if (this.store.size === 0 || this.queue.size > this.lowMark) return;
      this.flying = this.store.shift();
      this.lowWater++;
      this.moves++;
      this.nextEvent = cycle + this.refillCycles;
    }
  }
}
