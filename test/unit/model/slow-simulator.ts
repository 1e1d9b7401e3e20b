// SPDX-License-Identifier: Apache-2.0
// An obviously correct simulator to hold the event-driven one against: one step a cycle, plain arrays, sorted anew
// whenever an order is needed. It shares no scheduling code with src/model.
import type { ModelSettings } from '#src/model/settings.js';
import { bucketBounds } from '#src/model/strategies/sifter.js';

export interface Arrival {
  readonly cycle: number;
  readonly units: number;
}

export interface SlowMessage {
  id: number;
  arrival: number;
  length: number;
  remaining: number;
  credit: number;
}
type Outcome = 'more' | 'done' | 'waits';

const before = (a: SlowMessage, b: SlowMessage): number => a.remaining - b.remaining || a.id - b.id;
const bySize = (list: SlowMessage[]): SlowMessage[] => [...list].sort(before);
const without = (list: SlowMessage[], message: SlowMessage): void => {
  list.splice(list.indexOf(message), 1);
};

/** A scheduler in its plainest form. */
abstract class SlowQueue {
  highWater = 0;
  lowWater = 0;
  moves = 0;
  constructor(
    protected readonly entries: number,
    protected readonly refill: number,
    protected readonly low: number,
    protected readonly high: number,
  ) {}
  abstract sortedCount(): number;
  abstract behindCount(): number;
  abstract arrive(message: SlowMessage, cycle: number): void;
  hold(_message: SlowMessage, _cycle: number): void {
    // unknown until it may be sent
  }
  abstract head(): SlowMessage | undefined;
  abstract depart(message: SlowMessage, cycle: number, outcome: Outcome): void;
  tick(_cycle: number): void {
    // nothing of its own
  }
}

class SlowExact extends SlowQueue {
  list: SlowMessage[] = [];
  sortedCount(): number {
    return this.list.length;
  }
  behindCount(): number {
    return 0;
  }
  arrive(message: SlowMessage): void {
    this.list.push(message);
  }
  head(): SlowMessage | undefined {
    return bySize(this.list)[0];
  }
  depart(message: SlowMessage, _cycle: number, outcome: Outcome): void {
    if (outcome !== 'more') without(this.list, message);
  }
}

class SlowFifo extends SlowExact {
  override head(): SlowMessage | undefined {
    return this.list[0];
  }
}

class SlowStrict extends SlowQueue {
  levels: SlowMessage[][];
  constructor(private readonly thresholds: readonly number[]) {
    super(0, 0, 0, 0);
    this.levels = [...thresholds, 0].map(() => []);
  }
  level(message: SlowMessage): number {
    const found = this.thresholds.findIndex((threshold) => message.remaining <= threshold);
    return found < 0 ? this.thresholds.length : found;
  }
  sortedCount(): number {
    return this.levels.flat().length;
  }
  behindCount(): number {
    return 0;
  }
  arrive(message: SlowMessage): void {
    this.levels[this.level(message)]!.push(message);
  }
  head(): SlowMessage | undefined {
    return this.levels.find((level) => level.length > 0)?.[0];
  }
  depart(message: SlowMessage, _cycle: number, outcome: Outcome): void {
    const now = this.levels.findIndex((level) => level.includes(message));
    if (outcome === 'more' && this.level(message) === now) return;
    without(this.levels[now]!, message);
    if (outcome === 'more') this.levels[this.level(message)]!.push(message);
  }
}

class SlowSpPifo extends SlowStrict {
  bounds: number[];
  constructor(count: number) {
    super(new Array<number>(count - 1).fill(0));
    this.bounds = new Array<number>(count).fill(0);
  }
  override arrive(message: SlowMessage): void {
    for (let i = this.bounds.length - 1; i >= 0; i--) {
      if (message.remaining >= this.bounds[i]!) {
        this.bounds[i] = message.remaining;
        this.levels[i]!.push(message);
        return;
      }
    }
    const cost = this.bounds[0]! - message.remaining;
    this.bounds = this.bounds.map((bound) => bound - cost);
    this.levels[0]!.push(message);
  }
  override depart(message: SlowMessage, _cycle: number, outcome: Outcome): void {
    if (outcome !== 'more')
      without(
        this.levels.find((level) => level.includes(message))!,
        message,
      );
  }
}

