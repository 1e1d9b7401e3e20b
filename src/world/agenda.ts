// SPDX-License-Identifier: Apache-2.0
// The one time-ordered queue of a world.
import { EventHeap } from './event-heap.js';
import { comesBefore, EventRecords, Field, instantOf, Order, Place } from './event.js';
import { NEAR_PS, TimingWheel, WHEEL_WORDS } from './timing-wheel.js';

/** Something that has events in an agenda: a card, a link, a host's timer. */
export interface Actor {
  /** The event (op, arg) happens now, at `timePs`. */
  onEvent(timePs: number, op: number, arg: number): void;
  /** The clock was moved back: instants that the actor keeps move with it. */
  rebase?(byPs: number): void;
}

/** So many events are kept sorted, a power of two; half as many move in when none is left. */
const RING = 32;
const REFILL = RING / 2;

/** An alarm's handle. */
export type Alarm = number;

/**
 * The first alarm of an agenda, a card's in a world in lockstep, moves at every other event: it waits beside the ring, in a
 * place of its own, where moving it is one store.
 */
const BESIDE: Alarm = -1;

/** An event's actor, op and whether it is an alarm, in one word. */
const ACTOR_SHIFT = 8;
const OP_SHIFT = 1;
const OP_MASK = 0x7f;
const ALARM = 1;

/**
 * The agenda's own doubles and words, before the records of events: instants of the ring's events, the present, one that
 * nothing in the wheel or the heap comes before, and that of the alarm beside the ring; of each event in the ring what it
 * is, its argument (an alarm's is its own record) and its number in the order of scheduling; then the wheel's.
 */
const RING_PS = 0;
const NOW = RING;
const REST = RING + 1;
const BESIDE_PS = RING + 2;
const RING_WHAT = 2 * (RING + 4);
const RING_ARG = RING_WHAT + RING;
const RING_ORDER = RING_ARG + RING;
const WHEEL = RING_ORDER + RING;
const OWN_WORDS = WHEEL + WHEEL_WORDS;

/**
 * Events in order of time, and of scheduling where times are equal, so that a run is the same every time. Besides
 * one-shot events it has alarms: an alarm belongs to its owner for good and is moved rather than queued again, so an
 * owner that changes its mind leaves nothing behind.
 *
 * A ring keeps what comes next sorted, all of it in one place. What it does not hold and happens within two microseconds
 * waits in a timing wheel; what is further away waits in a heap. Nothing in the wheel or the heap comes before anything in
 * the ring; when the ring is empty, their foremost events move into it.
 */
export class Agenda {
  private readonly records = new EventRecords(OWN_WORDS);
  private length = 0;

  private head = 0;
  private inRing = 0;
  private readonly wheel = new TimingWheel(this.records, WHEEL);
  private readonly heap = new EventHeap(this.records);

  /** An actor may run ahead, alone, while its own next instant lies before every event and not after this. */
  runAheadUntilPs = -Infinity;
  /** Nobody looks at what happened before the end of the stretch (`runBefore`): running ahead may go on after an output. */
  inStretch = false;

  private besideWhat = 0;
  private besideOrder = 0;
  private order = 0;
  private taken = 0;
  private readonly registered: Actor[] = [];

  constructor() {
    this.records.doubles[REST] = Infinity;
    this.records.doubles[BESIDE_PS] = Infinity;
  }

  /** The instant of the latest event, in picoseconds. */
  get nowPs(): number {
    return this.records.doubles[NOW]!;
  }

  /** Events that have happened. */
  get eventCount(): number {
    return this.taken;
  }

  /** Events and alarms that are set. */
  get pendingCount(): number {
    return this.length + (this.records.doubles[BESIDE_PS] === Infinity ? 0 : 1);
  }

  /** Makes `actor` known and returns the number by which its events name it. */
  register(actor: Actor): number {
    this.registered.push(actor);
    return this.registered.length - 1;
  }

  /** Queues an event once. A time before now is a bug of the caller: it throws RangeError. */
  push(timePs: number, actor: number, op: number, arg: number): void {
    this.insert(timePs, (actor << ACTOR_SHIFT) | (op << OP_SHIFT), arg);
  }

  /** Makes an alarm (unset) for `actor`. */
  createAlarm(actor: number, op: number): Alarm {
    const { records } = this;
    const what = (actor << ACTOR_SHIFT) | (op << OP_SHIFT) | ALARM;
    if (this.besideWhat === 0) {
      this.besideWhat = what;
      return BESIDE;
    }
    const alarm = records.take(what, 0);
    records.words[alarm + Field.arg] = alarm;
    records.words[alarm + Field.place] = Place.notQueued;
    records.doubles[instantOf(alarm)] = Infinity;
    return alarm;
  }

