// SPDX-License-Identifier: Apache-2.0
import type { CompletionSink } from './engine.js';
import type { Messages } from './messages.js';
import { radixSort, sortByTag } from './radix-sort.js';
import type { ModelSettings } from './settings.js';

/** Told of every completion of a run. */
export type OnComplete = (message: number, cycle: number, messages: Messages) => void;

const CLASSES = 10;
/** Completions that are looked at together: a short loop of its own is compiled sooner than the engine's. */
const BATCH = 1024;

/** What the measured completions of a run were. */
export interface Recorded {
  readonly classes: readonly { readonly sorted: Float64Array; readonly sum: number }[];
  /** Every slowdown, ascending. */
  readonly sorted: Float64Array;
  readonly sum: number;
  readonly sumCycles: number;
  /** Standard deviation of the slowdowns (of the population). */
  readonly deviation: number;
}

/** Notes the slowdown of each measured completion, by size class. */
export class Recorder implements CompletionSink {
  private readonly done = new Int32Array(BATCH);
  private readonly doneAt = new Float64Array(BATCH);
  private waiting = 0;
  private batch = 16; // as with messages: the first are short
  /** Measured completions, those of the batch not yet looked at left out. */
  count = 0;
  private readonly slowdowns: Float64Array<ArrayBuffer>;
  private readonly classes: Uint8Array<ArrayBuffer>;
  private readonly boundaries: Float64Array;
  private readonly classCounts = new Int32Array(CLASSES);
  /** Sum of the slowdowns of each class. In typed arrays: a field that begins as 0 would later change its kind. */
  private readonly classSums = new Float64Array(CLASSES);
  /** Of everything: slowdowns, their squares, cycles taken. */
  private readonly totals = new Float64Array(3);

  constructor(
    private readonly settings: ModelSettings,
    private readonly messages: Messages,
    boundariesBytes: readonly number[],
    private readonly onComplete: OnComplete | undefined,
  ) {
    this.boundaries = Float64Array.from(boundariesBytes);
    const most = settings.messages - (settings.originalAccounting ? 0 : settings.warmup);
    this.slowdowns = new Float64Array(most + 1); // one more: see record()
    this.classes = new Uint8Array(most + 1);
  }

  completed(message: number, cycle: number): void {
    this.done[this.waiting] = message;
    this.doneAt[this.waiting] = cycle;
    if (++this.waiting === this.batch) this.record();
  }

  /**
   * Looks at the batch. What is not measured is written as well, where the next measured one overwrites it, and added as
   * nothing: a branch that the warm-up never takes would have V8 compile all of this again (40 ms) when the warm-up ends.
   */
  private record(): void {
    const { settings, messages, boundaries, done, doneAt, slowdowns, classes, totals } = this;
    const { classCounts, classSums } = this;
    const { arrivalCycle, lengthUnits, lengthBytes } = messages;
    const { originalAccounting: original, warmup } = settings;
    const counted = original ? 2 ** 32 : settings.messages - warmup;
    let { count } = this;
    for (let i = 0; i < this.waiting; i++) {
      const message = done[i]!;
      const taken = doneAt[i]! - arrivalCycle[message]!;
      const ratio = taken / lengthUnits[message]!;
      const slowdown = original ? Math.floor(ratio) : ratio;
      const bytes = lengthBytes[message]!;
      let size = 0;
      while (size < CLASSES - 1 && bytes > boundaries[size]!) size++;
      const one = (message - warmup) >>> 0 < counted ? 1 : 0; // nothing before the warm-up's end is below it
      slowdowns[count] = slowdown;
      classes[count] = size;
      count += one;
      classCounts[size]! += one;
      classSums[size]! += one * slowdown;
      totals[0]! += one * slowdown;
      totals[1]! += one * slowdown * slowdown;
      totals[2]! += one * taken;
    }
    this.count = count;
    if (this.onComplete !== undefined) {
      for (let i = 0; i < this.waiting; i++) this.onComplete(done[i]!, doneAt[i]!, messages);
    }
    this.waiting = 0;
    this.batch = Math.min(BATCH, 2 * this.batch);
  }

  /** Called once, at the end. */
  finish(): Recorded {
    this.record();
    const { count } = this;
    const [sum, squares, sumCycles] = this.totals as unknown as [number, number, number];
    const all = radixSort({
      values: this.slowdowns.subarray(0, count),
      tags: this.classes.subarray(0, count),
    });
    const mean = sum / count;
    return {
      classes: this.byClass(sortByTag(all, this.classCounts).values),
      sorted: all.values,
      sum,
      sumCycles,
      deviation: count === 0 ? 0 : Math.sqrt(Math.max(0, squares / count - mean * mean)),
    };
  }

  /** Cuts numbers that are sorted by class. */
  private byClass(sorted: Float64Array): Recorded['classes'] {
    let from = 0;
    return Array.from(this.classCounts, (own, size) => {
      from += own;
      return { sorted: sorted.subarray(from - own, from), sum: this.classSums[size]! };
    });
  }
}

/** Counts ascending values in bins of three significant digits: [value, count], ascending. */
export function histogramOf(sorted: Float64Array): [number, number][] {
  const bins: [number, number][] = [];
  let scale = 100; // value x scale has three digits before the point
  let limit = 10;
  for (let from = 0; from < sorted.length;) {
    while (sorted[from]! >= limit) {
      limit *= 10;
      scale /= 10;
    }
    // The bin ends where rounding gives another number, or the next scale begins: found by bisection.
    const rounded = Math.round(sorted[from]! * scale);
    let low = from + 1;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle]! < limit && Math.round(sorted[middle]! * scale) === rounded) low = middle + 1;
      else high = middle;
    }
    const value = rounded / scale;
    const last = bins.at(-1);
    if (last?.[0] === value) last[1] += low - from;
    else bins.push([value, low - from]);
    from = low;
  }
  return bins;
}
