// SPDX-License-Identifier: Apache-2.0
/**
 * The card's own work in order of time. An event is a kind (card-event.ts); what it is about waits in the queue of whoever
 * scheduled it. Times are integer picoseconds. Two events of one instant run in the order they were scheduled in, which
 * makes every run repeatable.
 *
 * A card has few things to do at once, and most of what is scheduled comes after what waits. So this is a sorted ring in
 * typed arrays: a new event goes to the end and moves forward past what is later.
 */
const START_CAPACITY = 16;

export class Agenda {
  /** The card's present, in picoseconds. */
  nowPs = 0;
  /** Kind of the event that `take` took last. */
  kind = 0;

  private head = 0;
  private count = 0;
  private times = new Float64Array(START_CAPACITY);
  private kinds = new Uint8Array(START_CAPACITY);

  /** Forgets all work; the present stays. */
  clear(): void {
    this.count = 0;
  }

  /** Moves the present and all events back. */
  rebase(byPs: number): void {
    this.nowPs -= byPs;
    for (let i = 0; i < this.count; i++) this.times[(this.head + i) & (this.times.length - 1)]! -= byPs;
  }

  /** When the next event is due; Infinity without any. */
  nextPs(): number {
    return this.count === 0 ? Infinity : this.times[this.head]!;
  }

  /** Adds an event. An instant in the past counts as the present. */
  schedule(timePs: number, kind: number): void {
    if (this.count === this.times.length) this.grow();
    const time = timePs < this.nowPs ? this.nowPs : timePs;
    const { times, kinds, head } = this;
    const mask = times.length - 1;
    let at = (head + this.count++) & mask;
    while (at !== head) {
      const before = (at - 1) & mask;
      if (times[before]! <= time) break;
      times[at] = times[before]!;
      kinds[at] = kinds[before]!;
      at = before;
    }
    times[at] = time;
    kinds[at] = kind;
  }

  /** Takes the earliest event out into `kind` and moves the present to it. There must be one. */
  take(): void {
    const { times, head } = this;
    this.nowPs = times[head]!;
    this.kind = this.kinds[head]!;
    this.head = (head + 1) & (times.length - 1);
    this.count--;
  }

  private grow(): void {
    const { times, kinds, head, count } = this;
    this.times = new Float64Array(2 * count);
    this.kinds = new Uint8Array(2 * count);
    for (let i = 0; i < count; i++) {
      this.times[i] = times[(head + i) & (count - 1)]!;
      this.kinds[i] = kinds[(head + i) & (count - 1)]!;
    }
    this.head = 0;
  }
}
