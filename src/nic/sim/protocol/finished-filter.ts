// SPDX-License-Identifier: Apache-2.0
/**
 * Remembers finished server RPCs, so that a request packet that comes late cannot run the request a second time
 * (docs/protocol.md#at-most-once; HomaModule has no such memory).
 *
 * Two generations of ids, all clients together: new ones enter the young one; when it is full, or has lived `lifetime`,
 * it becomes the old one and the former old one is forgotten. So an id is known for at least `lifetime`, or until
 * `capacity` more RPCs have finished, and never for ever: a client that restarts counts its ids from 2 again and must not
 * be taken for a ghost. Time is in the caller's unit (timer ticks). Call `sweep` now and then: memory goes back to zero
 * when clients are idle.
 */

/** Words of an entry: block of ids, id high, mark of the client (0: free), a bit an id. A look touches one line of the cache. */
const WORDS = 4;
const START_ENTRIES = 16;
/** A client counts its ids up, two at a time, so those that come here lie close: 32 of them share an entry. */
const BLOCK_SHIFT = 6;

/** The 32 ids around one: those of the other parity are another block. */
function blockOf(lo: number): number {
  return (lo >>> BLOCK_SHIFT) | (lo << 31);
}

/** The id's bit in its block. */
function bitOf(lo: number): number {
  return 1 << ((lo >>> 1) & 31);
}

/** A set of (client's mark, id); open addressing. */
class IdSet {
  /** ids, and entries that hold them */
  count = 0;
  private entries = 0;
  private words = new Int32Array(START_ENTRIES * WORDS);

  has(mark: number, hi: number, lo: number): boolean {
    return (this.words[this.find(mark, hi | 0, blockOf(lo)) + 3]! & bitOf(lo)) !== 0;
  }

  /** False when it was there already. */
  add(mark: number, hi: number, lo: number): boolean {
    if (2 * (this.entries + 1) * WORDS > this.words.length) this.grow();
    const { words } = this;
    const block = blockOf(lo);
    const bit = bitOf(lo);
    const at = this.find(mark, hi | 0, block);
    const bits = words[at + 3]!;
    if ((bits & bit) !== 0) return false;
    if (words[at + 2] === 0) {
      words[at] = block;
      words[at + 1] = hi;
      words[at + 2] = mark;
      this.entries++;
    }
    words[at + 3] = bits | bit;
    this.count++;
    return true;
  }

  /** Place of the block, or of the free entry where it belongs. */
  private find(mark: number, hi: number, block: number): number {
    const { words } = this;
    const mixed = Math.imul(block, 0x9e3779b1) ^ Math.imul(hi + Math.imul(mark, 0x10001), 0x85ebca6b);
    const mask = words.length - 1;
    let at = (Math.imul(mixed ^ (mixed >>> 15), WORDS) & mask) >>> 0;
    while (words[at + 2] !== 0) {
      if (words[at] === block && words[at + 1] === hi && words[at + 2] === mark) return at;
      at = (at + WORDS) & mask;
    }
    return at;
  }

  private grow(): void {
    const { words } = this;
    this.words = new Int32Array(2 * words.length);
    for (let i = 0; i < words.length; i += WORDS) {
      const mark = words[i + 2]!;
      if (mark === 0) continue;
      const at = this.find(mark, words[i + 1]!, words[i]!);
      for (let word = 0; word < WORDS; word++) this.words[at + word] = words[i + word]!;
    }
  }
}

export class FinishedFilter {
  private young = new IdSet();
  private old: IdSet | null = null;
  /** When the young generation began. */
  private since = 0;
  /** What stands for a client in the sets; another one after `forget`, so that its entries are nobody's. */
  private readonly marks: number[] = [];
  private nextMark = 1;
  /** Ids of each client in the young and in the old generation, and how many in all are still somebody's. */
  private youngOf: number[] = [];
  private oldOf: number[] = [];
  private held = 0;

  /** `capacity`: ids a generation holds; `lifetime`: how long an id is remembered at least, from now on. */
  constructor(
    private readonly capacity: number,
    public lifetime: number,
  ) {}

  /** Remembers that the server RPC with the client's id (never 0) ended. `client` is the peer's number. */
  add(client: number, idHi: number, idLo: number, now: number): void {
    if (idHi === 0 && idLo === 0) return;
    if (this.size === 0) this.since = now;
    this.age(now);
    const mark = (this.marks[client] ||= this.nextMark++);
    if (!this.young.add(mark, idHi, idLo)) return;
    this.youngOf[client] = (this.youngOf[client] ?? 0) + 1;
    this.held++;
  }

  /** Whether this RPC is known to have ended: its DATA must not create it again. */
  has(client: number, idHi: number, idLo: number): boolean {
    const mark = this.marks[client];
    if (mark === undefined || mark === 0) return false;
    return this.young.has(mark, idHi, idLo) || (this.old !== null && this.old.has(mark, idHi, idLo));
  }

  /** Ids held now, over all clients. */
  get size(): number {
    return this.held;
  }

  /** Forgets what has outlived its time. */
  sweep(now: number): void {
    this.age(now);
  }

  /** Forgets a client at once: its peer number goes to another host. */
  forget(client: number): void {
    if (client >= this.marks.length) return;
    this.marks[client] = 0;
    this.held -= (this.youngOf[client] ?? 0) + (this.oldOf[client] ?? 0);
    this.youngOf[client] = this.oldOf[client] = 0;
  }

  private age(now: number): void {
    const age = now - this.since;
    if (age < this.lifetime && this.young.count < this.capacity) return;
    const keep = age < 2 * this.lifetime && this.young.count > 0;
    this.old = keep ? this.young : null;
    this.oldOf = keep ? this.youngOf : [];
    this.held = this.oldOf.reduce((sum, count) => sum + count, 0);
    if (this.young.count > 0) this.young = new IdSet();
    this.youngOf = [];
    this.since = now;
  }
}
