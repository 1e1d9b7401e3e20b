// SPDX-License-Identifier: Apache-2.0
/**
 * The card's own work in order of time: a binary heap in typed arrays, so that scheduling allocates nothing.
 *
 * Two events of one instant run in the order they were scheduled in, which makes every run repeatable. Times are integer
 * picoseconds. An event is a kind and two small integers; what they mean is up to whoever handles the kind.
 */
const START_CAPACITY = 256;

export class Agenda {
  /** The card's present, in picoseconds. */
  nowPs = 0;
  /** Kind and arguments of the event that `take` took last. */
  kind = 0;
  a = 0;
  b = 0;

  private size = 0;
  private sequence = 0;
  private times = new Float64Array(START_CAPACITY);
  private sequences = new Float64Array(START_CAPACITY);
  private kinds = new Uint8Array(START_CAPACITY);
  private firsts = new Int32Array(START_CAPACITY);
  private seconds = new Int32Array(START_CAPACITY);

  /** Forgets all work; the present stays. */
  clear(): void {
    this.size = 0;
  }

  /** Moves the present and all events back. */
  rebase(byPs: number): void {
    this.nowPs -= byPs;
    for (let at = 0; at < this.size; at++) this.times[at]! -= byPs;
  }

  /** When the next event is due; Infinity without any. */
  nextPs(): number {
    return this.size === 0 ? Infinity : this.times[0]!;
  }

  /** Adds an event. An instant in the past counts as the present. */
  schedule(timePs: number, kind: number, a = 0, b = 0): void {
    if (this.size === this.times.length) this.grow();
    const time = timePs < this.nowPs ? this.nowPs : timePs;
    const { times, sequences, kinds, firsts, seconds } = this;
    let at = this.size++;
    // Sequence numbers only grow, so a new event goes behind all others of its instant: compare times alone.
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (times[parent]! <= time) break;
      times[at] = times[parent]!;
      sequences[at] = sequences[parent]!;
      kinds[at] = kinds[parent]!;
      firsts[at] = firsts[parent]!;
      seconds[at] = seconds[parent]!;
      at = parent;
    }
    times[at] = time;
    sequences[at] = this.sequence++;
    kinds[at] = kind;
    firsts[at] = a;
    seconds[at] = b;
  }

  /** Takes the earliest event out into `kind`, `a`, `b` and moves the present to it. There must be one. */
  take(): void {
    const { times, sequences, kinds, firsts, seconds } = this;
    this.nowPs = times[0]!;
    this.kind = kinds[0]!;
    this.a = firsts[0]!;
    this.b = seconds[0]!;
    const last = --this.size;
    if (last === 0) return;
    const time = times[last]!;
    const sequence = sequences[last]!;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= last) break;
      const right = child + 1;
      if (
        right < last &&
        (times[right]! < times[child]! ||
          (times[right] === times[child] && sequences[right]! < sequences[child]!))
      ) {
        child = right;
      }
      if (time < times[child]! || (time === times[child] && sequence < sequences[child]!)) break;
      times[at] = times[child]!;
      sequences[at] = sequences[child]!;
      kinds[at] = kinds[child]!;
      firsts[at] = firsts[child]!;
      seconds[at] = seconds[child]!;
      at = child;
    }
    times[at] = time;
    sequences[at] = sequence;
    kinds[at] = kinds[last]!;
    firsts[at] = firsts[last]!;
    seconds[at] = seconds[last]!;
  }

  private grow(): void {
    const capacity = this.times.length * 2;
    const times = new Float64Array(capacity);
    const sequences = new Float64Array(capacity);
    const kinds = new Uint8Array(capacity);
    const firsts = new Int32Array(capacity);
    const seconds = new Int32Array(capacity);
    times.set(this.times);
    sequences.set(this.sequences);
    kinds.set(this.kinds);
    firsts.set(this.firsts);
    seconds.set(this.seconds);
    this.times = times;
    this.sequences = sequences;
    this.kinds = kinds;
    this.firsts = firsts;
    this.seconds = seconds;
  }
}
