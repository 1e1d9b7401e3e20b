// SPDX-License-Identifier: Apache-2.0
import { Collector } from './collector.js';
import { IndexedHeap } from './indexed-heap.js';
import { keyOf, type Messages } from './messages.js';
import { Ring } from './ring.js';
import type { ModelSettings } from './settings.js';
import { DONE, MORE, WAITS, type Strategy } from './strategy.js';

/** Told of each completion: the message and the cycle its completion counts at. */
export interface CompletionSink {
  completed(message: number, cycle: number): void;
}

/** How a run stood when it ended. */
export interface EngineOutcome {
  readonly endCycle: number;
  readonly arrived: number;
  readonly unitsIn: number;
  readonly unitsLeft: number;
  /** Of the units sent, those whose time on the link lies behind the end. */
  readonly unitsOnLink: number;
  readonly highWater: number;
  readonly lowWater: number;
  readonly moves: number;
  readonly collector: Collector;
}

/** A run in progress. */
export interface Simulation {
  /**
   * Runs to the end: the last measured completion, or, with the original's accounting, the asked number of them. Stops
   * after `steps` steps with undefined; call again to go on.
   */
  run(steps?: number): EngineOutcome | undefined;
}

/** Work of the first `count` messages, and what of it is left. */
export function unitsOf(messages: Messages, count: number): { unitsIn: number; unitsLeft: number } {
  let unitsIn = 0;
  let unitsLeft = 0;
  for (let i = 0; i < count; i++) {
    unitsIn += messages.lengthUnits[i]!;
    unitsLeft += messages.remaining[i]!;
  }
  return { unitsIn, unitsLeft };
}

/**
 * The event-driven simulation. In each cycle, in this order: an insertion that ends becomes visible to the strategy;
 * messages granted again, with data, and new ones ask to be inserted (at once, where inserting costs nothing); the
 * strategy does what is due; the link, if free, takes a packet of the strategy's head; the queue, if free, begins the
 * next insertion. Cycles in which nothing of this can happen are skipped, and a head that nothing can replace sends
 * its packets in one step.
 */
export class Engine implements Simulation {
  readonly collector = new Collector();
  private readonly smallest: IndexedHeap | undefined;
  private readonly input = new Ring(); // messages that wait to be inserted
  private readonly granted = new Ring(); // messages that wait for a grant
  private readonly grantedAt = new Ring();
  private readonly fetching = new Ring(); // messages that wait for their data
  private readonly credit: Map<number, number> | undefined;
  private cycle = 0;
  private next = 0; // the next message to arrive
  private arrival = Infinity; // when it does
  private inserting = -1;
  private insertEnd = Infinity;
  private linkFree = 0;
  private queueFree = 0;
  private waiting = 0; // messages that could be sent if the scheduler were perfect
  private inQueue = 0; // of these, those the strategy knows
  private toComplete: number;
  private before = { highWater: 0, lowWater: 0, moves: 0 };

  constructor(
    private readonly settings: ModelSettings,
    private readonly messages: Messages,
    private readonly strategy: Strategy,
    private readonly sink: CompletionSink,
  ) {
    const needed = settings.checkInversions || settings.strategy !== 'exact';
    this.smallest = needed ? new IndexedHeap() : undefined;
    this.credit = settings.windowUnits > 0 ? new Map<number, number>() : undefined;
    this.toComplete = settings.messages - settings.warmup;
    this.arrival = messages.has(0) ? messages.arrivalCycle[0]! : Infinity;
  }

  run(steps = Infinity): EngineOutcome | undefined {
    const { strategy, settings } = this;
    for (let step = 0; this.toComplete > 0; step++) {
      if (step >= steps) return undefined;
      if (this.insertEnd <= this.cycle) this.endInsertion();
      this.admit();
      if (strategy.nextEvent <= this.cycle) strategy.step(this.cycle);
      if (this.linkFree <= this.cycle && this.queueFree <= this.cycle) this.send();
      if (this.toComplete === 0) break;
      if (settings.insertCycles > 0) this.beginInsertion();
      const then = this.nextCycle();
      if (then === Infinity) break;
      this.pass(then);
    }
    return this.outcome();
  }

  private outcome(): EngineOutcome {
    const { messages, settings, strategy } = this;
    const endCycle = settings.originalAccounting ? this.cycle : Math.max(this.cycle, this.linkFree);
    return {
      endCycle,
      arrived: this.next,
      ...unitsOf(messages, this.next),
      unitsOnLink: Math.max(0, this.linkFree - endCycle),
      highWater: strategy.highWater - this.before.highWater,
      lowWater: strategy.lowWater - this.before.lowWater,
      moves: strategy.moves - this.before.moves,
      collector: this.collector,
    };
  }

  /** What arrives, is granted or has its data by now asks to be inserted. */
  private admit(): void {
    const { cycle, settings, messages } = this;
    while (this.granted.size > 0 && this.grantedAt.at(0) <= cycle) {
      this.grantedAt.shift();
      this.ask(this.granted.shift());
    }
    while (this.fetching.size > 0 && this.dataCycle() <= cycle) this.ask(this.fetching.shift());
    while (this.arrival <= cycle) {
      const message = this.next++;
      // At the first as well: what V8 has never seen done, it would have to optimize all of this again for.
      if (message === 0 || message === settings.warmup) this.restart();
      this.credit?.set(message, settings.windowUnits);
      if (settings.dataDelayCycles > 0) {
        this.fetching.push(message);
        this.strategy.hold?.(message, cycle);
      } else this.ask(message);
      this.arrival = messages.has(this.next) ? messages.arrivalCycle[this.next]! : Infinity;
    }
  }

