// SPDX-License-Identifier: Apache-2.0

const MIN_SHIFT = 6;
const FREE = 0x80;

/** Hands out offsets in a message buffer: blocks of powers of two, at least 64 bytes (buddy rule). */
export class BuddyArena {
  private readonly topOrder: number;
  /** by block of 64 bytes: order of the block that begins here, with FREE when it is free */
  private readonly state: Uint8Array;
  private readonly freeLists: number[][];
  private taken = 0;

  /** sizeBytes: a power of two from 64. */
  constructor(sizeBytes: number) {
    const order = Math.log2(sizeBytes) - MIN_SHIFT;
    if (!Number.isInteger(order) || order < 0)
      throw new RangeError(`an arena is a power of two, not ${sizeBytes}`);
    this.topOrder = order;
    this.state = new Uint8Array(sizeBytes >>> MIN_SHIFT);
    this.freeLists = Array.from({ length: order + 1 }, () => []);
    this.state[0] = FREE | order;
    this.freeLists[order]!.push(0);
  }

  /** Bytes handed out, rounded up to blocks. */
  get takenBytes(): number {
    return this.taken;
  }

  /** How many blocks of at least `sizeBytes` an empty arena has. */
  blocksOf(sizeBytes: number): number {
    return Math.floor(2 ** (this.topOrder - orderOf(sizeBytes)));
  }

  /** The offset of a block of at least `sizeBytes`, or -1 when there is none. */
  take(sizeBytes: number): number {
    const wanted = orderOf(sizeBytes);
    for (let order = wanted; order <= this.topOrder; order++) {
      const block = this.popFree(order);
      if (block < 0) continue;
      for (let o = order; o > wanted; o--) {
        const half = block + (1 << (o - 1));
        this.state[half] = FREE | (o - 1);
        this.freeLists[o - 1]!.push(half);
      }
      this.state[block] = wanted;
      this.taken += 1 << (wanted + MIN_SHIFT);
      return block << MIN_SHIFT;
    }
    return -1;
  }

  /** Takes a block back. */
  give(offset: number): void {
    let block = offset >>> MIN_SHIFT;
    let order = this.state[block]!;
    if ((order & FREE) !== 0) throw new RangeError(`offset ${offset} is not handed out`);
    this.taken -= 1 << (order + MIN_SHIFT);
    while (order < this.topOrder) {
      const buddy = block ^ (1 << order);
      if (this.state[buddy] !== (FREE | order)) break;
      this.state[Math.max(block, buddy)] = 0xff; // inside a larger block: its entry in the free list is stale
      block = Math.min(block, buddy);
      order++;
    }
    this.state[block] = FREE | order;
    this.freeLists[order]!.push(block);
  }

  /** Entries whose block has been merged since are stale: skip them. */
  private popFree(order: number): number {
    const list = this.freeLists[order]!;
    for (;;) {
      const block = list.pop();
      if (block === undefined) return -1;
      if (this.state[block] === (FREE | order)) return block;
    }
  }
}

/** Order of the smallest block that holds `sizeBytes`. */
function orderOf(sizeBytes: number): number {
  let order = 0;
  while (1 << (order + MIN_SHIFT) < sizeBytes) order++;
  return order;
}
