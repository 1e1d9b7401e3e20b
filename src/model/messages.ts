// SPDX-License-Identifier: Apache-2.0
import { Random } from '../random/random.js';
import type { LengthDistribution } from '../workload/length-distribution.js';

/** Bytes the link sends in one cycle: the unit of time (5.12 ns at 100 Gbit/s) and of length in the model. */
export const UNIT_BYTES = 64;
/** Bounds that let a remaining length and a message number share one float64 key (see keyOf). */
export const MAX_UNITS = 2 ** 26 - 1;
export const MAX_MESSAGES = 20_000_000;
const ID_RANGE = 2 ** 27;

/** Sort key of a message: by remaining units, ties by arrival. Exact in a float64. */
export function keyOf(remainingUnits: number, message: number): number {
  return remainingUnits * ID_RANGE + message;
}
/** The message of a key. */
export function messageOf(key: number): number {
  return key - Math.floor(key / ID_RANGE) * ID_RANGE;
}
/** The remaining units of a key. */
export function remainingOf(key: number): number {
  return Math.floor(key / ID_RANGE);
}

/** An explicit list of arrivals, cycles ascending. */
export interface ArrivalList {
  readonly cycles: Float64Array;
  readonly units: Int32Array;
}

/**
 * Most messages made at a time: in short loops, which are compiled soon. The first batches are shorter, or V8 would compile
 * the loops before it knows what lies around them.
 */
const BATCH = 1024;

/** Makes messages one after the other. A class and not a closure: its numbers then stay unboxed, which is much faster. */
interface Maker {
  /** Draws what `count` messages need: at most a batch. */
  draw?(count: number): void;
  /** Makes messages `from` up to, not including, `to`, for which was drawn. */
  make(messages: Messages, from: number, to: number): void;
}

class PoissonMaker implements Maker {
  private time = 0;
  private readonly drawnGaps = new Float64Array(BATCH);
  private readonly drawnLengths = new Float64Array(BATCH);
  private readonly gaps: Random;
  private readonly lengths: Random;

  constructor(
    private readonly distribution: LengthDistribution,
    private readonly gapUnits: number,
    private readonly unitBytes: number,
    seed: number,
  ) {
    this.gaps = Random.fromSeed(seed).stream('model gaps');
    this.lengths = Random.fromSeed(seed).stream('model lengths');
  }
  draw(count: number): void {
    this.gaps.fillExponential(this.drawnGaps, count);
    this.lengths.fillUnit(this.drawnLengths, count);
  }
  make(messages: Messages, from: number, to: number): void {
    const { distribution, drawnGaps, drawnLengths, gapUnits, unitBytes } = this;
    let { time } = this;
    for (let i = from; i < to; i++) {
      time += drawnGaps[i - from]! * gapUnits;
      const bytes = distribution.lengthBytes(drawnLengths[i - from]!);
      messages.set(i, Math.floor(time), Math.ceil(bytes / unitBytes), bytes);
    }
    this.time = time;
  }
}

class ListMaker implements Maker {
  constructor(private readonly list: ArrivalList) {}
  make(messages: Messages, from: number, to: number): void {
    const { cycles, units } = this.list;
    for (let i = from; i < to; i++) messages.set(i, cycles[i]!, units[i]!, units[i]! * UNIT_BYTES);
  }
}

/**
 * The messages of a run, in arrival order, in typed arrays; a message is its index. Poisson arrivals are made on
 * demand, a batch at a time, so a run may ask for a few more than it measures without paying for all of them.
 */
export class Messages {
  arrivalCycle: Float64Array;
  lengthUnits: Int32Array;
  lengthBytes: Int32Array;
  remaining: Int32Array;
  /** Messages made so far. */
  count = 0;
  private readonly maker: Maker;
  /** No message beyond this number exists. */
  readonly limit: number;

  private constructor(capacity: number, limit: number, maker: Maker) {
    this.limit = limit;
    this.arrivalCycle = new Float64Array(capacity);
    this.lengthUnits = new Int32Array(capacity);
    this.lengthBytes = new Int32Array(capacity);
    this.remaining = new Int32Array(capacity);
    this.maker = maker;
  }

  /**
   * Poisson arrivals of lengths from `distribution`, so that the offered load is `load` of the link. The gaps and the
   * lengths are separate streams of the seed: every strategy sees the same messages.
   */
  static poisson(options: {
    distribution: LengthDistribution;
    load: number;
    seed: number;
    capacity: number;
    limit: number;
    unitBytes?: number;
  }): Messages {
    const { distribution, load, seed, capacity, limit } = options;
    const unitBytes = options.unitBytes ?? UNIT_BYTES;
    const gapUnits = meanUnits(distribution, unitBytes) / load;
    return new Messages(capacity, limit, new PoissonMaker(distribution, gapUnits, unitBytes, seed));
  }

  /** The messages of a list, whose cycles must not decrease. */
  static list(list: ArrivalList): Messages {
    return new Messages(Math.max(1, list.units.length), list.units.length, new ListMaker(list));
  }

  /** True when message `index` exists; makes it, and some that follow, if need be. */
  has(index: number): boolean {
    while (this.count <= index) {
      if (this.count >= this.limit) return false;
      if (this.count >= this.remaining.length) this.grow();
      const to = Math.min(this.count + Math.min(BATCH, 16 + this.count), this.limit, this.remaining.length);
      this.maker.draw?.(to - this.count);
      this.maker.make(this, this.count, to);
      this.count = to;
    }
    return true;
  }

  /** Writes message `index`: for the makers. */
  set(index: number, cycle: number, units: number, bytes: number): void {
    this.arrivalCycle[index] = cycle;
    this.lengthUnits[index] = units;
    this.lengthBytes[index] = bytes;
    this.remaining[index] = units;
  }

  private grow(): void {
    const size = Math.max(16, Math.min(this.limit, this.remaining.length * 2));
    const copy = <T extends Float64Array | Int32Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    this.arrivalCycle = copy(this.arrivalCycle, new Float64Array(size));
    this.lengthUnits = copy(this.lengthUnits, new Int32Array(size));
    this.lengthBytes = copy(this.lengthBytes, new Int32Array(size));
    this.remaining = copy(this.remaining, new Int32Array(size));
  }
}

/** Mean length of a message in whole units. */
export function meanUnits(distribution: LengthDistribution, unitBytes = UNIT_BYTES): number {
  const share = distribution.probabilities();
  let mean = 0;
  for (let i = 0; i < share.length; i++)
    mean += share[i]! * Math.ceil(distribution.lengthsBytes[i]! / unitBytes);
  return mean;
}