  private restart(): void {
    const { strategy } = this;
    this.collector.restart(this.arrival);
    this.before = { highWater: strategy.highWater, lowWater: strategy.lowWater, moves: strategy.moves };
  }

  private ask(message: number): void {
    this.waiting++;
    if (this.settings.insertCycles > 0) this.input.push(message);
    else this.insert(message);
  }

  private insert(message: number): void {
    this.inQueue++;
    this.smallest?.set(message, keyOf(this.messages.remaining[message]!, message));
    this.strategy.arrive(message, this.cycle);
  }

  private beginInsertion(): void {
    if (this.inserting >= 0 || this.input.size === 0 || this.queueFree > this.cycle) return;
    this.inserting = this.input.shift();
    this.insertEnd = this.cycle + this.settings.insertCycles;
    this.queueFree = this.insertEnd;
    // The original's clock of a message starts when it is inserted.
    if (this.settings.originalAccounting) this.messages.arrivalCycle[this.inserting] = this.cycle;
  }

  private endInsertion(): void {
    const message = this.inserting;
    this.inserting = -1;
    this.insertEnd = Infinity;
    this.insert(message);
  }

  /** The link takes the head's next packet, and further ones of it up to the next event. */
  private send(): void {
    const { strategy, messages, settings, smallest } = this;
    const message = strategy.head();
    if (message < 0) return;
    const { packetUnits } = settings;
    const remaining = messages.remaining[message]!;
    const spacing = Math.max(packetUnits, settings.popCycles);
    const event = this.input.size > 0 ? this.cycle + 1 : this.nextEvent();
    let burst = Math.min(remaining, strategy.burstUnits(message));
    const credit = this.credit?.get(message) ?? Infinity;
    if (credit < burst) burst = credit;
    let packets = Math.ceil(burst / packetUnits);
    if (event < this.cycle + (packets - 1) * spacing + 1) packets = Math.ceil((event - this.cycle) / spacing);
    const units = Math.min(remaining, packets * packetUnits);
    const started = this.cycle + (packets - 1) * spacing;

    this.collector.sent(packets, remaining, packetUnits, this.smallestOther(message));
    this.collector.unitsOut += units;
    this.collector.unitsOutEver += units;
    if (started > this.cycle) {
      if (spacing > packetUnits) this.collector.underflowCycles += (packets - 1) * (spacing - packetUnits);
      this.collector.held(this.cycle, started, strategy.occupancy, strategy.behind);
    }
    this.cycle = started;
    this.linkFree = started + units - (packets - 1) * packetUnits;
    if (settings.popCycles > 0) this.queueFree = started + settings.popCycles;

    const left = remaining - units;
    messages.remaining[message] = left;
    let outcome = MORE;
    if (left === 0) outcome = DONE;
    else if (credit - units <= 0) outcome = WAITS;
    if (this.credit !== undefined) this.credit.set(message, credit - units);
    if (outcome === MORE) smallest?.set(message, keyOf(left, message));
    else {
      smallest?.delete(message);
      this.waiting--;
      this.inQueue--;
    }
    strategy.depart(message, started, outcome);
    if (outcome === DONE) this.complete(message, started);
    else if (outcome === WAITS) {
      this.credit!.set(message, settings.windowUnits);
      this.granted.push(message);
      this.grantedAt.push(this.linkFree + settings.grantDelayCycles);
    }
  }

  private complete(message: number, started: number): void {
    const { settings, collector } = this;
    this.credit?.delete(message);
    const end = settings.originalAccounting ? started : this.linkFree;
    collector.completions++;
    this.sink.completed(message, end);
    const { originalAccounting, warmup, messages } = settings;
    const begun = message >= warmup;
    const over = message >= messages;
    if (originalAccounting || (begun && !over)) this.toComplete--;
  }

  /** Smallest remaining length among the other messages that may be sent; Infinity when there is none. */
  private smallestOther(message: number): number {
    const { smallest } = this;
    if (smallest === undefined) return Infinity;
    const best = smallest.top;
    return best === message ? Infinity : this.messages.remaining[best]!;
  }

  /** The cycle of the next thing that does not follow from the link or the queue becoming free. */
  private nextEvent(): number {
    let event = this.arrival;
    if (this.insertEnd < event) event = this.insertEnd;
    if (this.strategy.nextEvent < event) event = this.strategy.nextEvent;
    if (this.granted.size > 0 && this.grantedAt.at(0) < event) event = this.grantedAt.at(0);
    if (this.fetching.size > 0 && this.dataCycle() < event) event = this.dataCycle();
    return event;
  }

  private nextCycle(): number {
    let event = this.nextEvent();
    if (this.inQueue > 0 && this.linkFree > this.cycle && this.linkFree < event) event = this.linkFree;
    const queueMatters = this.inQueue > 0 || this.input.size > 0;
    if (queueMatters && this.queueFree > this.cycle && this.queueFree < event) event = this.queueFree;
    return event;
  }

  /** Time passes up to `then`, and nothing changes meanwhile. */
  private pass(then: number): void {
    const { strategy, cycle, collector } = this;
    collector.held(cycle, then, strategy.occupancy, strategy.behind);
    const idleFrom = this.linkFree > cycle ? this.linkFree : cycle;
    const work = this.settings.originalAccounting ? this.inQueue : this.waiting;
    if (work > 0 && then > idleFrom) collector.underflowCycles += then - idleFrom;
    this.cycle = then;
  }

  private dataCycle(): number {
    const message = this.fetching.at(0);
    return this.messages.arrivalCycle[message]! + this.settings.dataDelayCycles;
  }
}
