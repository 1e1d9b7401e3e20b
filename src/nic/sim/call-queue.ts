// SPDX-License-Identifier: Apache-2.0
/** The call FIFO: whole calls with their inline payload, in the order they were completed. It grows to its depth on demand. */
import { CALL_BYTES, CALL_FIFO_ENTRIES, INLINE_BYTES } from '../regs.js';

/** A power of two, as CALL_FIFO_ENTRIES is. */
const START_ENTRIES = 8;
const INLINE_WORDS = INLINE_BYTES / 4;

export class CallQueue {
  /** Calls, and below inline payloads; the head's begin at `headAt` and `headInlineAt`. */
  calls = new Uint8Array(START_ENTRIES * CALL_BYTES);
  /** The calls as 32-bit words, for copying. */
  words = new Int32Array(this.calls.buffer);
  /** Inline payloads as words; the head's begin at `headInlineAt`. */
  inlineWords = new Int32Array(START_ENTRIES * INLINE_WORDS);
  private user = new Uint8Array(START_ENTRIES);
  private offset = new Uint16Array(START_ENTRIES);
  private epoch = new Uint32Array(START_ENTRIES);
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
    const index = (this.head + this.length) & (this.entries - 1);
    const to = index * CALL_BYTES;
    if (call.length === CALL_BYTES) this.calls.set(call, to);
    else for (let i = 0; i < CALL_BYTES; i++) this.calls[to + i] = call[callAt + i]!;
    if (inlineAt >= 0) {
      const from = inlineAt >> 2;
      for (let i = 0; i < INLINE_WORDS; i++) this.inlineWords[index * INLINE_WORDS + i] = inline[from + i]!;
    }
    this.user[index] = user;
    this.offset[index] = offset;
    this.epoch[index] = epoch;
    this.length++;
  }

  get headAt(): number {
    return this.head * CALL_BYTES;
  }

  get headInlineAt(): number {
    return this.head * INLINE_WORDS;
  }

  get headUser(): number {
    return this.user[this.head]!;
  }

  get headOffset(): number {
    return this.offset[this.head]!;
  }

  get headEpoch(): number {
    return this.epoch[this.head]!;
  }

  /** Forgets the oldest call. */
  drop(): void {
    this.head = (this.head + 1) & (this.entries - 1);
    this.length--;
  }

  private grow(): void {
    const old = this.entries;
    const entries = old * 2;
    const turn = <T extends Uint8Array | Uint16Array | Uint32Array | Int32Array>(
      from: T,
      to: T,
      each: number,
    ): T => {
      to.set(from.subarray(this.head * each, old * each) as never);
      to.set(from.subarray(0, this.head * each) as never, (old - this.head) * each);
      return to;
    };
    this.calls = turn(this.calls, new Uint8Array(entries * CALL_BYTES), CALL_BYTES);
    this.words = new Int32Array(this.calls.buffer);
    this.inlineWords = turn(this.inlineWords, new Int32Array(entries * INLINE_WORDS), INLINE_WORDS);
    this.user = turn(this.user, new Uint8Array(entries), 1);
    this.offset = turn(this.offset, new Uint16Array(entries), 1);
    this.epoch = turn(this.epoch, new Uint32Array(entries), 1);
    this.entries = entries;
    this.head = 0;
  }
}
