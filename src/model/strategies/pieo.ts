// SPDX-License-Identifier: Apache-2.0
import { keyOf, messageOf, type Messages } from '../messages.js';
import { Ring } from '../ring.js';
import { MORE, WAITS, type Strategy, type StrategySetup } from '../strategy.js';

const ABSENT = 0;
const LISTED = 1;
const STORED = 2;

/**
 * PIEO-like: an ordered list of N entries from which the smallest *eligible* one is taken. Messages that wait for a
 * grant or for their data keep their place (marked x) and are passed over; they also keep the slot busy.
 *
 *     arrive --> [ 3x | 7 | 9x | 40 ] --> smallest without x
 *                   ^           | largest, when a slot is missing
 *                   |           v
 *                 [ 412 | 55x | 90 ]   oldest first, when a slot is free
 */
export class Pieo implements Strategy {
  highWater = 0;
  lowWater = 0;
  moves = 0;
  nextEvent = Infinity;
  private readonly messages: Messages;
  private readonly entries: number;
  private readonly refillCycles: number;
  private readonly list: number[] = []; // keys, ascending
  private readonly store = new Ring(); // messages: their keys do not change while they are here
  private flying = -1;
  private place = new Uint8Array(1024);
  private eligible = new Uint8Array(1024);

  constructor(setup: StrategySetup) {
    this.messages = setup.messages;
    this.entries = setup.entries;
    this.refillCycles = setup.refillCycles;
  }
  get occupancy(): number {
    return this.list.length;
  }
  get behind(): number {
    return this.store.size + (this.flying >= 0 ? 1 : 0);
  }
  arrive(message: number, cycle: number): void {
    this.know(message, 1, cycle);
  }
  hold(message: number, cycle: number): void {
    this.know(message, 0, cycle);
  }
  head(): number {
    const index = this.headIndex();
    return index < 0 ? -1 : messageOf(this.list[index]!);
  }
  burstUnits(): number {
    return Infinity;
  }
  depart(message: number, cycle: number, outcome: number): void {
    this.list.splice(this.headIndex(), 1);
    this.place[message] = ABSENT;
    if (outcome === MORE || outcome === WAITS) {
      this.eligible[message] = outcome === MORE ? 1 : 0;
      this.insert(message);
    }
    this.settle(cycle);
  }
  step(cycle: number): void {
    this.settle(cycle);
  }
  private know(message: number, eligible: number, cycle: number): void {
    if (message >= this.place.length) this.grow(message);
    this.eligible[message] = eligible;
    if (this.place[message] === ABSENT) this.insert(message);
    this.settle(cycle);
  }
  private headIndex(): number {
    for (let i = 0; i < this.list.length; i++) if (this.eligible[messageOf(this.list[i]!)] === 1) return i;
    return -1;
  }
  private insert(message: number): void {
    const key = keyOf(this.messages.remaining[message]!, message);
    let low = 0;
    let high = this.list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.list[middle]! < key) low = middle + 1;
      else high = middle;
    }
    this.list.splice(low, 0, key);
    this.place[message] = LISTED;
    if (this.list.length <= this.entries) return;
    const largest = messageOf(this.list.pop()!);
    this.place[largest] = STORED;
    this.store.push(largest);
    this.highWater++;
    this.moves++;
  }
  private settle(cycle: number): void {
    for (;;) {
      if (this.flying >= 0) {
        if (this.nextEvent > cycle) return;
        const message = this.flying;
        this.flying = -1;
        this.nextEvent = Infinity;
        this.insert(message);
      }
      if (this.store.size === 0 || this.list.length >= this.entries) return;
      this.flying = this.store.shift();
      this.lowWater++;
      this.moves++;
      this.nextEvent = cycle + this.refillCycles;
    }
  }
  private grow(message: number): void {
    const size = Math.max(message + 1, this.place.length * 2);
    const copy = (from: Uint8Array): Uint8Array<ArrayBuffer> => {
      const to = new Uint8Array(size);
      to.set(from);
      return to;
    };
    this.place = copy(this.place);
    this.eligible = copy(this.eligible);
  }
}
