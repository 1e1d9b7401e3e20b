// SPDX-License-Identifier: Apache-2.0
/**
 * 64-byte cells that are filled by stores of eight 8-byte words in any order (write-combining promises none).
 *
 * A word that comes twice before its cell is full shows a torn call: what was there is discarded and the word begins a
 * new one. A whole 64-byte store takes the cell at once.
 */
import { CALL_BYTES } from '../regs.js';

const WORD = 8;
const FULL = 0xff;

export class Cells {
  readonly bytes: Uint8Array;
  /** The same as 32-bit words, for copying. */
  readonly words: Int32Array;
  /** Which words of each cell are there. */
  private readonly present: Uint8Array;
  /** Cells that some words of are there: mostly none, as calls mostly come whole. */
  private partial = 0;

  constructor(count: number) {
    this.bytes = new Uint8Array(count * CALL_BYTES);
    this.words = new Int32Array(this.bytes.buffer);
    this.present = new Uint8Array(count);
  }

  /** Forgets words and contents of cells [first, first + count). */
  clear(first: number, count: number): void {
    for (let cell = first; cell < first + count; cell++) this.setPresent(cell, 0);
    this.bytes.fill(0, first * CALL_BYTES, (first + count) * CALL_BYTES);
  }

  /** Whether words of an unfinished call wait in the cell. */
  isPartial(cell: number): boolean {
    return this.partial > 0 && this.present[cell] !== 0;
  }

  /** Drops the words of an unfinished call. */
  discard(cell: number): void {
    if (this.partial > 0) this.setPresent(cell, 0);
  }

  /** Whether word `word` (0..7) of the cell is there already. */
  has(cell: number, word: number): boolean {
    return (this.present[cell]! & (1 << word)) !== 0;
  }

  /** Stores all words of a cell at once: what was there of an unfinished one is discarded. */
  storeWhole(cell: number, from: Uint8Array): void {
    this.bytes.set(from, cell * CALL_BYTES);
    this.discard(cell);
  }

  /** Stores a word; true when it was the last missing one, and the cell is then empty for the next call. */
  store(cell: number, word: number, from: Uint8Array, at: number): boolean {
    const to = cell * CALL_BYTES + word * WORD;
    for (let i = 0; i < WORD; i++) this.bytes[to + i] = from[at + i]!;
    const present = this.present[cell]! | (1 << word);
    this.setPresent(cell, present === FULL ? 0 : present);
    return present === FULL;
  }

  private setPresent(cell: number, words: number): void {
    this.partial += (words === 0 ? 0 : 1) - (this.present[cell] === 0 ? 0 : 1);
    this.present[cell] = words;
  }
}
