// SPDX-License-Identifier: Apache-2.0
// Where the threads of one run meet.

/** What each thread tells at a meeting, as doubles. */
export const Told = { hostNextPs: 0, fabricNextPs: 1, nowPs: 2, events: 3, wanted: 4, tally: 5 } as const;
const FIELDS = 8; // a line of the processor's cache
const FIELDS_BYTES = 8 * FIELDS;

/** Words before the doubles: how many threads have come, how many meetings there have been, whether a thread has failed. */
const COME = 0;
const MEETING = 16;
const FAILED = 17;
const HEADER_BYTES = 128;

/**
 * A thread looks for a meeting to come about so many times, one to two milliseconds, before it goes to sleep: waking up takes
 * longer than most meetings do, and halves the speed where it happens at every one. On a machine that has other things to
 * do, whoever is waited for may not be running, and looking keeps it from it. So after a long wait in vain a thread goes to
 * sleep soon at so many meetings; the next time at twice as many, but for each meeting in between that came in time, at
 * FORGIVEN fewer.
 */
const MOST_LOOKS = 200_000;
const FEW_LOOKS = 1000;
const LEAST_SLEEPY = 64;
const MOST_SLEEPY = 8192;
const FORGIVEN = 8;

/** A thread asleep looks up now and then; after so many times the others have not just been slow. */
const NAP_MS = 1000;
const MOST_NAPS = 120;

/** Another thread of the run has failed, or does not answer: what it says of itself is the cause. */
export class ShardLost extends Error {
  override readonly name = 'ShardLost';
}

/**
 * Threads meet: each writes down what it has to tell and waits for the others, then everyone reads what all have told. What
 * a thread has written to shared memory before a meeting, the others see after it.
 */
export class Meeting {
  /** What this thread tells at the next meeting: `tell[Told...]`. */
  readonly tell: Float64Array;
  private readonly words: Int32Array;
  private readonly doubles: Float64Array;
  /** at so many meetings it goes to sleep soon, and at so many after the next long wait */
  private sleepy = 0;
  private sleepiness = LEAST_SLEEPY;
  private at = 0;

  /** Memory for the meetings of `threads` threads. */
  static memory(threads: number): SharedArrayBuffer {
    return new SharedArrayBuffer(HEADER_BYTES + 2 * threads * FIELDS_BYTES);
  }

  constructor(
    memory: SharedArrayBuffer,
    private readonly thread: number,
    private readonly threads: number,
  ) {
    this.tell = new Float64Array(FIELDS);
    this.words = new Int32Array(memory, 0, HEADER_BYTES / 4);
    this.doubles = new Float64Array(memory, HEADER_BYTES);
  }

  /** Tells what stands in `tell`, and returns when every thread has. Throws ShardLost when one never will. */
  meet(): void {
    const { words, doubles, tell, threads } = this;
    const before = Atomics.load(words, MEETING);
    // Two sets of places, used in turn: nobody writes for a meeting while another still reads of the one before.
    this.at = (before & 1) * threads * FIELDS;
    doubles.set(tell, this.at + this.thread * FIELDS);
    if (Atomics.add(words, COME, 1) === threads - 1) {
      Atomics.store(words, COME, 0);
      Atomics.store(words, MEETING, (before + 1) | 0);
      Atomics.notify(words, MEETING);
      return;
    }
    if (this.isInTime(before)) return;
    for (let nap = 0; Atomics.load(words, MEETING) === before; nap++) {
      if (Atomics.load(words, FAILED) !== 0) throw new ShardLost('another thread of the run has failed');
      if (nap === MOST_NAPS) {
        throw new ShardLost(
          `another thread of the run has not answered for ${(MOST_NAPS * NAP_MS) / 1000} s`,
        );
      }
      Atomics.wait(words, MEETING, before, NAP_MS);
    }
  }

  /** Looks for the meeting after number `before`, for a while. */
  private isInTime(before: number): boolean {
    const { words } = this;
    const isSleepy = this.sleepy > 0;
    const looks = isSleepy ? FEW_LOOKS : MOST_LOOKS;
    for (let look = 0; look < looks; look++) {
      if (Atomics.load(words, MEETING) === before) continue;
      if (isSleepy) this.sleepy--;
      else this.sleepiness = Math.max(LEAST_SLEEPY, this.sleepiness - FORGIVEN);
      return true;
    }
    if (isSleepy) this.sleepy--;
    else {
      this.sleepy = this.sleepiness;
      this.sleepiness = Math.min(MOST_SLEEPY, 2 * this.sleepiness);
    }
    return false;
  }

  /** This thread will come to no more meetings: the others end too. */
  fail(): void {
    Atomics.store(this.words, FAILED, 1);
    Atomics.notify(this.words, MEETING);
  }

  /** Of what all have told at the last meeting. */
  least(field: number): number {
    let least = Infinity;
    for (let thread = 0; thread < this.threads; thread++) least = Math.min(least, this.told(thread, field));
    return least;
  }
  greatest(field: number): number {
    let greatest = -Infinity;
    for (let thread = 0; thread < this.threads; thread++)
      greatest = Math.max(greatest, this.told(thread, field));
    return greatest;
  }
  sum(field: number): number {
    let sum = 0;
    for (let thread = 0; thread < this.threads; thread++) sum += this.told(thread, field);
    return sum;
  }

  private told(thread: number, field: number): number {
    return this.doubles[this.at + thread * FIELDS + field]!;
  }
}
