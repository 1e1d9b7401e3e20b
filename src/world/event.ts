// SPDX-License-Identifier: Apache-2.0
// What waits in an agenda for long, as records in one array.

/** Where an event is: a place in the heap, or one of these; from `inWheel` down it is a slice's number. */
export const enum Place {
  notQueued = -1,
  inRing = -2,
  inWheel = -3,
}

/** Numbers in the order of scheduling stay small integers: they wrap, long after both of a pair have happened. */
export const enum Order {
  bits = 30,
  mask = 0x3fffffff,
}

/** Words of an event; its instant is the double at the end. */
export const enum Field {
  /** actor and op, as the agenda puts them together */
  what = 0,
  arg = 1,
  place = 2,
  order = 3,
  /** the next of the same slice, or of those out of use */
  next = 4,
  instant = 6,
}
const EVENT_WORDS = 8;
const START_EVENTS = 16;

/** No event. */
export const NONE = 0;

/**
 * Events by number: the place of their words. Numbers are used again and again, the last one given back first, so nothing
 * is allocated once a run is warm. The words before the first event are the owner's.
 */
export class EventRecords {
  words: Int32Array;
  /** the same memory */
  doubles: Float64Array;
  private spare: number = NONE;
  private used: number;

  /** `ownerWords`: a multiple of 8, greater than 0. */
  constructor(private readonly ownerWords: number) {
    this.words = new Int32Array(ownerWords + START_EVENTS * EVENT_WORDS);
    this.doubles = new Float64Array(this.words.buffer);
    this.used = ownerWords;
  }

  /** An event that is not queued. */
  take(what: number, arg: number): number {
    let event = this.spare;
    if (event === NONE) event = this.make();
    else this.spare = this.words[event + Field.next]!;
    const { words } = this;
    words[event + Field.what] = what;
    words[event + Field.arg] = arg;
    return event;
  }

  /** The event is over. */
  give(event: number): void {
    this.words[event + Field.next] = this.spare;
    this.spare = event;
  }

  /** Moves the instants of all events back. */
  rebase(byPs: number): void {
    for (let event = this.ownerWords; event < this.used; event += EVENT_WORDS) {
      this.doubles[instantOf(event)]! -= byPs;
    }
  }

  /** Whether event `a` happens before `b`: earlier, or scheduled first for the same instant. */
  isBefore(a: number, b: number): boolean {
    const { words, doubles } = this;
    const timePs = doubles[instantOf(a)]!;
    const otherPs = doubles[instantOf(b)]!;
    if (timePs !== otherPs) return timePs < otherPs;
    return comesBefore(words[a + Field.order]!, words[b + Field.order]!);
  }

  private make(): number {
    const event = this.used;
    this.used += EVENT_WORDS;
    if (this.used > this.words.length) {
      const more = new Int32Array(this.ownerWords + 2 * (this.words.length - this.ownerWords));
      more.set(this.words);
      this.words = more;
      this.doubles = new Float64Array(more.buffer);
    }
    return event;
  }
}

/** Whether the number of one event in the order of scheduling comes before another's. */
export function comesBefore(order: number, other: number): boolean {
  return (order - other) << (32 - Order.bits) < 0;
}

/** Place of an event's instant among the doubles. */
export function instantOf(event: number): number {
  return (event + Field.instant) >> 1;
}