  /** Moves an alarm to `timePs`; Infinity unsets it. The same time again changes nothing, its order included. */
  setAlarm(alarm: Alarm, timePs: number): void {
    const { words, doubles } = this.records;
    if (alarm === BESIDE) {
      if (doubles[BESIDE_PS] === timePs) return;
      if (!(timePs >= doubles[NOW]!)) this.refuse(timePs);
      doubles[BESIDE_PS] = timePs;
      this.besideOrder = this.order = (this.order + 1) & Order.mask;
      return;
    }
    if (doubles[instantOf(alarm)] === timePs) return;
    if (words[alarm + Field.place] !== Place.notQueued) this.remove(alarm);
    doubles[instantOf(alarm)] = timePs;
    if (timePs !== Infinity) this.insert(timePs, words[alarm + Field.what]!, alarm);
  }

  /** The instant of the next event; Infinity when there is none. */
  nextPs(): number {
    const besidePs = this.records.doubles[BESIDE_PS]!;
    const ringPs = this.nextInRingPs();
    return ringPs < besidePs ? ringPs : besidePs;
  }

  /** The instant of the next event that is not this alarm, which is early or unset. */
  nextBesidesPs(alarm: Alarm): number {
    return alarm === BESIDE ? this.nextInRingPs() : this.nextPs();
  }

  private nextInRingPs(): number {
    if (this.inRing === 0) {
      if (this.length === 0) return Infinity;
      this.refill();
    }
    return this.records.doubles[RING_PS + this.head]!;
  }

  /** Takes the next event, moves the clock to it and hands it to its actor. False when there is none. */
  step(): boolean {
    if (this.nextPs() === Infinity) return false;
    this.take();
    return true;
  }

  /** Takes every event before `endPs`, those that come up on the way too; returns how many. */
  runBefore(endPs: number): number {
    const begun = this.taken;
    this.runAheadUntilPs = endPs - 1; // whole picoseconds
    this.inStretch = true;
    while (this.nextPs() < endPs) this.take();
    this.runAheadUntilPs = -Infinity;
    this.inStretch = false;
    return this.taken - begun;
  }

  /** Moves the clock to an instant before the next event (nothing happens). */
  skipTo(timePs: number): void {
    if (timePs < this.nowPs || timePs > this.nextPs()) {
      throw new RangeError(`the clock cannot move from ${this.nowPs} to ${timePs} ps past the next event`);
    }
    this.records.doubles[NOW] = timePs;
  }

  /** Moves the clock to an instant that the caller knows to lie before the next event. */
  runAheadTo(timePs: number): void {
    this.records.doubles[NOW] = timePs;
  }

  /** Moves the clock, every event and every actor's instants back by `byPs`, at most to 0: an epoch is rebased. */
  rebase(byPs: number): void {
    const { records } = this;
    const { doubles } = records;
    if (!(byPs >= 0 && byPs <= this.nowPs)) {
      throw new RangeError(`${this.nowPs} ps cannot be moved by ${byPs} ps`);
    }
    for (let own = 0; own <= BESIDE_PS; own++) doubles[own]! -= byPs; // slices keep their events
    this.wheel.rebase(byPs);
    records.rebase(byPs);
    for (const actor of this.registered) actor.rebase?.(byPs);
  }

  /** Takes the next event; there must be one. */
  private take(): void {
    const besidePs = this.records.doubles[BESIDE_PS]!;
    const timePs = this.nextInRingPs();
    const { words, doubles } = this.records;
    const { head } = this;
    if (
      besidePs <= timePs &&
      (besidePs < timePs || comesBefore(this.besideOrder, words[RING_ORDER + head]!))
    ) {
      const what = this.besideWhat;
      doubles[BESIDE_PS] = Infinity;
      doubles[NOW] = besidePs;
      this.taken++;
      this.registered[what >> ACTOR_SHIFT]!.onEvent(besidePs, (what >> OP_SHIFT) & OP_MASK, 0);
      return;
    }
    const what = words[RING_WHAT + head]!;
    let arg = words[RING_ARG + head]!;
    this.head = (head + 1) & (RING - 1);
    this.inRing--;
    this.length--;
    if ((what & ALARM) !== 0) {
      words[arg + Field.place] = Place.notQueued;
      doubles[instantOf(arg)] = Infinity;
      arg = 0;
    }
    doubles[NOW] = timePs;
    this.taken++;
    this.registered[what >> ACTOR_SHIFT]!.onEvent(timePs, (what >> OP_SHIFT) & OP_MASK, arg);
  }

