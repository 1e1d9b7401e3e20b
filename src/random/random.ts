// SPDX-License-Identifier: Apache-2.0
import { naturalLog } from './natural-log.js';

const UNIT = 1 / 9007199254740992; // 2^-53, exact
const TWO32 = 4294967296;
const DRAWN_AT_ONCE = 32;

/**
 * Room for the outputs drawn ahead, of many streams side by side: an array of its own costs a stream two lines of the
 * processor's cache, and simulations have streams by the hundred. It is given back once no stream has room in it.
 */
const ROOM_WORDS = 256 * DRAWN_AT_ONCE;
const NO_ROOM = new Int32Array(0);
let room = NO_ROOM;
let roomUsed = 0;

/** Mixes 32 bits so that close inputs give unrelated outputs (a full-avalanche integer hash). */
function mix(x: number): number {
  let h = x | 0;
  h = Math.imul(h ^ (h >>> 16), 0x21f0aaad);
  h = Math.imul(h ^ (h >>> 15), 0x735a2d97);
  return (h ^ (h >>> 15)) >>> 0;
}

/**
 * A seeded stream of draws (xoshiro128** with integer arithmetic only): the same seed and the same calls give the
 * same bytes on every machine and Node version. Not for secrets.
 */
export class Random {
  /** outputs drawn ahead: drawn[next] and those up to the next multiple of their number, where there are none left */
  private drawn = NO_ROOM;
  private next = 0;
  private a: number;
  private b: number;
  private c: number;
  private d: number;
  private readonly key: readonly [number, number];

  private constructor(low: number, high: number) {
    this.key = [low >>> 0, high >>> 0];
    // Each word comes from the key by a different odd step, so the all-zero state cannot appear in practice;
    // the last line makes it impossible.
    let s = mix(low);
    const next = (): number => {
      s = (s + 0x9e3779b9) | 0;
      return mix(s ^ mix(high ^ s));
    };
    this.a = next() | 0;
    this.b = next() | 0;
    this.c = next() | 0;
    this.d = next() | 0;
    if ((this.a | this.b | this.c | this.d) === 0) this.a = 1;
  }

  /** The stream of a seed: an integer from 0 to 2^53 - 1. Throws RangeError for another value. */
  static fromSeed(seed: number): Random {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new RangeError(`a seed is an integer from 0 to ${Number.MAX_SAFE_INTEGER}, got ${seed}`);
    }
    return new Random(seed % TWO32, Math.floor(seed / TWO32));
  }

  /**
   * An independent stream, made from this stream's seed and a name. Neither the draws already taken here nor the
   * order in which streams are made matters, so a new part of a simulation disturbs no other part.
   */
  stream(name: string): Random {
    let low = mix(this.key[0] ^ 0x5bd1e995);
    let high = mix(this.key[1] ^ 0x7ed55d16);
    for (let i = 0; i < name.length; i++) {
      const code = name.charCodeAt(i);
      low = mix(Math.imul(low, 31) + code);
      high = mix(Math.imul(high, 37) ^ (code + 0x9e37));
    }
    return new Random(mix(low ^ name.length), high);
  }

  /** A uniform integer from 0 to 2^32 - 1. */
  nextUint32(): number {
    return this.next32() >>> 0;
  }

  /** The same 32 bits as a signed integer, which V8 never boxes. */
  private next32(): number {
    if ((this.next & (DRAWN_AT_ONCE - 1)) === 0) return this.draw();
    return this.drawn[this.next++]!;
  }

  /** The next output of the recurrence, and several behind it at once: its state then stays in registers. */
  private draw(): number {
    const from = this.drawn === NO_ROOM ? this.takeRoom() : this.next - DRAWN_AT_ONCE;
    const { drawn } = this;
    let { a, b, c, d } = this;
    for (let i = from; i < from + DRAWN_AT_ONCE; i++) {
      const product = Math.imul(b, 5);
      drawn[i] = Math.imul((product << 7) | (product >>> 25), 9);
      c ^= a;
      d ^= b;
      const shifted = b << 9;
      b ^= c;
      a ^= d;
      c ^= shifted;
      d = (d << 11) | (d >>> 21);
    }
    this.a = a;
    this.b = b;
    this.c = c;
    this.d = d;
    this.next = from + 1;
    return drawn[from]!;
  }

  private takeRoom(): number {
    if (roomUsed === room.length) {
      room = new Int32Array(ROOM_WORDS);
      roomUsed = 0;
    }
    this.drawn = room;
    roomUsed += DRAWN_AT_ONCE;
    return roomUsed - DRAWN_AT_ONCE;
  }

  /** A uniform integer from 0 to n - 1, without bias. n: integer from 1 to 2^53 - 1; RangeError otherwise. */
  nextBelow(n: number): number {
    if (!Number.isSafeInteger(n) || n < 1) {
      throw new RangeError(`nextBelow needs an integer from 1 to ${Number.MAX_SAFE_INTEGER}, got ${n}`);
    }
    if (n <= TWO32) {
      const limit = TWO32 - (TWO32 % n); // draws above the last whole multiple of n would favour small results
      let draw = this.nextUint32();
      while (draw >= limit) draw = this.nextUint32();
      return draw % n;
    }
    const range = 2 * 4503599627370496;
    const limit = range - (range % n);
    let draw = this.next53();
    while (draw >= limit) draw = this.next53();
    return draw % n;
  }

  /** A uniform number in [0, 1), a multiple of 2^-53. */
  nextUnit(): number {
    return this.next53() * UNIT;
  }

  /** True with probability p (p <= 0: never; p >= 1: always). One unit draw whatever p is. */
  nextChance(p: number): boolean {
    return this.nextUnit() < p;
  }

  /** An exponential draw of mean 1, in [0, 36.74]. */
  nextExponential(): number {
    return -naturalLog((this.next53() + 1) * UNIT);
  }

  /** Writes what `count` calls of nextUnit() would return to the beginning of `into`. */
  fillUnit(into: Float64Array, count: number): void {
    for (let i = 0; i < count; i++) into[i] = this.next53() * UNIT;
  }

  /** The same for nextExponential(). */
  fillExponential(into: Float64Array, count: number): void {
    for (let i = 0; i < count; i++) into[i] = (this.next53() + 1) * UNIT;
    for (let i = 0; i < count; i++) into[i] = -naturalLog(into[i]!);
  }

  /** An Erlang draw of mean 1 and relative variance 1/shape (shape: integer >= 1): the sum of exponentials. */
  nextErlang(shape: number): number {
    if (!Number.isSafeInteger(shape) || shape < 1) {
      throw new RangeError(`an Erlang shape is an integer of at least 1, got ${shape}`);
    }
    let sum = 0;
    for (let i = 0; i < shape; i++) sum += this.nextExponential();
    return sum / shape;
  }

  /** A bell-shaped draw of mean 0 and variance 1 that never leaves [-6, 6]: twelve uniforms, less six. */
  nextBell(): number {
    let sum = 0;
    for (let i = 0; i < 12; i++) sum += this.nextUnit();
    return sum - 6;
  }

  private next53(): number {
    const high = this.next32() >>> 5;
    const low = this.next32() >>> 6;
    return high * 67108864 + low;
  }
}

/** The stream `name` of a seed: short for Random.fromSeed(seed).stream(name). */
export function stream(seed: number, name: string): Random {
  return Random.fromSeed(seed).stream(name);
}
