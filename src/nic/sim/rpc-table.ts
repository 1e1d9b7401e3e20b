// SPDX-License-Identifier: Apache-2.0
/**
 * The RPC table: a fixed number of entries, found by (peer, local id). The id's lowest bit is the role, so a card that
 * talks to itself keeps both ends apart. Our own (even) ids are unique on the card and can be found without the peer.
 * Live RPCs are also listed densely, for the timer.
 *
 * The capacity is a limit, not a reservation: room is made as more RPCs live at once, and given back when none does.
 */
import { INLINE_BYTES } from '../regs.js';
import { Rpc, RpcState } from './rpc.js';

const NONE = -1;
const MAX_ENTRIES = 0x10000;
const START_ENTRIES = 64;
/** An idle table keeps this many entries, so that a card with little to do does not make them again and again. */
const IDLE_ENTRIES = 1024;
const GENERATION_MASK = 0x7fff;

/** An entry in words: the number that follows in its bucket, the number at this place of the order, the inline payload. */
const NEXT = 0;
const ORDER = 1;
const INLINE = 2;
const INLINE_WORDS = INLINE_BYTES / 4;
const ENTRY_WORDS = INLINE + INLINE_WORDS;

/** An inline payload on its way into a packet. Shared by all cards of the process: in use within one call only. */
const inline = new Int32Array(INLINE_WORDS);
const inlineBytes = new Uint8Array(inline.buffer);

export class RpcTable {
  readonly capacity: number;
  /** Entries there is room for: numbers are below it. */
  size: number;
  /** How many RPCs live. */
  liveCount = 0;
  /** Told of a new size: whoever keeps something for each number makes room, or gives it back. */
  onResize: (size: number) => void = () => undefined;
  private readonly rpcs: Rpc[] = [];
  /**
   * The entries, and behind them, from `buckets`, the first number of each bucket. Every number has a place in the order:
   * first those of live RPCs, in no particular but a repeatable order, then the free ones, of which the one used last
   * comes first, because the processor has it at hand.
   */
  private words = new Int32Array(0);
  private buckets = 0;
  private mask = 0;
  private generation = 0;

  constructor(capacity: number) {
    this.capacity = Math.max(1, Math.min(MAX_ENTRIES, capacity));
    this.size = Math.min(START_ENTRIES, this.capacity);
    this.makeRoom(0);
  }

  get isFull(): boolean {
    return this.liveCount === this.capacity;
  }

  /** The live RPC at a place below `liveCount`. */
  liveAt(place: number): Rpc {
    return this.rpcs[this.words[place * ENTRY_WORDS + ORDER]!]!;
  }

  /** All live RPCs, in a list that stays as it is while they end. */
  liveRpcs(): Rpc[] {
    return Array.from({ length: this.liveCount }, (_, place) => this.liveAt(place));
  }

  /** Ends all RPCs without telling anybody. */
  reset(): void {
    while (this.liveCount > 0) this.remove(this.liveAt(this.liveCount - 1));
  }

  /**
   * The RPC with this local id at this peer, or undefined. With a port only one whose peer port is that one: a server
   * can have two RPCs of one client host with the same id from different ports.
   */
  find(peer: number, idHi: number, idLo: number, peerPort = -1): Rpc | undefined {
    const { words } = this;
    let index = words[this.bucketOf(peer, idHi, idLo)]!;
    for (; index !== NONE; index = words[index * ENTRY_WORDS + NEXT]!) {
      const rpc = this.rpcs[index]!;
      if (rpc.idLo === idLo && rpc.idHi === idHi && rpc.peer === peer) {
        if (peerPort < 0 || rpc.peerPort === peerPort) return rpc;
      }
    }
    return undefined;
  }

  /** Our client RPC with this id, whoever the peer is. */
  findClient(idHi: number, idLo: number): Rpc | undefined {
    const { words } = this;
    let index = words[this.bucketOf(0, idHi, idLo)]!;
    for (; index !== NONE; index = words[index * ENTRY_WORDS + NEXT]!) {
      const rpc = this.rpcs[index]!;
      if (rpc.idLo === idLo && rpc.idHi === idHi) return rpc;
    }
    return undefined;
  }

  /** The user's server RPC with this id when just one has it: for callers that do not name the peer. A slow search. */
  findServer(user: number, idHi: number, idLo: number): Rpc | undefined {
    const found = this.liveRpcs().filter(
      (rpc) => rpc.idLo === idLo && rpc.idHi === idHi && rpc.user === user,
    );
    return found.length === 1 ? found[0] : undefined;
  }