class SlowNaive extends SlowQueue {
  slots: SlowMessage[] = [];
  store: SlowMessage[] = [];
  looked = 0;
  lookEnds = Infinity;
  sortedCount(): number {
    return this.slots.length;
  }
  behindCount(): number {
    return this.store.length;
  }
  arrive(message: SlowMessage, cycle: number): void {
    this.slots.push(message);
    if (this.slots.length > this.entries) {
      const largest = bySize(this.slots).at(-1)!;
      without(this.slots, largest);
      if (this.looked === this.store.length) this.lookEnds = cycle + this.refill;
      this.store.push(largest);
      this.highWater++;
      this.moves++;
    }
    this.tick(cycle);
  }
  head(): SlowMessage | undefined {
    return bySize(this.slots)[0];
  }
  depart(message: SlowMessage, cycle: number, outcome: Outcome): void {
    if (outcome === 'more') return;
    without(this.slots, message);
    this.tick(cycle);
  }
  override tick(cycle: number): void {
    for (;;) {
      if (this.looked < this.store.length && this.lookEnds <= cycle) {
        this.looked++;
        this.lookEnds += this.refill;
      } else if (
        this.store.length > 0 &&
        this.looked === this.store.length &&
        this.slots.length < this.entries
      ) {
        const smallest = bySize(this.store)[0]!;
        without(this.store, smallest);
        this.slots.push(smallest);
        this.looked = 0;
        this.lookEnds = cycle + this.refill;
        this.lowWater++;
        this.moves++;
      } else return;
    }
  }
}

/** One entry at a time on its way from a store to the slots. */
abstract class SlowFlying extends SlowQueue {
  slots: SlowMessage[] = [];
  store: SlowMessage[] = [];
  flying: { message: SlowMessage; lands: number } | undefined;
  sortedCount(): number {
    return this.slots.length;
  }
  behindCount(): number {
    return this.store.length + (this.flying ? 1 : 0);
  }
  head(): SlowMessage | undefined {
    return bySize(this.slots)[0];
  }
  arrive(message: SlowMessage, cycle: number): void {
    this.place(message);
    this.tick(cycle);
  }
  depart(message: SlowMessage, cycle: number, outcome: Outcome): void {
    if (outcome === 'more') return;
    without(this.slots, message);
    this.freed();
    this.tick(cycle);
  }
  freed(): void {
    // nothing at once
  }
  override tick(cycle: number): void {
    for (;;) {
      if (this.flying && this.flying.lands <= cycle) {
        const { message } = this.flying;
        this.flying = undefined;
        this.land(message);
      }
      if (this.flying) return;
      const message = this.fetch();
      if (!message) return;
      this.moves++;
      this.flying = { message, lands: cycle + this.refill };
    }
  }
  land(message: SlowMessage): void {
    this.place(message);
  }
  spill(): void {
    const largest = bySize(this.slots).at(-1)!;
    without(this.slots, largest);
    this.store.push(largest);
    this.moves++;
  }
  place(message: SlowMessage): void {
    this.slots.push(message);
    if (this.slots.length > this.entries) {
      this.highWater++;
      this.spill();
    }
  }
  fetch(): SlowMessage | undefined {
    if (this.store.length === 0 || !this.wants()) return undefined;
    return this.store.shift();
  }
  abstract wants(): boolean;
}

class SlowWatermark extends SlowFlying {
  burst = false;
  override place(message: SlowMessage): void {
    this.slots.push(message);
    if (this.slots.length > this.entries) {
      this.highWater++;
      while (this.slots.length > this.high) this.spill();
    }
  }
  wants(): boolean {
    if (!this.burst && this.slots.length <= this.low) {
      this.burst = true;
      this.lowWater++;
    }
    if (this.slots.length >= this.high) this.burst = false;
    return this.burst;
  }
}

