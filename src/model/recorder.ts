// SPDX-License-Identifier: Apache-2.0
import type { CompletionSink } from './engine.js';
import type { Messages } from './messages.js';
import type { ModelSettings } from './settings.js';

/** Told of every completion of a run. */
export type OnComplete = (message: number, cycle: number, messages: Messages) => void;

const CLASSES = 10;

/** Slowdowns by size class, and their sums. In typed arrays: a field that begins as 0 would later change its kind. */
class Tally {
  private readonly values: Float64Array[] = Array.from({ length: CLASSES }, () => new Float64Array(256));
  private readonly counts = new Int32Array(CLASSES);
  private readonly sums = new Float64Array(CLASSES);
  /** Of everything: slowdowns, their squares, cycles taken. */
  private readonly totals = new Float64Array(3);

  add(size: number, slowdown: number, cycles: number): void {
    const { counts, totals } = this;
    const at = counts[size]!;
    let values = this.values[size]!;
    if (at === values.length) values = this.lengthen(size);
    values[at] = slowdown;
    counts[size] = at + 1;
    this.sums[size]! += slowdown;
    totals[0]! += slowdown;
    totals[1]! += slowdown * slowdown;
    totals[2]! += cycles;
  }

  private lengthen(size: number): Float64Array {
    const shorter = this.values[size]!;
    const longer = new Float64Array(shorter.length * 2);
    longer.set(shorter);
    this.values[size] = longer;
    return longer;
  }

  /** Each class, its slowdowns ascending. */
  classes(): { sorted: Float64Array; sum: number }[] {
    return this.values.map((values, size) => ({
      sorted: values.subarray(0, this.counts[size]).sort(),
      sum: this.sums[size]!,
    }));
  }

  get sum(): number {
    return this.totals[0]!;
  }
  get squares(): number {
    return this.totals[1]!;
  }
  get cycles(): number {
    return this.totals[2]!;
  }
}

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
  /** Measured completions. */
  count = 0;
  private readonly measured = new Tally();
  /**
   * What is not measured is tallied too. Were it passed over, V8 would optimize this and all that calls it in the warm-up,
   * without having seen the rest, and do so again (40 ms) when the warm-up ends.
   */
  private readonly unmeasured = new Tally();

  constructor(
    private readonly settings: ModelSettings,
    private readonly messages: Messages,
    private readonly boundariesBytes: readonly number[],
    private readonly onComplete: OnComplete | undefined,
  ) {}

  completed(message: number, cycle: number): void {
    const { settings, messages, boundariesBytes, measured, unmeasured } = this;
    const { originalAccounting: original, warmup, messages: end } = settings;
    this.onComplete?.(message, cycle, messages);
    const taken = cycle - messages.arrivalCycle[message]!;
    const ratio = taken / messages.lengthUnits[message]!;
    const slowdown = original ? Math.floor(ratio) : ratio;
    const bytes = messages.lengthBytes[message]!;
    let size = 0;
    while (size < CLASSES - 1 && bytes > boundariesBytes[size]!) size++;
    const begun = message >= warmup;
    const over = message >= end;
    const counts = original || (begun && !over);
    (counts ? measured : unmeasured).add(size, slowdown, taken);
    this.count += counts ? 1 : 0;
  }

  /** Called once, at the end. */
  finish(): Recorded {
    const { measured, count } = this;
    const classes = measured.classes();
    const mean = measured.sum / count;
    return {
      classes,
      sorted: this.all(classes),
      sum: measured.sum,
      sumCycles: measured.cycles,
      deviation: count === 0 ? 0 : Math.sqrt(Math.max(0, measured.squares / count - mean * mean)),
    };
  }

  private all(classes: Recorded['classes']): Float64Array {
    const all = new Float64Array(this.count);
    let at = 0;
    for (const { sorted } of classes) {
      all.set(sorted, at);
      at += sorted.length;
    }
    return all.sort();
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