  /** The RPC that `token` names, if it still lives. */
  byToken(token: number): Rpc | undefined {
    const rpc = this.rpcs[token % 0x10000];
    return rpc !== undefined && rpc.token === token && rpc.livePlace >= 0 ? rpc : undefined;
  }

  /** The live RPC with this number; there must be one. */
  at(index: number): Rpc {
    return this.rpcs[index]!;
  }

  /** A new RPC with everything at its start value. The table must not be full. */
  add(peer: number, peerPort: number, idHi: number, idLo: number): Rpc {
    const place = this.liveCount;
    if (place === this.size) this.resize(Math.min(2 * this.size, this.capacity));
    const index = this.words[place * ENTRY_WORDS + ORDER]!;
    const rpc = (this.rpcs[index] ??= new Rpc(index));
    this.generation = (this.generation + 1) & GENERATION_MASK;
    rpc.renew(this.generation);
    rpc.peer = peer;
    rpc.setPorts(peerPort, 0);
    rpc.idHi = idHi;
    rpc.idLo = idLo;
    rpc.livePlace = place;
    this.liveCount = place + 1;
    this.enter(rpc);
    return rpc;
  }

  remove(rpc: Rpc): void {
    const { words } = this;
    const { index } = rpc;
    let link = this.bucketOf(rpc.peer, rpc.idHi, rpc.idLo);
    while (words[link] !== index) link = words[link]! * ENTRY_WORDS + NEXT;
    words[link] = words[index * ENTRY_WORDS + NEXT]!;
    this.leaveOrder(rpc);
    rpc.state = RpcState.free;
    rpc.reassembly = null;
    if (this.liveCount === 0 && this.size > IDLE_ENTRIES) {
      this.rpcs.length = 0;
      this.resize(Math.min(START_ENTRIES, this.capacity));
    }
  }

  /** The last of the live RPCs takes the place of one that ends, whose number is the next to be given out. */
  private leaveOrder(rpc: Rpc): void {
    const { words } = this;
    const last = this.liveAt(--this.liveCount);
    const place = rpc.livePlace;
    words[place * ENTRY_WORDS + ORDER] = last.index;
    last.livePlace = place;
    words[this.liveCount * ENTRY_WORDS + ORDER] = rpc.index;
    rpc.livePlace = -1;
  }

  /** Keeps a copy of an inline payload: all its words from words[first]. */
  keepInline(rpc: Rpc, payload: Int32Array, first: number): void {
    const { words } = this;
    const to = rpc.index * ENTRY_WORDS + INLINE;
    for (let i = 0; i < INLINE_WORDS; i++) words[to + i] = payload[first + i]!;
  }

  /** The inline payload of an RPC, with whatever bytes behind its end; good until another is asked for. */
  inlineOf(rpc: Rpc): Uint8Array {
    const { words } = this;
    const from = rpc.index * ENTRY_WORDS + INLINE;
    for (let i = 0; i < INLINE_WORDS; i++) inline[i] = words[from + i]!;
    return inlineBytes;
  }

  private resize(size: number): void {
    const known = size > this.size ? this.size : 0;
    this.size = size;
    this.makeRoom(known);
    for (let place = 0; place < this.liveCount; place++) this.enter(this.liveAt(place));
    this.onResize(size);
  }

  /** Room for `size` entries, of which the first `known` are kept. */
  private makeRoom(known: number): void {
    let buckets = 16;
    while (buckets < this.size) buckets *= 2;
    this.mask = buckets - 1;
    this.buckets = this.size * ENTRY_WORDS;
    const words = new Int32Array(this.buckets + buckets).fill(NONE, this.buckets);
    words.set(this.words.subarray(0, known * ENTRY_WORDS));
    for (let place = known; place < this.size; place++) words[place * ENTRY_WORDS + ORDER] = place;
    this.words = words;
  }

  private enter(rpc: Rpc): void {
    const bucket = this.bucketOf(rpc.peer, rpc.idHi, rpc.idLo);
    this.words[rpc.index * ENTRY_WORDS + NEXT] = this.words[bucket]!;
    this.words[bucket] = rpc.index;
  }

  /** Place of the first number of a bucket. Sixteen ids in a row have buckets in one line of the cache. */
  private bucketOf(peer: number, idHi: number, idLo: number): number {
    const salt = (idLo & 1) === 0 ? 0 : peer * 0x10001;
    const mixed = Math.imul(idLo >>> 5, 0x9e3779b1) ^ Math.imul(idHi + salt, 0x85ebca6b);
    return this.buckets + (((idLo >>> 1) ^ (mixed >>> 16) ^ mixed) & this.mask);
  }
}