  /** Queues an event as the last of its instant. */
  private insert(timePs: number, what: number, arg: number): void {
    const { words, doubles } = this.records;
    if (!(timePs >= doubles[NOW]!)) this.refuse(timePs);
    const order = (this.order = (this.order + 1) & Order.mask);
    this.length++;
    if (timePs >= doubles[REST]!) {
      this.beyondRing(timePs, what, arg, order);
      return;
    }
    if (this.inRing === RING) {
      const last = (this.head + RING - 1) & (RING - 1);
      const lastPs = doubles[RING_PS + last]!;
      if (timePs >= lastPs) {
        doubles[REST] = timePs;
        this.beyondRing(timePs, what, arg, order);
        return;
      }
      this.inRing--;
      doubles[REST] = lastPs;
      this.beyondRing(lastPs, words[RING_WHAT + last]!, words[RING_ARG + last]!, words[RING_ORDER + last]!);
    }
    this.intoRing(timePs, what, arg, order);
  }

  private refuse(timePs: number): never {
    throw new RangeError(`an event at ${timePs} ps lies before now, ${this.nowPs} ps`);
  }

  /** Takes an alarm out of the queue. */
  private remove(alarm: Alarm): void {
    const { words } = this.records;
    if (words[alarm + Field.place] === Place.inRing) this.outOfRing(alarm);
    else this.leave(alarm);
    words[alarm + Field.place] = Place.notQueued;
    this.length--;
  }

  /** Takes an event out of the wheel or the heap. */
  private leave(event: number): void {
    const place = this.records.words[event + Field.place]!;
    if (place <= Place.inWheel) this.wheel.remove(event);
    else this.heap.remove(event);
    if (this.wheel.length === 0 && this.heap.length === 0) this.records.doubles[REST] = Infinity;
  }

  // -- ring --

  private intoRing(timePs: number, what: number, arg: number, order: number): void {
    const { words, doubles } = this.records;
    const { head } = this;
    let at = (head + this.inRing++) & (RING - 1);
    while (at !== head) {
      const before = (at - 1) & (RING - 1);
      if (doubles[RING_PS + before]! <= timePs) break;
      this.moveInRing(before, at);
      at = before;
    }
    doubles[RING_PS + at] = timePs;
    words[RING_WHAT + at] = what;
    words[RING_ARG + at] = arg;
    words[RING_ORDER + at] = order;
    if ((what & ALARM) !== 0) words[arg + Field.place] = Place.inRing;
  }

  private outOfRing(alarm: Alarm): void {
    const { words } = this.records;
    let at = this.head;
    while (words[RING_ARG + at] !== alarm || (words[RING_WHAT + at]! & ALARM) === 0)
      at = (at + 1) & (RING - 1);
    const end = (this.head + --this.inRing) & (RING - 1);
    while (at !== end) {
      const next = (at + 1) & (RING - 1);
      this.moveInRing(next, at);
      at = next;
    }
  }

  private moveInRing(from: number, to: number): void {
    const { words, doubles } = this.records;
    doubles[RING_PS + to] = doubles[RING_PS + from]!;
    words[RING_WHAT + to] = words[RING_WHAT + from]!;
    words[RING_ARG + to] = words[RING_ARG + from]!;
    words[RING_ORDER + to] = words[RING_ORDER + from]!;
  }

  /** Moves the foremost events of wheel and heap, which are not both empty, into the ring, which is. */
  private refill(): void {
    const { records } = this;
    const { words, doubles } = records;
    this.head = 0;
    for (;;) {
      const event = this.foremost();
      const timePs = doubles[instantOf(event)]!;
      if (this.inRing === REFILL) {
        doubles[REST] = timePs;
        return;
      }
      this.leave(event);
      const what = words[event + Field.what]!;
      this.intoRing(timePs, what, words[event + Field.arg]!, words[event + Field.order]!);
      if ((what & ALARM) === 0) records.give(event);
      if (this.inRing === this.length) return;
    }
  }

  // -- beyond the ring --

  /** An event that comes after all in the ring; it gets a record, which an alarm has. */
  private beyondRing(timePs: number, what: number, arg: number, order: number): void {
    const { records, wheel, nowPs } = this;
    const event = (what & ALARM) !== 0 ? arg : records.take(what, arg);
    records.words[event + Field.order] = order;
    records.doubles[instantOf(event)] = timePs;
    if (timePs - nowPs < NEAR_PS) wheel.add(event, timePs, nowPs);
    else this.heap.add(event);
  }

  /** The next event of wheel and heap, which are not both empty. */
  private foremost(): number {
    const { heap, wheel } = this;
    if (wheel.length === 0) return heap.first;
    const first = wheel.first(this.nowPs);
    return heap.length > 0 && this.records.isBefore(heap.first, first) ? heap.first : first;
  }
}
