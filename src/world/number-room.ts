// SPDX-License-Identifier: Apache-2.0
// Small tables of many hosts side by side.

/**
 * Room for numbers: words[at ...), and the same memory as doubles[at / 2 ...). An array of its own costs a small table two
 * lines of the processor's cache before its first number is seen; with hundreds of hosts these lines no longer fit.
 */
export interface NumberRoom {
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  readonly at: number;
}

const LINE_WORDS = 16;
const SLAB_WORDS = 16_384;

/** Rooms are cut from slabs. A slab is given back once nobody has a room in it. */
let slab: NumberRoom = slabOf(0);
let used = 0;

function slabOf(words: number): NumberRoom {
  const buffer = new ArrayBuffer(4 * words);
  return { words: new Int32Array(buffer), doubles: new Float64Array(buffer), at: 0 };
}

/** Fresh room for so many 32-bit words, all 0. */
export function takeRoom(words: number): NumberRoom {
  const whole = Math.ceil(words / LINE_WORDS) * LINE_WORDS;
  if (whole > SLAB_WORDS) return slabOf(whole);
  if (used + whole > slab.words.length) {
    slab = slabOf(SLAB_WORDS);
    used = 0;
  }
  used += whole;
  return { ...slab, at: used - whole };
}
