// SPDX-License-Identifier: Apache-2.0
import { DoubleHeap } from '../double-heap.js';
import { keyOf, messageOf, type Messages } from '../messages.js';
import { Ring } from '../ring.js';
import { MORE, type Strategy, type StrategySetup } from '../strategy.js';

/** What the PIFO-like strategies share: N sorted slots whose smallest is served. What lies behind is theirs. */
export abstract class SortedSlots implements Strategy {
  highWater = 0;
  lowWater = 0;
  moves = 0;
  nextEvent = Infinity;
  protected readonly messages: Messages;
  protected readonly entries: number;
  protected readonly refillCycles: number;
  protected readonly sorted = new DoubleHeap();

  constructor(setup: StrategySetup) {
    this.messages = setup.messages;
    this.entries = setup.entries;
    this.refillCycles = setup.refillCycles;
  }
  get occupancy(): number {
    return this.sorted.size;
  }
  abstract get behind(): number;
  arrive(message: number, cycle: number): void {
    this.place(keyOf(this.messages.remaining[message]!, message), cycle);
    this.settle(cycle);
  }
  head(): number {
    return this.sorted.size === 0 ? -1 : messageOf(this.sorted.min);
  }
  burstUnits(): number {
    return Infinity;
  }
  depart(message: number, cycle: number, outcome: number): void {
    if (outcome === MORE) this.sorted.lowerMin(keyOf(this.messages.remaining[message]!, message));
    else {
      this.sorted.popMin();
      this.freed();
      this.settle(cycle);
    }
  }
  step(cycle: number): void {
    this.settle(cycle);
  }
  /** A slot became free. */
  protected freed(): void {
    // Most strategies look at it in settle().
  }
  /** Puts a key into the slots, or behind them. */
  protected abstract place(key: number, cycle: number): void;
  /** Does what is due at `cycle`, starts what can start, and sets nextEvent. */
  protected abstract settle(cycle: number): void;
}

/** Sorted slots with a store behind, from which one entry at a time is on its way back. */
export abstract class RefilledSlots extends SortedSlots {
  protected flying = -1; // the key on its way from the store to the slots

  /** Takes out of the store the key that should start on its way back now; -1 for none. */
  protected abstract take(): number;
  /** Puts a key that has arrived from the store where it belongs. */
  protected abstract land(key: number, cycle: number): void;

  protected settle(cycle: number): void {
    for (;;) {
      if (this.flying >= 0) {
        if (this.nextEvent > cycle) return;
        const key = this.flying;
        this.flying = -1;
        this.nextEvent = Infinity;
        this.land(key, cycle);
      }
      this.flying = this.take();
      if (this.flying < 0) return;
      this.moves++;
      this.nextEvent = cycle + this.refillCycles;
    }
  }
}

/** Sorted slots with a first-in first-out store behind. */
export abstract class FifoBehind extends RefilledSlots {
  protected readonly store = new Ring(); // keys

  get behind(): number {
    return this.store.size + (this.flying >= 0 ? 1 : 0);
  }
  /** True when an entry of the store, which is not empty, should start on its way back. */
  protected abstract wants(): boolean;

  protected take(): number {
    return this.store.size === 0 || !this.wants() ? -1 : this.store.shift();
  }
  protected land(key: number, cycle: number): void {
    this.place(key, cycle);
  }
  /** Sorts a key in; when that is one too many, the largest goes to the end of the store. */
  protected place(key: number, _cycle: number): void {
    this.sorted.push(key);
    if (this.sorted.size > this.entries) {
      this.store.push(this.sorted.popMax());
      this.highWater++;
      this.moves++;
    }
  }
}
