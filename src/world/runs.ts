// SPDX-License-Identifier: Apache-2.0
/** A run in words: bytes [start, end) are those of the progression whose word at position 0 would be `base`. */
const START = 0;
const END = 1;
const BASE = 2;
const RUN_BITS = 2;
const FIRST_RUNS = 8;

/**
 * What parts of a memory are arithmetic progressions (progression.ts), in order, without overlap. Positions are bytes, and
 * a run may begin and end at any. Runs that continue each other are one, so a message that arrives in many pieces is one
 * in the end.
 */
export class Runs {
  count = 0;
  private words = new Int32Array(0);
  /** the run found last: pieces of a message come one behind the other */
  private last = 0;

  start(run: number): number {
    return this.words[(run << RUN_BITS) + START]!;
  }

  end(run: number): number {
    return this.words[(run << RUN_BITS) + END]!;
  }

  base(run: number): number {
    return this.words[(run << RUN_BITS) + BASE]!;
  }

  clear(): void {
    this.count = this.last = 0;
    this.words = new Int32Array(0);
  }

  /** The first run that ends behind `position`; `count` without one. */
  find(position: number): number {
    const { count, last } = this;
    let low = 0;
    let high = count;
    if (last < count) {
      if (this.end(last) <= position) low = last + 1;
      else high = last;
      // most often it is the one found last or the next
      if (high === last && (last === 0 || this.end(last - 1) <= position)) return last;
      if (low < count && low === last + 1 && this.end(low) > position) return (this.last = low);
    }
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.end(middle) <= position) low = middle + 1;
      else high = middle;
    }
    this.last = low;
    return low;
  }

  /** The first run with a byte of [start, end); `count` without one. */
  within(start: number, end: number): number {
    if (this.count === 0) return 0;
    const run = this.find(start);
    return run < this.count && this.start(run) < end ? run : this.count;
  }

  /** Whether a run of `base` ends at `position`, so that what follows there could be part of it. */
  endsAt(position: number, base: number): boolean {
    const run = this.find(position) - 1;
    return run >= 0 && this.end(run) === position && this.base(run) === base;
  }

  /** Bytes [start, end) are now those of `base`. */
  put(start: number, end: number, base: number): void {
    this.cut(start, end);
    const { words } = this;
    const run = this.find(start);
    const follows = run > 0 && this.end(run - 1) === start && this.base(run - 1) === base;
    const precedes = run < this.count && this.start(run) === end && this.base(run) === base;
    if (follows) {
      words[((run - 1) << RUN_BITS) + END] = precedes ? this.end(run) : end;
      if (precedes) this.drop(run);
      this.last = run - 1;
    } else if (precedes) words[(run << RUN_BITS) + START] = start;
    else this.insert(run, start, end, base);
  }

  /** Bytes [start, end) are no longer known here. */
  cut(start: number, end: number): void {
    for (let run = this.within(start, end); run < this.count && this.start(run) < end;) {
      const itsStart = this.start(run);
      const itsEnd = this.end(run);
      if (itsStart >= start && itsEnd <= end) {
        this.drop(run);
        continue;
      }
      const at = run << RUN_BITS;
      if (itsStart < start && itsEnd > end) {
        this.words[at + END] = start;
        this.insert(run + 1, end, itsEnd, this.base(run));
        return;
      }
      if (itsStart < start) this.words[at + END] = start;
      else this.words[at + START] = end;
      run++;
    }
  }

  private insert(run: number, start: number, end: number, base: number): void {
    if (this.count << RUN_BITS === this.words.length) {
      const { words } = this;
      this.words = new Int32Array(Math.max(2 * words.length, FIRST_RUNS << RUN_BITS));
      this.words.set(words);
    }
    const { words } = this;
    const at = run << RUN_BITS;
    if (run < this.count) words.copyWithin(at + (1 << RUN_BITS), at, this.count << RUN_BITS);
    words[at + START] = start;
    words[at + END] = end;
    words[at + BASE] = base;
    this.count++;
  }

  private drop(run: number): void {
    const at = run << RUN_BITS;
    this.count--;
    if (run < this.count) this.words.copyWithin(at, at + (1 << RUN_BITS), (this.count + 1) << RUN_BITS);
  }
}