class SlowPulse extends SlowFlying {
  pulse = false;
  override arrive(message: SlowMessage, cycle: number): void {
    if (this.store.length > 0) this.pulse = true;
    super.arrive(message, cycle);
  }
  wants(): boolean {
    if (this.slots.length < this.entries) {
      this.lowWater++;
      return true;
    }
    const was = this.pulse;
    this.pulse = false;
    return was;
  }
}

class SlowLast extends SlowFlying {
  last: SlowMessage | undefined;
  override sortedCount(): number {
    return this.slots.length + (this.last ? 1 : 0);
  }
  override place(message: SlowMessage): void {
    this.slots.push(message);
    if (this.slots.length < this.entries) return;
    const largest = bySize(this.slots).at(-1)!;
    without(this.slots, largest);
    if (this.last) {
      this.store.push(this.last);
      this.highWater++;
      this.moves++;
    }
    this.last = largest;
  }
  override freed(): void {
    if (this.last) this.slots.push(this.last);
    this.last = undefined;
  }
  wants(): boolean {
    if (this.last) return false;
    this.lowWater++;
    return true;
  }
}

class SlowSifter extends SlowFlying {
  bounds: number[];
  buckets: SlowMessage[][];
  pass: { bucket: number; left: number } = { bucket: 0, left: 0 };
  constructor(entries: number, refill: number, low: number, count: number, maxUnits: number) {
    super(entries, refill, low, 0);
    this.bounds = bucketBounds(count, maxUnits);
    this.buckets = this.bounds.map(() => []);
  }
  bucketOf(message: SlowMessage): number {
    return this.bounds.findIndex((bound) => message.remaining <= bound);
  }
  lowest(): number {
    const found = this.buckets.findIndex((bucket) => bucket.length > 0);
    return found < 0 ? Infinity : found;
  }
  override behindCount(): number {
    return this.buckets.flat().length + (this.flying ? 1 : 0);
  }
  override land(message: SlowMessage): void {
    this.slots.push(message);
    if (this.slots.length > this.entries) {
      const largest = bySize(this.slots).at(-1)!;
      without(this.slots, largest);
      this.buckets[this.bucketOf(largest)]!.push(largest);
      this.moves++;
      this.highWater++;
    }
  }
  override place(message: SlowMessage): void {
    const largest = bySize(this.slots).at(-1);
    const beforeAll = this.slots.length < this.entries && this.bucketOf(message) < this.lowest();
    if ((largest && before(message, largest) < 0) || beforeAll) this.land(message);
    else {
      this.buckets[this.bucketOf(message)]!.push(message);
      this.moves++;
    }
  }
  override fetch(): SlowMessage | undefined {
    const { pass } = this;
    const largest = bySize(this.slots).at(-1);
    const enough = largest && this.slots.length >= this.entries && this.bucketOf(largest) < pass.bucket;
    if (enough || this.buckets[pass.bucket]!.length === 0) pass.left = 0;
    if (pass.left === 0) {
      const lowest = this.lowest();
      if (lowest === Infinity || this.slots.length > this.low) return undefined;
      pass.bucket = lowest;
      pass.left = this.buckets[lowest]!.length;
      this.lowWater++;
    }
    pass.left--;
    return this.buckets[pass.bucket]!.shift();
  }
  wants(): boolean {
    return false;
  }
}

class SlowAifo extends SlowFlying {
  recent: number[] = [];
  override head(): SlowMessage | undefined {
    return this.slots[0];
  }
  override arrive(message: SlowMessage, cycle: number): void {
    const smaller = this.recent.filter((rank) => rank < message.remaining).length;
    const quantile = this.recent.length === 0 ? 0 : smaller / this.recent.length;
    this.recent = [...this.recent, message.remaining].slice(-32);
    const room = this.entries === Infinity ? 1 : (this.entries - this.slots.length) / this.entries;
    if (room > 0 && quantile * (1 - 0.1) <= room) this.slots.push(message);
    else {
      this.store.push(message);
      this.highWater++;
      this.moves++;
    }
    this.tick(cycle);
  }
  override land(message: SlowMessage): void {
    if (this.slots.length < this.entries) this.slots.push(message);
    else this.store.push(message);
  }
  wants(): boolean {
    if (this.slots.length > this.low) return false;
    this.lowWater++;
    return true;
  }
}

