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

/** Words of an entry: id low, id high, mark of the client (0: free), nothing. A look touches one line of the cache. */
const WORDS = 4;
const START_ENTRIES = 16;

/** A set of (client's mark, id); open addressing. */
class IdSet {
  count = 0;
  private words = new Int32Array(START_ENTRIES * WORDS);

  has(mark: number, hi: number, lo: number): boolean {
    return this.words[this.find(mark, hi, lo) + 2] !== 0;
  }

  /** False when it was there already. */
  add(mark: number, hi: number, lo: number): boolean {
    if (2 * (this.count + 1) * WORDS > this.words.length) this.grow();
    const at = this.find(mark, hi, lo);
    if (this.words[at + 2] !== 0) return false;
    this.words[at] = lo;
    this.words[at + 1] = hi;
    this.words[at + 2] = mark;
    this.count++;
    return true;
  }

  /** Place of the id, or of the free entry where it belongs. */
  private find(mark: number, hi: number, lo: number): number {
    const { words } = this;
    const low = lo | 0;
    const high = hi | 0;
    const mixed = Math.imul(lo >>> 1, 0x9e3779b1) ^ Math.imul(high + Math.imul(mark, 0x10001), 0x85ebca6b);
    const mask = words.length - 1;
    let at = (Math.imul(mixed ^ (mixed >>> 15), WORDS) & mask) >>> 0;
    while (words[at + 2] !== 0) {
      if (words[at] === low && words[at + 1] === high && words[at + 2] === mark) return at;
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
      const at = this.find(mark, words[i + 1]!, words[i]! >>> 0);
      this.words[at] = words[i]!;
      this.words[at + 1] = words[i + 1]!;
      this.words[at + 2] = mark;
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
