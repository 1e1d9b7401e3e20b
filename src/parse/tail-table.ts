// SPDX-License-Identifier: Apache-2.0

/** Seed and factor of FNV-1a over bytes; the reader computes the same hash while it looks for the end of a line. */
export const HASH_SEED = 0x811c9dc5 | 0;
export const HASH_FACTOR = 0x01000193;

/** Hash of b[from..to). */
export function hashBytes(b: Uint8Array, from: number, to: number): number {
  let hash = HASH_SEED;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ b[i]!, HASH_FACTOR);
  return hash;
}

/** What stands behind the times of a line: which event, under which tag, and whether it starts a sequence. */
export interface TailMeaning {
  event: number;
  tag: number;
  starts: boolean;
}

/**
 * The distinct line tails ("[main] write request") seen so far, found by their bytes, so that a line whose tail is
 * known costs no string. An entry's `next` is the tail that followed it last time: traces repeat themselves, and
 * comparing with the guess is cheaper than hashing.
 */
export class TailTable {
  bytes = new Uint8Array(4096);
  first = new Int32Array(256);
  last = new Int32Array(256);
  next = new Int32Array(256);
  event = new Int32Array(256);
  tag = new Int32Array(256);
  starts = new Uint8Array(256);
  size = 0;
  private used = 0;
  private hashes = new Int32Array(256);
  private slots = new Int32Array(1024).fill(-1);

  /** The entry whose bytes are b[from..to), or -1. `hash` is hashBytes of them. */
  find(b: Uint8Array, from: number, to: number, hash: number): number {
    const mask = this.slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const id = this.slots[slot]!;
      if (id === -1) return -1;
      if (this.hashes[id] === hash && this.holds(id, b, from, to)) return id;
    }
  }

  private holds(id: number, b: Uint8Array, from: number, to: number): boolean {
    const { bytes } = this;
    const first = this.first[id]!;
    if (this.last[id]! - first !== to - from) return false;
    for (let i = from, j = first; i < to; i++, j++) if (bytes[j] !== b[i]) return false;
    return true;
  }

  /** Adds an entry that `find` did not find; returns its number. */
  add(b: Uint8Array, from: number, to: number, hash: number, meaning: TailMeaning): number {
    const id = this.size++;
    if (this.size > this.first.length) this.growEntries();
    if (this.used + to - from > this.bytes.length) {
      this.bytes = grown(this.bytes, Math.max(2 * this.bytes.length, this.used + to - from));
    }
    this.bytes.set(b.subarray(from, to), this.used);
    this.first[id] = this.used;
    this.used += to - from;
    this.last[id] = this.used;
    this.next[id] = id;
    this.hashes[id] = hash;
    this.event[id] = meaning.event;
    this.tag[id] = meaning.tag;
    this.starts[id] = meaning.starts ? 1 : 0;
    if (2 * this.size > this.slots.length) this.rehash();
    else this.place(id);
    return id;
  }

  private place(id: number): void {
    const mask = this.slots.length - 1;
    let slot = this.hashes[id]! & mask;
    while (this.slots[slot] !== -1) slot = (slot + 1) & mask;
    this.slots[slot] = id;
  }

  private rehash(): void {
    this.slots = new Int32Array(2 * this.slots.length).fill(-1);
    for (let id = 0; id < this.size; id++) this.place(id);
  }

  private growEntries(): void {
    const size = 2 * this.first.length;
    this.first = grown(this.first, size);
    this.last = grown(this.last, size);
    this.next = grown(this.next, size);
    this.event = grown(this.event, size);
    this.tag = grown(this.tag, size);
    this.starts = grown(this.starts, size);
    this.hashes = grown(this.hashes, size);
  }
}

function grown<T extends Uint8Array | Int32Array>(array: T, size: number): T {
  const Kind = array.constructor as new (length: number) => T;
  const bigger = new Kind(size);
  bigger.set(array);
  return bigger;
}