class SlowPieo extends SlowFlying {
  eligible = new Set<SlowMessage>();
  know(message: SlowMessage, cycle: number): void {
    const known =
      this.slots.includes(message) || this.store.includes(message) || this.flying?.message === message;
    if (!known) this.place(message);
    this.tick(cycle);
  }
  override arrive(message: SlowMessage, cycle: number): void {
    this.eligible.add(message);
    this.know(message, cycle);
  }
  override hold(message: SlowMessage, cycle: number): void {
    this.know(message, cycle);
  }
  override head(): SlowMessage | undefined {
    return bySize(this.slots).find((message) => this.eligible.has(message));
  }
  override depart(message: SlowMessage, cycle: number, outcome: Outcome): void {
    if (outcome === 'done') without(this.slots, message);
    if (outcome !== 'more') this.eligible.delete(message);
    this.tick(cycle);
  }
  wants(): boolean {
    if (this.slots.length >= this.entries) return false;
    this.lowWater++;
    return true;
  }
}

/** Makes the plain scheduler of a name. */
function makeQueue(
  s: ModelSettings,
  marks: { low: number; high: number },
  thresholds: readonly number[],
  maxUnits: number,
): SlowQueue {
  const n = s.entries ?? Infinity;
  const r = s.refillCycles;
  const { low, high } = marks;
  switch (s.strategy) {
    case 'exact':
      return new SlowExact(n, r, low, high);
    case 'fifo':
      return new SlowFifo(n, r, low, high);
    case 'strict':
      return new SlowStrict(thresholds);
    case 'sp-pifo':
      return new SlowSpPifo(s.levels);
    case 'pifo-naive':
      return new SlowNaive(n, r, low, high);
    case 'pifo-watermark':
      return new SlowWatermark(n, r, low, high);
    case 'pifo-pulse':
      return new SlowPulse(n, r, low, high);
    case 'pifo-last':
      return new SlowLast(n, r, low, high);
    case 'sifter':
      return new SlowSifter(n, r, low, s.buckets, maxUnits);
    case 'aifo':
      return new SlowAifo(n, r, low, high);
    case 'pieo':
      return new SlowPieo(n, r, low, high);
    default:
      throw new Error(`no slow ${s.strategy}`);
  }
}

export interface SlowResult {
  endCycle: number;
  packets: number;
  inversions: number;
  violationSum: number;
  worstViolation: number;
  underflowCycles: number;
  highWater: number;
  lowWater: number;
  moves: number;
  maxSize: number;
  occupancyCycles: number[];
  completed: [message: number, cycle: number][];
  /** When each message's time begins: its arrival, or its insertion with the original's accounting. */
  since: number[];
}

