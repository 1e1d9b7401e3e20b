// SPDX-License-Identifier: Apache-2.0
/**
 * The card's own work in order of time. An event is a kind (card-event.ts); what it is about waits in the queue of whoever
 * scheduled it. Times are integer picoseconds. Two events of one instant run in the order they were scheduled in, which
 * makes every run repeatable.
 *
 * A card has few things to do at once, and most of what is scheduled comes after what waits. So this is a sorted ring in
 * one typed array, instant and kind side by side: a new event goes to the end and moves forward past what is later.
 */
const START_CAPACITY = 16;

export class Agenda {
  /** The card's present, in picoseconds. */
  nowPs = 0;
  /** Kind of the event that `take` took last. */
  kind = 0;

  private head = 0;
  private count = 0;
  private capacity = START_CAPACITY;
  private ring = new Float64Array(2 * START_CAPACITY);

  /** Forgets all work; the present stays. */
  clear(): void {
    this.count = 0;
  }

  /** Moves the present and all events back. */
  rebase(byPs: number): void {
    this.nowPs -= byPs;
    for (let i = 0; i < this.count; i++) this.ring[2 * ((this.head + i) & (this.capacity - 1))]! -= byPs;
  }

  /** When the next event is due; Infinity without any. */
  nextPs(): number {
    return this.count === 0 ? Infinity : this.ring[2 * this.head]!;
  }

  /** Adds an event. An instant in the past counts as the present. */
  schedule(timePs: number, kind: number): void {
    if (this.count === this.capacity) this.grow();
    const time = timePs < this.nowPs ? this.nowPs : timePs;
    const { ring, head } = this;
    const mask = this.capacity - 1;
    let at = (head + this.count++) & mask;
    while (at !== head) {
      const before = (at - 1) & mask;
      if (ring[2 * before]! <= time) break;
      ring[2 * at] = ring[2 * before]!;
      ring[2 * at + 1] = ring[2 * before + 1]!;
      at = before;
    }
    ring[2 * at] = time;
    ring[2 * at + 1] = kind;
  }

  /** Takes the earliest event out into `kind` and moves the present to it. There must be one. */
  take(): void {
    const { ring, head } = this;
    this.nowPs = ring[2 * head]!;
    this.kind = ring[2 * head + 1]! | 0; // a small integer, also where doubles are boxed
    // An empty ring begins at its start again, which the processor has at hand.
    this.head = --this.count === 0 ? 0 : (head + 1) & (this.capacity - 1);
  }

  private grow(): void {
    const { ring, head, count } = this;
    this.capacity = 2 * count;
    this.ring = new Float64Array(2 * this.capacity);
    for (let i = 0; i < count; i++) {
      const from = 2 * ((head + i) & (count - 1));
      this.ring[2 * i] = ring[from]!;
      this.ring[2 * i + 1] = ring[from + 1]!;
    }
    this.head = 0;
  }
}
