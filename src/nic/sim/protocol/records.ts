// SPDX-License-Identifier: Apache-2.0
/**
 * Records of 32-bit words, one for each small integer (message or peer numbers), side by side in one array.
 *
 * What belongs to one number lies together, and takes a fraction of the processor's cache that objects or an array for
 * each field would take: a card looks at a few numbers, and many cards share the cache.
 */

/** Records there is room for when the first is wanted. */
const START_RECORDS = 16;

export class Records {
  /** The record of number n begins at n << bits. */
  words = new Int32Array(0);

  constructor(private readonly bits: number) {}

  has(number: number): boolean {
    return number << this.bits < this.words.length;
  }

  /** Place of a record, for which room is made if need be: all words 0. */
  reach(number: number): number {
    const at = number << this.bits;
    if (at >= this.words.length) {
      const room = Math.max((number + 1) << this.bits, 2 * this.words.length, START_RECORDS << this.bits);
      this.words = resized(this.words, room);
    }
    return at;
  }

  /** Makes room for numbers below `count`, and gives back the room for others. */
  fit(count: number): void {
    this.words = resized(this.words, count << this.bits);
  }

  /** Gives back the room for numbers from `count` on. */
  cut(count: number): void {
    const length = count << this.bits;
    if (length < this.words.length) this.words = resized(this.words, length);
  }
}

/** The array with another length: longer with zeros, or cut. */
export function resized<T extends Int32Array | Uint8Array | Float64Array>(from: T, length: number): T {
  const to = new (from.constructor as new (length: number) => T)(length);
  to.set(length < from.length ? from.subarray(0, length) : from);
  return to;
}