/** Runs until the asked messages are complete, counting from the arrival of the first one after the warm-up. */
export function slowRun(
  settings: ModelSettings,
  arrivals: readonly Arrival[],
  marks: { low: number; high: number },
  thresholds: readonly number[],
): SlowResult {
  const messages: SlowMessage[] = arrivals.map((a, id) => ({
    id,
    arrival: a.cycle,
    length: a.units,
    remaining: a.units,
    credit: settings.windowUnits > 0 ? settings.windowUnits : Infinity,
  }));
  const queue = makeQueue(settings, marks, thresholds, Math.max(...arrivals.map((a) => a.units)));
  const result: SlowResult = {
    endCycle: 0,
    packets: 0,
    inversions: 0,
    violationSum: 0,
    worstViolation: 1,
    underflowCycles: 0,
    highWater: 0,
    lowWater: 0,
    moves: 0,
    maxSize: 0,
    occupancyCycles: [],
    completed: [],
    since: arrivals.map((a) => a.cycle),
  };
  const counted = messages[settings.warmup]!;
  let before = { highWater: 0, lowWater: 0, moves: 0 };
  let counting = false;
  const original = settings.originalAccounting;
  const known: SlowMessage[] = []; // could be sent, and the queue has them
  const asking: SlowMessage[] = []; // wait to be inserted
  let inserting: { message: SlowMessage; ends: number } | undefined;
  const grants: { message: SlowMessage; at: number }[] = [];
  let linkBusyUntil = 0;
  let queueBusyUntil = 0;
  for (let cycle = 0; ; cycle++) {
    const insert = (message: SlowMessage): void => {
      known.push(message);
      queue.arrive(message, cycle);
    };
    const ask = (message: SlowMessage): void => {
      if (settings.insertCycles > 0) asking.push(message);
      else insert(message);
    };
    if (inserting?.ends === cycle) {
      insert(inserting.message);
      inserting = undefined;
    }
    while (grants[0]?.at === cycle) ask(grants.shift()!.message);
    if (settings.dataDelayCycles > 0) {
      for (const m of messages) if (m.arrival + settings.dataDelayCycles === cycle) ask(m);
    }
    for (const m of messages) {
      if (m.arrival !== cycle) continue;
      if (m === counted) {
        counting = true;
        before = { highWater: queue.highWater, lowWater: queue.lowWater, moves: queue.moves };
      }
      if (settings.dataDelayCycles > 0) queue.hold(m, cycle);
      else ask(m);
    }
    queue.tick(cycle);
    if (linkBusyUntil <= cycle && queueBusyUntil <= cycle) {
      const head = queue.head();
      if (head) {
        const best = Math.min(...known.map((m) => m.remaining));
        if (counting) result.packets++;
        if (counting && head.remaining > best) {
          result.inversions++;
          result.violationSum += head.remaining / best;
          result.worstViolation = Math.max(result.worstViolation, head.remaining / best);
        }
        const size = Math.min(settings.packetUnits, head.remaining);
        head.remaining -= size;
        head.credit -= size;
        linkBusyUntil = cycle + size;
        queueBusyUntil = cycle + settings.popCycles;
        const outcome = head.remaining === 0 ? 'done' : head.credit <= 0 ? 'waits' : 'more';
        if (outcome !== 'more') without(known, head);
        queue.depart(head, cycle, outcome);
        if (outcome === 'done') {
          result.completed.push([head.id, original ? cycle : linkBusyUntil]);
          result.endCycle = original ? cycle : linkBusyUntil;
          const measured = result.completed.filter(
            ([id]) => original || (id >= settings.warmup && id < settings.messages),
          );
          if (measured.length === settings.messages - settings.warmup) break;
        }
        if (outcome === 'waits') {
          head.credit = settings.windowUnits;
          grants.push({ message: head, at: linkBusyUntil + settings.grantDelayCycles });
        }
      }
    }
    if (settings.insertCycles > 0 && !inserting && asking.length > 0 && queueBusyUntil <= cycle) {
      inserting = { message: asking.shift()!, ends: cycle + settings.insertCycles };
      if (original) result.since[inserting.message.id] = cycle;
      queueBusyUntil = inserting.ends;
    }
    if (!counting) continue;
    const bin = Math.min(queue.sortedCount(), 1024);
    result.occupancyCycles[bin] = (result.occupancyCycles[bin] ?? 0) + 1;
    result.maxSize = Math.max(result.maxSize, queue.sortedCount() + queue.behindCount());
    const work = known.length + (original ? 0 : asking.length + (inserting ? 1 : 0));
    if (linkBusyUntil <= cycle && work > 0) result.underflowCycles++;
  }
  result.highWater = queue.highWater - before.highWater;
  result.lowWater = queue.lowWater - before.lowWater;
  result.moves = queue.moves - before.moves;
  return result;
}
