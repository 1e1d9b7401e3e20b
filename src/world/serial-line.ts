// SPDX-License-Identifier: Apache-2.0

/** The time of a byte on lines of one rate, shared by all of them. */
interface ByteTime {
  /** picoseconds of one byte as numerator / denominator */
  readonly numerator: number;
  readonly denominator: number;
  /** a little off: quotients by it are put right */
  readonly reciprocal: number;
}

const byteTimes = new Map<number, ByteTime>();

function byteTimeOf(rateMbps: number): ByteTime {
  let time = byteTimes.get(rateMbps);
  if (time === undefined) {
    const common = greatestCommonDivisor(8_000_000, rateMbps);
    const denominator = rateMbps / common;
    time = { numerator: 8_000_000 / common, denominator, reciprocal: 1 / denominator };
    byteTimes.set(rateMbps, time);
  }
  return time;
}

/**
 * A line on which bytes follow each other at an exact rate: bus or wire. The time of n bytes is n x 8000 / rateGbps
 * picoseconds, kept as a rational number, so that a million packets drift by nothing.
 */
export class SerialLine {
  private readonly byteTime: ByteTime;
  private free = 0;
  /** what `free` lacks of the true instant, in 1/denominator picoseconds */
  private rest = 0;
  private carried = 0;

  /** rateMbps: an integer, megabits (10^6) a second. */
  constructor(rateMbps: number) {
    if (!Number.isSafeInteger(rateMbps) || rateMbps < 1) {
      throw new RangeError(`a line rate is a positive integer of Mbit/s, got ${rateMbps}`);
    }
    this.byteTime = byteTimeOf(rateMbps);
  }

  /** The instant from which the line is free, in picoseconds. */
  get freePs(): number {
    return this.free;
  }

  /** Bytes sent so far. */
  get bytes(): number {
    return this.carried;
  }

  /** Sends `bytes` as soon as the line is free, not before `fromPs`; returns the instant at which the last has left. */
  send(fromPs: number, bytes: number): number {
    if (fromPs > this.free) {
      this.free = fromPs;
      this.rest = 0;
    }
    const { numerator, denominator, reciprocal } = this.byteTime;
    const units = bytes * numerator + this.rest;
    let whole = Math.floor(units * reciprocal); // a product is cheaper than a quotient, and at most 1 off
    let rest = units - whole * denominator;
    if (rest < 0) {
      whole--;
      rest += denominator;
    } else if (rest >= denominator) {
      whole++;
      rest -= denominator;
    }
    this.rest = rest;
    this.free += whole;
    this.carried += bytes;
    return this.free;
  }

  /** Time of `bytes` on an idle line, picoseconds, rounded down as `send` does. */
  timePs(bytes: number): number {
    return Math.floor((bytes * this.byteTime.numerator) / this.byteTime.denominator);
  }

  /** Shifts the line's clock (an epoch is rebased). */
  rebase(byPs: number): void {
    this.free -= byPs;
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
