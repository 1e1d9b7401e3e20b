// SPDX-License-Identifier: Apache-2.0
import { IndexedHeap } from '../indexed-heap.js';
import { keyOf, type Messages } from '../messages.js';
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
  // The list is only ever asked for its smallest eligible entry and for its largest one.
  private readonly smallest = new IndexedHeap(); // the eligible ones of the list
  private readonly largest = new IndexedHeap(); // the whole list, by descending key
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
    return this.largest.size;
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
    return this.smallest.top;
  }
  burstUnits(): number {
    return Infinity;
  }
  depart(message: number, cycle: number, outcome: number): void {
    this.leave(message, ABSENT);
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
    else if (this.place[message] === LISTED && eligible === 1)
      this.smallest.set(message, this.keyOf(message));
    this.settle(cycle);
  }
  private keyOf(message: number): number {
    return keyOf(this.messages.remaining[message]!, message);
  }
  private insert(message: number): void {
    const key = this.keyOf(message);
    this.largest.set(message, -key);
    if (this.eligible[message] === 1) this.smallest.set(message, key);
    this.place[message] = LISTED;
    if (this.largest.size <= this.entries) return;
    const pushedOut = this.largest.top;
    this.leave(pushedOut, STORED);
    this.store.push(pushedOut);
    this.highWater++;
    this.moves++;
  }
  private leave(message: number, place: number): void {
    this.largest.delete(message);
    this.smallest.delete(message);
    this.place[message] = place;
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
      if (this.store.size === 0 || this.largest.size >= this.entries) return;
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
