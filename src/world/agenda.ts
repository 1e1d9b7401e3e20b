// SPDX-License-Identifier: Apache-2.0
// The one time-ordered queue of a world.
import { EventHeap } from './event-heap.js';
import { Event, isBefore, Order, Place } from './event.js';

/** Something that has events in an agenda: a card, a link, a host's timer. */
export interface Actor {
  /** The event (op, arg) happens now, at `timePs`. */
  onEvent(timePs: number, op: number, arg: number): void;
  /** The clock was moved back: instants that the actor keeps move with it. */
  rebase?(byPs: number): void;
}

/** The near future is cut into slices of 2^13 ps; the wheel has one list of events for each of the next 256. */
const SLICE_BITS = 13;
const SLICES = 256;
/** What is less than this away lies within the wheel, wherever in its slice the present is. */
const NEAR_PS = (SLICES - 1) * 2 ** SLICE_BITS;
const WHEEL_PS = SLICES * 2 ** SLICE_BITS;
/** Instants are counted from a base that follows the present, so that differences are small integers. */
const BASE_MOVES_AFTER_PS = 2 ** 30;

/** So many events are kept sorted while no more wait; a power of two. */
const RING = 16;

/** An alarm's handle. */
export type Alarm = Event;

/**
 * Events in order of time, and of scheduling where times are equal, so that a run is the same every time. Besides
 * one-shot events it has alarms: an alarm belongs to its owner for good and is moved rather than queued again, so an
 * owner that changes its mind leaves nothing behind.
 *
 * Where little waits, a ring keeps it sorted. What the ring does not hold and happens within two microseconds waits in a
 * timing wheel, where queueing and taking cost the same however many events there are; what is further away waits in a
 * heap. Nothing in the wheel or the heap comes before anything in the ring; when the ring is empty, the next event is the
 * earlier of their two foremost ones.
 */
export class Agenda {
  private spare: Event | null = null;
  private length = 0;

  /** the next events in order, and when they are due: those are looked at far more often than the events */
  private readonly ring = new Array<Event | null>(RING).fill(null);
  private readonly ringPs = new Float64Array(RING);
  private head = 0;
  private inRing = 0;

  /** first event of each slice, and a bit for each slice that has one */
  private readonly slices = new Array<Event | null>(SLICES).fill(null);
  private readonly occupied = new Int32Array(SLICES / 32);
  private inWheel = 0;
  /** made as a double, which it stays */
  private basePs = 0.5;

  private readonly heap = new EventHeap();

  /** the next event of wheel and heap while the ring is empty; null while it has not been looked for */
  private front: Event | null = null;

  /** An actor may run ahead, alone, while its own next instant lies before every event and not after this. */
  runAheadUntilPs = -Infinity;
  /** Nobody looks at what happened before the end of the stretch (`runBefore`): running ahead may go on after an output. */
  inStretch = false;

  private order = 0;
  private now = 0;
  private taken = 0;
  private readonly registered: Actor[] = [];

  constructor() {
    this.basePs = 0;
  }

  /** The instant of the latest event, in picoseconds. */
  get nowPs(): number {
    return this.now;
  }

  /** Events that have happened. */
  get eventCount(): number {
    return this.taken;
  }

  /** Events and alarms that are set. */
  get pendingCount(): number {
    return this.length;
  }

  /** Makes `actor` known and returns the number by which its events name it. */
  register(actor: Actor): number {
    this.registered.push(actor);
    return this.registered.length - 1;
  }

  /** Queues an event once. A time before now is a bug of the caller: it throws RangeError. */
  push(timePs: number, actor: number, op: number, arg: number): void {
    let event = this.spare;
    if (event === null) event = new Event(false);
    else this.spare = event.next;
    event.actor = actor;
    event.op = op;
    event.arg = arg;
    this.insert(event, timePs);
  }

