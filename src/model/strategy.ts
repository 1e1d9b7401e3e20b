// SPDX-License-Identifier: Apache-2.0
import type { Messages } from './messages.js';

/** What became of a message whose packets were sent. */
export const MORE = 0; // it wants to send more
export const DONE = 1; // it is finished
export const WAITS = 2; // it waits for a grant and comes back by arrive()

/** A scheduler under test. Cycles never decrease from call to call; remaining lengths are in `messages.remaining`. */
export interface Strategy {
  /** Sorted slots in use. */
  readonly occupancy: number;
  /** Messages kept behind the sorted slots, those on the way back included. */
  readonly behind: number;
  /** Times the queue was too full (spill) and times it called for a refill. */
  readonly highWater: number;
  readonly lowWater: number;
  /** Entries moved between the store behind and the slots. */
  readonly moves: number;
  /** Cycle of the next thing that happens in here by itself; Infinity when nothing will. */
  readonly nextEvent: number;
  /** A message wants to be sent: new, or granted again. */
  arrive(message: number, cycle: number): void;
  /** A message is known but may not be sent yet; arrive() follows. Only schedulers that keep such messages have it. */
  hold?(message: number, cycle: number): void;
  /** The message whose packet should go next; -1 when none is at hand. Changes nothing. */
  head(): number;
  /** Units the head may send before head() has to be asked again, if nothing else happens. */
  burstUnits(message: number): number;
  /** Packets of `message`, which was the head, have been sent; `remaining` is already lowered. */
  depart(message: number, cycle: number, outcome: number): void;
  /** Does what is due up to and including `cycle`. Called when nextEvent is reached. */
  step(cycle: number): void;
}

/** What a strategy is built from. */
export interface StrategySetup {
  readonly messages: Messages;
  /** Sorted slots (PIFO-like strategies, AIFO); Infinity for no bound. */
  readonly entries: number;
  /** Priority levels or queues (strict, sp-pifo). */
  readonly levels: number;
  /** Ranges behind the sorted slots (sifter). */
  readonly buckets: number;
  /** Cycles to bring one entry from the store behind to the slots (or to look at one, where a store is searched). */
  readonly refillCycles: number;
  /** Low and high water mark, in slots. */
  readonly lowMark: number;
  readonly highMark: number;
  /** Ascending upper bounds of remaining units of each level but the last (strict). */
  readonly thresholdsUnits: readonly number[];
  /** Longest message, in units. */
  readonly maxUnits: number;
}
