// SPDX-License-Identifier: Apache-2.0
// The one time-ordered queue of a world.

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

/** Values of an event's place that are not a place in the heap; from the last one down it is a slice's number. */
const NOT_QUEUED = -1;
const IN_WHEEL = -2;

/** Numbers in the order of scheduling stay small integers: they wrap, long after both of a pair have happened. */
const ORDER_BITS = 30;

/** Something that waits, or an alarm. Events are used again and again: nothing is allocated once a run is warm. */
class Event {
  /** made as a double, which it stays */
  timePs = 0.5;
  actor = 0;
  op = 0;
  arg = 0;
  place = NOT_QUEUED;
  order = 0;
  /** the next of the same slice, or of those out of use */
  next: Event | null = null;

  constructor(readonly isAlarm: boolean) {}
}

/** An alarm's handle. */
export type Alarm = Event;

/**
 * Events in order of time, and of scheduling where times are equal, so that a run is the same every time. Besides
 * one-shot events it has alarms: an alarm belongs to its owner for good and is moved rather than queued again, so an
 * owner that changes its mind leaves nothing behind.
 *
 * What happens within two microseconds, nearly everything, waits in a timing wheel, where queueing and taking cost the
 * same however many events there are; what is further away waits in a heap. The next event is the earlier of the two
 * foremost ones: nothing is ever moved from the heap to the wheel.
 */
export class Agenda {
  private spare: Event | null = null;
  private length = 0;

  /** first event of each slice, and a bit for each slice that has one */
  private readonly slices = new Array<Event | null>(SLICES).fill(null);
  private readonly occupied = new Int32Array(SLICES / 32);
  private inWheel = 0;
  private basePs = 0.5;

  private readonly heap: Event[] = [];

  /** the next event; null while it has not been looked for, or where there is none */
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
    if (alarm.place !== NOT_QUEUED) this.remove(alarm);
    if (timePs === Infinity) alarm.timePs = Infinity;
    else this.insert(alarm, timePs);
  }

  /** The instant of the next event; Infinity when there is none. */
  nextPs(): number {
    const front = this.front ?? this.findFront();
    return front === null ? Infinity : front.timePs;
  }

  /** Takes the next event, moves the clock to it and hands it to its actor. False when there is none. */
  step(): boolean {
    const event = this.front ?? this.findFront();
    if (event === null) return false;
    this.take(event);
    return true;
  }

  /** Takes every event before `endPs`, those that come up on the way too; returns how many. */
  runBefore(endPs: number): number {
    const begun = this.taken;
    this.runAheadUntilPs = endPs - 1; // whole picoseconds
    this.inStretch = true;
    for (;;) {
      const event = this.front ?? this.findFront();
      if (event === null || event.timePs >= endPs) break;
      this.take(event);
    }
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
    for (const event of this.heap) event.timePs -= byPs;
    for (const first of this.slices) {
      for (let event = first; event !== null; event = event.next) event.timePs -= byPs;
    }
    for (const actor of this.registered) actor.rebase?.(byPs);
  }

  private take(event: Event): void {
    const { timePs, op, arg, place } = event;
    this.length--;
    this.front = null;
    event.place = NOT_QUEUED;
    if (place <= IN_WHEEL) {
      // the first of its slice: it is the next event
      const slice = IN_WHEEL - place;
      const { next } = event;
      this.inWheel--;
      this.slices[slice] = next;
      if (next === null) this.occupied[slice >> 5]! &= ~(1 << (slice & 31));
      else if (this.heap.length === 0) this.front = next;
    } else this.outOfHeap(place);
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
    event.order = this.order = (this.order + 1) & (2 ** ORDER_BITS - 1);
    if (timePs - this.now < NEAR_PS) this.intoWheel(event, timePs);
    else {
      this.heap.push(event);
      this.siftUp(this.heap.length - 1);
    }
    this.length++;
    const { front } = this;
    if (front !== null && timePs < front.timePs) this.front = event;
  }

  /** Takes an event or alarm out of the queue. */
  private remove(event: Event): void {
    if (event.place <= IN_WHEEL) this.outOfWheel(event, IN_WHEEL - event.place);
    else this.outOfHeap(event.place);
    event.place = NOT_QUEUED;
    this.length--;
    if (event === this.front) this.front = null;
  }

  /** Looks for the next event; null when there is none. */
  private findFront(): Event | null {
    if (this.length === 0) return null;
    const { heap } = this;
    if (this.inWheel === 0) return (this.front = heap[0]!);
    const { occupied } = this;
    const slice = this.sliceOf(this.now);
    let word = slice >> 5;
    let bits = occupied[word]! & (-1 << (slice & 31));
    while (bits === 0) {
      word = (word + 1) & (SLICES / 32 - 1);
      bits = occupied[word]!;
    }
    const first = this.slices[(word << 5) + 31 - Math.clz32(bits & -bits)]!;
    return (this.front = heap.length > 0 && isBefore(heap[0]!, first) ? heap[0]! : first);
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
    event.place = IN_WHEEL - slice;
    this.inWheel++;
    let before = this.slices[slice]!;
    if (before === null) this.occupied[slice >> 5]! |= 1 << (slice & 31);
    if (before === null || timePs < before.timePs) {
      event.next = before;
      this.slices[slice] = event;
      return;
    }
    let { next } = before;
    while (next !== null && next.timePs <= timePs) {
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

  // -- heap --

  private setPlace(place: number, event: Event): void {
    this.heap[place] = event;
    event.place = place;
  }

  private outOfHeap(place: number): void {
    const last = this.heap.pop()!;
    if (place === this.heap.length) return;
    this.setPlace(place, last);
    this.siftUp(place);
    this.siftDown(last.place);
  }

  private siftUp(start: number): void {
    const { heap } = this;
    let place = start;
    const event = heap[place]!;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!isBefore(event, heap[parent]!)) break;
      this.setPlace(place, heap[parent]!);
      place = parent;
    }
    this.setPlace(place, event);
  }

  private siftDown(start: number): void {
    const { heap } = this;
    const { length } = heap;
    let place = start;
    const event = heap[place]!;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= length) break;
      if (child + 1 < length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, event)) break;
      this.setPlace(place, heap[child]!);
      place = child;
    }
    this.setPlace(place, event);
  }
}

/** Whether `a` happens before `b`: earlier, or scheduled first for the same instant. */
function isBefore(a: Event, b: Event): boolean {
  if (a.timePs !== b.timePs) return a.timePs < b.timePs;
  return (a.order - b.order) << (32 - ORDER_BITS) < 0;
}