  /** Makes an alarm (unset) for `actor`. */
  createAlarm(actor: number, op: number): Alarm {
    const alarm = new Event(true);
    alarm.timePs = Infinity;
    alarm.actor = actor;
    alarm.op = op;
    return alarm;
  }

  /** Moves an alarm to `timePs`; Infinity unsets it. The same time again changes nothing, its order included. */
  setAlarm(alarm: Alarm, timePs: number): void {
    if (alarm.timePs === timePs) return;
    if (alarm.place !== Place.notQueued) this.remove(alarm);
    if (timePs === Infinity) alarm.timePs = Infinity;
    else this.insert(alarm, timePs);
  }

  /** The instant of the next event; Infinity when there is none. */
  nextPs(): number {
    if (this.inRing > 0) return this.ringPs[this.head]!;
    return this.length === 0 ? Infinity : this.next().timePs;
  }

  /** Takes the next event, moves the clock to it and hands it to its actor. False when there is none. */
  step(): boolean {
    if (this.length === 0) return false;
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
    if (timePs < this.now || timePs > this.nextPs()) {
      throw new RangeError(`the clock cannot move from ${this.now} to ${timePs} ps past the next event`);
    }
    this.now = timePs;
  }

  /** Moves the clock to an instant that the caller knows to lie before the next event. */
  runAheadTo(timePs: number): void {
    this.now = timePs;
  }

  /** Moves the clock, every event and every actor's instants back by `byPs`, at most to 0: an epoch is rebased. */
  rebase(byPs: number): void {
    if (!(byPs >= 0 && byPs <= this.now))
      throw new RangeError(`${this.now} ps cannot be moved by ${byPs} ps`);
    this.now -= byPs;
    this.basePs -= byPs; // slices keep their events
    for (let i = 0; i < this.inRing; i++) {
      const at = (this.head + i) & (RING - 1);
      this.ring[at]!.timePs = this.ringPs[at]! -= byPs;
    }
    this.heap.rebase(byPs);
    for (const first of this.slices) {
      for (let event = first; event !== null; event = event.next) event.timePs -= byPs;
    }
    for (const actor of this.registered) actor.rebase?.(byPs);
  }

  /** The next event; there must be one. */
  private next(): Event {
    if (this.inRing > 0) return this.ring[this.head]!;
    return this.front ?? (this.front = this.foremost());
  }

  /** Takes the next event; there must be one. */
  private take(): void {
    let event: Event;
    let timePs: number;
    if (this.inRing > 0) {
      const { head } = this;
      event = this.ring[head]!;
      timePs = this.ringPs[head]!;
      this.head = (head + 1) & (RING - 1);
      this.inRing--;
    } else {
      event = this.next();
      ({ timePs } = event);
      this.leave(event);
      this.front = null;
    }
    this.length--;
    const { op, arg } = event;
    event.place = Place.notQueued;
    if (event.isAlarm) event.timePs = Infinity;
    else {
      event.next = this.spare;
      this.spare = event;
    }
    this.now = timePs;
    this.taken++;
    this.registered[event.actor]!.onEvent(timePs, op, arg);
  }

  /** Queues an event as the last of its instant. */
  private insert(event: Event, timePs: number): void {
    if (!(timePs >= this.now))
      throw new RangeError(`an event at ${timePs} ps lies before now, ${this.now} ps`);
    event.timePs = timePs;
    event.order = this.order = (this.order + 1) & Order.mask;
    const { inRing } = this;
    if (inRing === this.length++) {
      // nothing waits elsewhere
      if (inRing < RING) {
        this.intoRing(event, timePs);
        return;
      }
    } else if (inRing === 0) {
      this.beyondRing(event, timePs);
      const { front } = this;
      if (front !== null && timePs < front.timePs) this.front = event;
      return;
    }
    const last = (this.head + inRing - 1) & (RING - 1);
    if (timePs >= this.ringPs[last]!) {
      this.beyondRing(event, timePs);
      return;
    }
    if (inRing === RING) {
      this.inRing--;
      this.beyondRing(this.ring[last]!, this.ringPs[last]!);
    }
    this.intoRing(event, timePs);
  }

