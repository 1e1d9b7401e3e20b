// SPDX-License-Identifier: Apache-2.0
/**
 * Arithmetic progressions: 32-bit words that each are STEP more than the word before. The test pattern of a message is
 * one (host/pattern.ts), so a memory can keep it as three numbers, and a simulation of many hosts moves numbers instead
 * of gigabytes through the processor's cache. Nothing is lost: what is not a progression is kept as bytes.
 */

/** An odd number whose multiples look alike nowhere (2^32 over the golden ratio). */
export const STEP = 0x9e3779b1 | 0;
const STEPS_2 = (2 * STEP) | 0;
const STEPS_3 = (3 * STEP) | 0;
const STEPS_4 = (4 * STEP) | 0;

/** Writes the progression that begins with `first` into words[from, to). */
export function fillWords(words: Int32Array, from: number, to: number, first: number): void {
  let word = first;
  let at = from;
  for (const last = to - 3; at < last; at += 4) {
    words[at] = word;
    words[at + 1] = word + STEP;
    words[at + 2] = word + STEPS_2;
    words[at + 3] = word + STEPS_3;
    word = (word + STEPS_4) | 0;
  }
  for (; at < to; at++) {
    words[at] = word;
    word = (word + STEP) | 0;
  }
}

/** Index of the first of words[from, to) that is not in the progression that begins with `first`, or `to`. */
export function wordsMatch(words: Int32Array, from: number, to: number, first: number): number {
  let word = first;
  let at = from;
  for (const last = to - 3; at < last; at += 4) {
    const wrong =
      (words[at]! ^ word) |
      (words[at + 1]! ^ (word + STEP)) |
      (words[at + 2]! ^ (word + STEPS_2)) |
      (words[at + 3]! ^ (word + STEPS_3));
    if (wrong !== 0) break;
    word = (word + STEPS_4) | 0;
  }
  for (; at < to; at++) {
    if (words[at] !== word) return at;
    word = (word + STEP) | 0;
  }
  return to;
}

/** Byte `position` of a piece of memory whose word 0 would be `base`. */
export function byteAt(base: number, position: number): number {
  return ((base + Math.imul(position >>> 2, STEP)) >>> (8 * (position & 3))) & 0xff;
}

/** The view of the array buffer looked at last: frames cut from one block share it. */
let view: Int32Array = new Int32Array(0);

/** What `findProgression` found. */
export interface Description {
  /** the first word, and the one after it, from which on the words are a progression */
  word0: number;
  word1: number;
}

/**
 * Whether bytes are a progression, from the first word or from the second on (a pattern begins with its key); if so,
 * `out` says which. Bytes that do not lie at a multiple of 4 of their buffer, or fewer than 8, are not looked at.
 */
export function findProgression(bytes: Uint8Array, out: Description): boolean {
  const { byteOffset, length } = bytes;
  if ((byteOffset & 3) !== 0 || length < 8) return false;
  const { buffer } = bytes;
  if (view.buffer !== buffer) view = new Int32Array(buffer, 0, buffer.byteLength >>> 2);
  const words = view;
  const from = byteOffset >>> 2;
  const count = length >>> 2;
  const word1 = words[from + 1]!;
  if (wordsMatch(words, from + 1, from + count, word1) !== from + count) return false;
  const base = (word1 - STEP) | 0;
  for (let at = count << 2; at < length; at++) if (bytes[at] !== byteAt(base, at)) return false;
  out.word0 = words[from]!;
  out.word1 = word1;
  return true;
}

/** The bytes of a description. */
export function progressionBytes(lengthBytes: number, { word0, word1 }: Description): Uint8Array {
  const out = new Uint8Array(lengthBytes);
  const base = (word1 - STEP) | 0;
  for (let at = 0; at < lengthBytes; at++) out[at] = at < 4 ? word0 >>> (8 * at) : byteAt(base, at);
  return out;
}
