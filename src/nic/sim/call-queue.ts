// SPDX-License-Identifier: Apache-2.0
/** The call FIFO: whole calls with their inline payload, in the order they were completed. It grows to its depth on demand. */
import { CALL_BYTES, CALL_FIFO_ENTRIES, INLINE_BYTES } from '../regs.js';

/** A power of two, as CALL_FIFO_ENTRIES is. */
const START_ENTRIES = 4;

/** An entry in words: whose call, of which kind, in which epoch of its user; then the call, then the inline payload. */
const USER = 0;
const OFFSET = 1;
const EPOCH = 2;
const CALL = 4;
const INLINE = CALL + CALL_BYTES / 4;
const INLINE_WORDS = INLINE_BYTES / 4;
const ENTRY_WORDS = INLINE + INLINE_WORDS;

export class CallQueue {
  /** All entries as 32-bit words; the head's call begins at `headAt`, its payload at `headInlineAt`. */
  words = new Int32Array(START_ENTRIES * ENTRY_WORDS);
  /** The same as bytes. */
  bytes = new Uint8Array(this.words.buffer);
  private entries = START_ENTRIES;
  private head = 0;
  /** Calls in the FIFO. */
  length = 0;

  clear(): void {
    this.head = 0;
    this.length = 0;
  }

  get isFull(): boolean {
    return this.length === CALL_FIFO_ENTRIES;
  }

  /**
   * Adds a call: 64 bytes at `callAt`, the offset of its kind in the set, and its inline payload, 64 bytes from byte
   * `inlineAt` of `inline`, when that is not negative. The FIFO must not be full.
   */
  push(
    user: number,
    offset: number,
    epoch: number,
    call: Uint8Array,
    callAt: number,
    inline: Int32Array,
    inlineAt: number,
  ): void {
    if (this.length === this.entries) this.grow();
    const { words, bytes } = this;
    const entry = ((this.head + this.length) & (this.entries - 1)) * ENTRY_WORDS;
    words[entry + USER] = user;
    words[entry + OFFSET] = offset;
    words[entry + EPOCH] = epoch;
    const to = (entry + CALL) * 4;
    if (call.length === CALL_BYTES) bytes.set(call, to);
    else for (let i = 0; i < CALL_BYTES; i++) bytes[to + i] = call[callAt + i]!;
    if (inlineAt >= 0) {
      const from = inlineAt >> 2;
      for (let i = 0; i < INLINE_WORDS; i++) words[entry + INLINE + i] = inline[from + i]!;
    }
    this.length++;
  }

  /** Where the oldest call begins, in words. */
  get headAt(): number {
    return this.head * ENTRY_WORDS + CALL;
  }

  get headInlineAt(): number {
    return this.head * ENTRY_WORDS + INLINE;
  }

  get headUser(): number {
    return this.words[this.head * ENTRY_WORDS + USER]!;
  }

  get headOffset(): number {
    return this.words[this.head * ENTRY_WORDS + OFFSET]!;
  }

  get headEpoch(): number {
    return this.words[this.head * ENTRY_WORDS + EPOCH]!;
  }

  /** Forgets the oldest call. An empty FIFO begins at its start again, which the processor has at hand. */
  drop(): void {
    this.length--;
    this.head = this.length === 0 ? 0 : (this.head + 1) & (this.entries - 1);
  }

  private grow(): void {
    const { words, head } = this;
    this.words = new Int32Array(words.length * 2);
    this.words.set(words.subarray(head * ENTRY_WORDS));
    this.words.set(words.subarray(0, head * ENTRY_WORDS), words.length - head * ENTRY_WORDS);
    this.bytes = new Uint8Array(this.words.buffer);
    this.entries *= 2;
    this.head = 0;
  }
}
