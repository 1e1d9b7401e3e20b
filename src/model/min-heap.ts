// SPDX-License-Identifier: Apache-2.0

/**
 * A binary heap of messages by remaining units, ties by arrival. Two 32-bit arrays rather than one of float64 keys:
 * small integers pass between functions without being boxed, and this is the innermost loop of exact SRPT.
 */
export class MinHeap {
  private remaining = new Int32Array(16);
  private messages = new Int32Array(16);
  size = 0;

  /** The first message; -1 when empty. */
  get top(): number {
    return this.size === 0 ? -1 : this.messages[0]!;
  }

  /** Makes room for `size` messages in all. */
  reserve(size: number): void {
    while (this.messages.length < size) this.grow();
  }

  push(remaining: number, message: number): void {
    if (this.size === this.messages.length) this.grow();
    const keys = this.remaining;
    const ids = this.messages;
    let hole = this.size++;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      const above = keys[parent]!;
      if (above < remaining || (above === remaining && ids[parent]! < message)) break;
      keys[hole] = above;
      ids[hole] = ids[parent]!;
      hole = parent;
    }
    keys[hole] = remaining;
    ids[hole] = message;
  }

  /** Lowers the remaining units of the first message, in place. */
  lowerTop(remaining: number): void {
    this.remaining[0] = remaining;
  }

  /** Removes and returns the first message; -1 when empty. */
  pop(): number {
    if (this.size === 0) return -1;
    const keys = this.remaining;
    const ids = this.messages;
    const result = ids[0]!;
    const size = --this.size;
    const remaining = keys[size]!;
    const message = ids[size]!;
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= size) break;
      if (child + 1 < size) {
        const left = keys[child]!;
        const right = keys[child + 1]!;
        if (right < left || (right === left && ids[child + 1]! < ids[child]!)) child++;
      }
      const below = keys[child]!;
      if (below > remaining || (below === remaining && ids[child]! > message)) break;
      keys[hole] = below;
      ids[hole] = ids[child]!;
      hole = child;
    }
    keys[hole] = remaining;
    ids[hole] = message;
    return result;
  }

  private grow(): void {
    const longer = (from: Int32Array): Int32Array<ArrayBuffer> => {
      const to = new Int32Array(from.length * 2);
      to.set(from);
      return to;
    };
    this.remaining = longer(this.remaining);
    this.messages = longer(this.messages);
  }
}
