// SPDX-License-Identifier: Apache-2.0
// The instants of an iterated measurement, and how they become samples and a trace.
import type { TraceEvent } from '../../backend.js';

/** Start and end of each iteration, picoseconds; warm-up first. */
export class Instants {
  readonly startPs: Float64Array;
  readonly endPs: Float64Array;
  /** iterations finished, warm-up included */
  done = 0;

  constructor(
    readonly warmup: number,
    readonly count: number,
  ) {
    this.startPs = new Float64Array(warmup + count);
    this.endPs = new Float64Array(warmup + count);
  }

  get total(): number {
    return this.warmup + this.count;
  }

  get complete(): boolean {
    return this.done === this.total;
  }

  /** Notes a finished iteration. */
  add(startPs: number, endPs: number): void {
    this.startPs[this.done] = startPs;
    this.endPs[this.done] = endPs;
    this.done++;
  }

  /** Latency of each measured iteration as the trace shows it: both ends in whole nanoseconds. */
  samplesNs(): Float64Array {
    const out = new Float64Array(Math.max(0, this.done - this.warmup));
    for (let i = 0; i < out.length; i++) {
      out[i] = wholeNs(this.endPs[this.warmup + i]!) - wholeNs(this.startPs[this.warmup + i]!);
    }
    return out;
  }

  /** Events of the measured iterations; time 0 is the first start. */
  *trace(startEvent: string, endEvent: string): Generator<TraceEvent> {
    const epochNs = this.done > this.warmup ? wholeNs(this.startPs[this.warmup]!) : 0;
    for (let i = this.warmup; i < this.done; i++) {
      yield { timeNs: wholeNs(this.startPs[i]!) - epochNs, name: startEvent };
      yield { timeNs: wholeNs(this.endPs[i]!) - epochNs, name: endEvent };
    }
  }
}

/** The nanosecond an instant falls into: what a clock of 1 GHz shows. */
function wholeNs(timePs: number): number {
  return Math.floor(timePs / 1000);
}
