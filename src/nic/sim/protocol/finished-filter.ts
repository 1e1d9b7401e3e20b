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
 *
 * A client counts its ids up, so most requests carry an id above all that have finished, and need no look; nor do their
 * ids, when they finish, need a place by which to be found, until somebody asks for one of the lower ones.
 */
import { resized } from './records.js';

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

const LOG_WORDS = 3;
const START_LOG = 16;

/** A set of (client's mark, id); open addressing. What is known to be new is only written down until somebody looks. */
class IdSet {
  /** ids, and entries that hold them */
  count = 0;
  private entries = 0;
  private words = new Int32Array(START_ENTRIES * WORDS);
  /** mark, id high and id low of what has no entry yet */
  private log = new Int32Array(START_LOG * LOG_WORDS);
  private logged = 0;

  has(mark: number, hi: number, lo: number): boolean {
    this.enterLogged();
    return (this.words[this.find(mark, hi | 0, blockOf(lo)) + 3]! & bitOf(lo)) !== 0;
  }

  /** Adds one that is not there. */
  addNew(mark: number, hi: number, lo: number): void {
    const at = this.logged;
    if (at === this.log.length) this.log = resized(this.log, 2 * at);
    const { log } = this;
    log[at] = mark;
    log[at + 1] = hi;
    log[at + 2] = lo;
    this.logged = at + LOG_WORDS;
    this.count++;
  }

  /** False when it was there already. */
  add(mark: number, hi: number, lo: number): boolean {
    this.enterLogged();
    const isNew = this.enter(mark, hi, lo);
    if (isNew) this.count++;
    return isNew;
  }

  private enterLogged(): void {
    const { log, logged } = this;
    this.logged = 0;
    for (let at = 0; at < logged; at += LOG_WORDS) this.enter(log[at]!, log[at + 1]!, log[at + 2]! >>> 0);
  }

  private enter(mark: number, hi: number, lo: number): boolean {
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

/**
 * A client's record in words: what stands for it in the sets, 0 for nothing; the highest id of it that finished; how many
 * of its ids are in the young generation and in the old one.
 */
const CLIENT_BITS = 3;
const MARK = 0;
const HIGHEST_HI = 1;
const HIGHEST_LO = 2;
const YOUNG = 3;
const OLD = 4;
const START_CLIENTS = 16;

export class FinishedFilter {
  private young = new IdSet();
  private old: IdSet | null = null;
  /** When the young generation began. */
  private since = 0;
  /** Records of clients; a client gets another mark after `forget`, so that its entries are nobody's. */
  private clients = new Int32Array(START_CLIENTS << CLIENT_BITS);
  private nextMark = 1;
  /** Ids that are still somebody's. */
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
    const at = client << CLIENT_BITS;
    if (at >= this.clients.length) {
      this.clients = resized(this.clients, Math.max(2 * this.clients.length, (client + 1) << CLIENT_BITS));
    }
    const { clients } = this;
    if (clients[at + MARK] === 0) clients[at + MARK] = this.nextMark++;
    const mark = clients[at + MARK]!;
    if (this.isAboveAll(at, idHi, idLo)) {
      clients[at + HIGHEST_HI] = idHi;
      clients[at + HIGHEST_LO] = idLo;
      this.young.addNew(mark, idHi, idLo);
    } else if (!this.young.add(mark, idHi, idLo)) return;
    clients[at + YOUNG]!++;
    this.held++;
  }

  /** Whether this RPC is known to have ended: its DATA must not create it again. */
  has(client: number, idHi: number, idLo: number): boolean {
    const at = client << CLIENT_BITS;
    const mark = at < this.clients.length ? this.clients[at + MARK]! : 0;
    if (mark === 0 || this.isAboveAll(at, idHi, idLo)) return false;
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
    const at = client << CLIENT_BITS;
    if (at >= this.clients.length) return;
    this.held -= this.clients[at + YOUNG]! + this.clients[at + OLD]!;
    this.clients.fill(0, at, at + (1 << CLIENT_BITS));
  }

  /** Whether an id is above all of its client that have finished. */
  private isAboveAll(at: number, idHi: number, idLo: number): boolean {
    const hi = this.clients[at + HIGHEST_HI]! >>> 0;
    return idHi === hi ? idLo > this.clients[at + HIGHEST_LO]! >>> 0 : idHi > hi;
  }

  private age(now: number): void {
    const age = now - this.since;
    if (age < this.lifetime && this.young.count < this.capacity) return;
    const keep = age < 2 * this.lifetime && this.young.count > 0;
    this.old = keep ? this.young : null;
    this.held = 0;
    for (let at = 0; at < this.clients.length; at += 1 << CLIENT_BITS) {
      this.clients[at + OLD] = keep ? this.clients[at + YOUNG]! : 0;
      this.clients[at + YOUNG] = 0;
      this.held += this.clients[at + OLD]!;
    }
    if (this.young.count > 0) this.young = new IdSet();
    this.since = now;
  }
}
