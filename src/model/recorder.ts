// SPDX-License-Identifier: Apache-2.0
import type { CompletionSink } from './engine.js';
import type { Messages } from './messages.js';
import type { ModelSettings } from './settings.js';

/** Told of every completion of a run. */
export type OnComplete = (message: number, cycle: number, messages: Messages) => void;

/** The slowdowns of one size class. */
class SizeClass {
  count = 0;
  sum = 0;
  private values = new Float64Array(1024);

  push(slowdown: number): void {
    if (this.count === this.values.length) {
      const longer = new Float64Array(this.count * 2);
      longer.set(this.values);
      this.values = longer;
    }
    this.values[this.count++] = slowdown;
    this.sum += slowdown;
  }
  /** All of them, ascending once sorted() was called. */
  all(): Float64Array {
    return this.values.subarray(0, this.count);
  }
  sorted(): Float64Array {
    return this.all().sort();
  }
}

/** Notes the slowdown of each measured completion, by size class. */
export class Recorder implements CompletionSink {
  readonly classes = Array.from({ length: 10 }, () => new SizeClass());
  count = 0;
  sumCycles = 0;
  sum = 0;
  private squares = 0;

  constructor(
    private readonly settings: ModelSettings,
    private readonly messages: Messages,
    private readonly boundariesBytes: readonly number[],
    private readonly onComplete: OnComplete | undefined,
  ) {}

  completed(message: number, cycle: number): void {
    const { settings, messages, boundariesBytes } = this;
    this.onComplete?.(message, cycle, messages);
    const original = settings.originalAccounting;
    if (!original && (message < settings.warmup || message >= settings.messages)) return;
    const taken = cycle - messages.arrivalCycle[message]!;
    const ratio = taken / messages.lengthUnits[message]!;
    const slowdown = original ? Math.floor(ratio) : ratio;
    const bytes = messages.lengthBytes[message]!;
    let size = 0;
    while (size < 9 && bytes > boundariesBytes[size]!) size++;
    this.classes[size]!.push(slowdown);
    this.sum += slowdown;
    this.squares += slowdown * slowdown;
    this.sumCycles += taken;
    this.count++;
  }

  /** Every slowdown, ascending. */
  all(): Float64Array {
    const all = new Float64Array(this.count);
    let at = 0;
    for (const size of this.classes) {
      all.set(size.all(), at);
      at += size.count;
    }
    return all.sort();
  }

  /** Standard deviation of the slowdowns (of the population). */
  deviation(): number {
    if (this.count === 0) return 0;
    const mean = this.sum / this.count;
    return Math.sqrt(Math.max(0, this.squares / this.count - mean * mean));
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