  /** Takes an event or alarm out of the queue. */
  private remove(event: Event): void {
    if (event.place === Place.inRing) this.outOfRing(event);
    else {
      this.leave(event);
      if (event === this.front) this.front = null;
    }
    event.place = Place.notQueued;
    this.length--;
  }

  /** Takes an event out of the wheel or the heap. */
  private leave(event: Event): void {
    const { place } = event;
    if (place <= Place.inWheel) this.outOfWheel(event, Place.inWheel - place);
    else this.heap.remove(event);
  }

  // -- ring --

  private intoRing(event: Event, timePs: number): void {
    const { ring, ringPs, head } = this;
    let at = (head + this.inRing++) & (RING - 1);
    while (at !== head) {
      const before = (at - 1) & (RING - 1);
      if (ringPs[before]! <= timePs) break;
      ringPs[at] = ringPs[before]!;
      ring[at] = ring[before]!;
      at = before;
    }
    ringPs[at] = timePs;
    ring[at] = event;
    event.place = Place.inRing;
  }

  private outOfRing(event: Event): void {
    const { ring, ringPs } = this;
    let at = this.head;
    while (ring[at] !== event) at = (at + 1) & (RING - 1);
    const end = (this.head + --this.inRing) & (RING - 1);
    while (at !== end) {
      const next = (at + 1) & (RING - 1);
      ringPs[at] = ringPs[next]!;
      ring[at] = ring[next]!;
      at = next;
    }
  }

  /** An event that comes after all in the ring and, where it has just left it, before all others. */
  private beyondRing(event: Event, timePs: number): void {
    if (timePs - this.now < NEAR_PS) this.intoWheel(event, timePs);
    else this.heap.add(event);
  }

  /** The next event of wheel and heap, which are not both empty. */
  private foremost(): Event {
    const { heap, occupied } = this;
    if (this.inWheel === 0) return heap.first;
    const slice = this.sliceOf(this.now);
    let word = slice >> 5;
    let bits = occupied[word]! & (-1 << (slice & 31));
    while (bits === 0) {
      word = (word + 1) & (SLICES / 32 - 1);
      bits = occupied[word]!;
    }
    const first = this.slices[(word << 5) + 31 - Math.clz32(bits & -bits)]!;
    return heap.length > 0 && isBefore(heap.first, first) ? heap.first : first;
  }

  // -- wheel --

  /** Slice of an instant that is at most the wheel's length away. */
  private sliceOf(timePs: number): number {
    return ((timePs - this.basePs) >> SLICE_BITS) & (SLICES - 1);
  }

  private intoWheel(event: Event, timePs: number): void {
    if (timePs - this.basePs >= BASE_MOVES_AFTER_PS) {
      this.basePs += Math.floor((this.now - this.basePs) / WHEEL_PS) * WHEEL_PS;
    }
    const slice = this.sliceOf(timePs);
    event.place = Place.inWheel - slice;
    this.inWheel++;
    let before = this.slices[slice]!;
    if (before === null) this.occupied[slice >> 5]! |= 1 << (slice & 31);
    if (before === null || isBefore(event, before)) {
      event.next = before;
      this.slices[slice] = event;
      return;
    }
    let { next } = before;
    while (next !== null && !isBefore(event, next)) {
      before = next;
      ({ next } = before);
    }
    before.next = event;
    event.next = next;
  }

  private outOfWheel(event: Event, slice: number): void {
    const { next } = event;
    this.inWheel--;
    let before = this.slices[slice]!;
    if (before === event) {
      this.slices[slice] = next;
      if (next === null) this.occupied[slice >> 5]! &= ~(1 << (slice & 31));
      return;
    }
    while (before.next !== event) before = before.next!;
    before.next = next;
  }
}
