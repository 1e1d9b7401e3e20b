// SPDX-License-Identifier: Apache-2.0
// The one time-ordered queue of a world.

/** Something that has events in an agenda: a card, a link, a host's timer. */
export interface Actor {
  /** The event (op, arg) happens now, at `timePs`. */
  onEvent(timePs: number, op: number, arg: number): void;
  /** The clock was moved back: instants that the actor keeps move with it. */
  rebase?(byPs: number): void;
}

const NOT_QUEUED = -1;

/**
 * Events in order of time, and of scheduling where times are equal, so that a run is the same every time. Typed arrays,
 * no closure and no object per event. Besides one-shot events it has alarms: an alarm belongs to its owner for good
 * and is moved rather than queued again, so an owner that changes its mind leaves nothing behind.
 */
export class Agenda {
  private capacity = 256;
  // by slot
  private times = new Float64Array(this.capacity);
  private orders = new Float64Array(this.capacity);
  private actors = new Int32Array(this.capacity);
  private ops = new Int32Array(this.capacity);
  private args = new Int32Array(this.capacity);
  private places = new Int32Array(this.capacity).fill(NOT_QUEUED);
  private isAlarm = new Uint8Array(this.capacity);
  private free = new Int32Array(this.capacity);
  private freeCount = 0;
  private usedSlots = 0;
  // by place
  private heap = new Int32Array(this.capacity);
  private length = 0;

  /** An actor may run ahead, alone, while its own next instant lies before every event and not after this. */
  runAheadUntilPs = -Infinity;
  /** Nobody looks at what happened before the end of the stretch (`runBefore`): running ahead may go on after an output. */
  inStretch = false;

  private order = 0;
  private now = 0;
  private taken = 0;
  private readonly registered: Actor[] = [];

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
    if (!(timePs >= this.now)) throw new RangeError(`event at ${timePs} ps lies before now, ${this.now} ps`);
    const slot = this.takeSlot();
    this.times[slot] = timePs;
    this.orders[slot] = this.order++;
    this.actors[slot] = actor;
    this.ops[slot] = op;
    this.args[slot] = arg;
    this.isAlarm[slot] = 0;
    this.insert(slot);
  }

  /** Makes an alarm (unset) for `actor` and returns its handle. */
  createAlarm(actor: number, op: number): number {
    const slot = this.takeSlot();
    this.times[slot] = Infinity;
    this.actors[slot] = actor;
    this.ops[slot] = op;
    this.args[slot] = 0;
    this.isAlarm[slot] = 1;
    this.places[slot] = NOT_QUEUED;
    return slot;
  }

  /** Moves an alarm to `timePs`; Infinity unsets it. The same time again changes nothing, its order included. */
  setAlarm(slot: number, timePs: number): void {
    const before = this.times[slot]!;
    if (before === timePs) return;
    if (timePs === Infinity) {
      this.remove(slot);
      this.times[slot] = Infinity;
      return;
    }
    if (!(timePs >= this.now)) throw new RangeError(`alarm at ${timePs} ps lies before now, ${this.now} ps`);
    this.times[slot] = timePs;
    this.orders[slot] = this.order++;
    const place = this.places[slot]!;
    if (place === NOT_QUEUED) this.insert(slot);
    else if (timePs < before) this.siftUp(place);
    else this.siftDown(place);
  }

  /** The instant of the next event; Infinity when there is none. */
  nextPs(): number {
    return this.length === 0 ? Infinity : this.times[this.heap[0]!]!;
  }

  /** Takes the next event, moves the clock to it and hands it to its actor. False when there is none. */
  step(): boolean {
    if (this.length === 0) return false;
    const slot = this.heap[0]!;
    const time = this.times[slot]!;
    const actor = this.actors[slot]!;
    const op = this.ops[slot]!;
    const arg = this.args[slot]!;
    this.remove(slot);
    if (this.isAlarm[slot] === 1) this.times[slot] = Infinity;
    else this.free[this.freeCount++] = slot;
    this.now = time;
    this.taken++;
    this.registered[actor]!.onEvent(time, op, arg);
    return true;
  }

  /** Takes every event before `endPs`, those that come up on the way too; returns how many. */
  runBefore(endPs: number): number {
    const begun = this.taken;
    this.runAheadUntilPs = endPs - 1; // whole picoseconds
    this.inStretch = true;
    while (this.length > 0 && this.times[this.heap[0]!]! < endPs) this.step();
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
    for (let slot = 0; slot < this.usedSlots; slot++) this.times[slot]! -= byPs;
    for (const actor of this.registered) actor.rebase?.(byPs);
  }

  private takeSlot(): number {
    if (this.freeCount > 0) return this.free[--this.freeCount]!;
    if (this.usedSlots === this.capacity) this.grow();
    return this.usedSlots++;
  }

  private grow(): void {
    this.capacity *= 2;
    const larger = <T extends Float64Array | Int32Array | Uint8Array>(make: (n: number) => T, from: T): T => {
      const to = make(this.capacity);
      to.set(from);
      return to;
    };
    const f64 = (n: number): Float64Array<ArrayBuffer> => new Float64Array(n);
    const i32 = (n: number): Int32Array<ArrayBuffer> => new Int32Array(n);
    this.times = larger(f64, this.times);
    this.orders = larger(f64, this.orders);
    this.actors = larger(i32, this.actors);
    this.ops = larger(i32, this.ops);
    this.args = larger(i32, this.args);
    this.places = larger(i32, this.places);
    this.free = larger(i32, this.free);
    this.heap = larger(i32, this.heap);
    this.isAlarm = larger((n: number): Uint8Array<ArrayBuffer> => new Uint8Array(n), this.isAlarm);
  }

  private before(a: number, b: number): boolean {
    const ta = this.times[a]!;
    const tb = this.times[b]!;
    return ta < tb || (ta === tb && this.orders[a]! < this.orders[b]!);
  }

  private insert(slot: number): void {
    const place = this.length++;
    this.heap[place] = slot;
    this.places[slot] = place;
    this.siftUp(place);
  }

  private remove(slot: number): void {
    const place = this.places[slot]!;
    if (place === NOT_QUEUED) return;
    this.places[slot] = NOT_QUEUED;
    const last = this.heap[--this.length]!;
    if (last === slot) return;
    this.heap[place] = last;
    this.places[last] = place;
    if (place > 0 && this.before(last, this.heap[(place - 1) >> 1]!)) this.siftUp(place);
    else this.siftDown(place);
  }

  private siftUp(start: number): void {
    const heap = this.heap;
    let place = start;
    const slot = heap[place]!;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const other = heap[parent]!;
      if (!this.before(slot, other)) break;
      heap[place] = other;
      this.places[other] = place;
      place = parent;
    }
    heap[place] = slot;
    this.places[slot] = place;
  }

  private siftDown(start: number): void {
    const heap = this.heap;
    let place = start;
    const slot = heap[place]!;
    const length = this.length;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= length) break;
      if (child + 1 < length && this.before(heap[child + 1]!, heap[child]!)) child++;
      const other = heap[child]!;
      if (!this.before(other, slot)) break;
      heap[place] = other;
      this.places[other] = place;
      place = child;
    }
    heap[place] = slot;
    this.places[slot] = place;
  }
}
