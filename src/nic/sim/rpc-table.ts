// SPDX-License-Identifier: Apache-2.0
/**
 * The RPC table: a fixed number of entries, found by (peer, local id). The id's lowest bit is the role, so a card that
 * talks to itself keeps both ends apart. Our own (even) ids are unique on the card and can be found without the peer.
 * Live RPCs are also listed densely, for the timer.
 *
 * The capacity is a limit, not a reservation: room is made as more RPCs live at once, and given back when none does.
 */
import { INLINE_BYTES } from '../regs.js';
import { Rpc } from './rpc.js';

const NONE = -1;
const MAX_ENTRIES = 0x10000;
const START_ENTRIES = 64;
/** An idle table keeps this many entries, so that a card with little to do does not make them again and again. */
const IDLE_ENTRIES = 1024;
const GENERATION_MASK = 0x7fff;
const INLINE_WORDS = INLINE_BYTES / 4;

export class RpcTable {
  readonly capacity: number;
  /** Entries there is room for: numbers are below it. */
  size: number;
  /** Told of a new size: whoever keeps something for each number makes room, or gives it back. */
  onResize: (size: number) => void = () => undefined;
  private readonly entries: Rpc[] = [];
  private readonly free: number[] = [];
  /** Inline payloads by number, while their RPCs live. */
  private inlineWords = new Int32Array(0);
  /** each as bytes, made when first asked for */
  private inlineViews: Uint8Array[] = [];
  private buckets = new Int32Array(0);
  private next = new Int32Array(0);
  private mask = 0;
  private generation = 0;
  /** Live RPCs in no particular, but repeatable, order. */
  readonly live: Rpc[] = [];

  constructor(capacity: number) {
    this.capacity = Math.max(1, Math.min(MAX_ENTRIES, capacity));
    this.size = Math.min(START_ENTRIES, this.capacity);
    this.makeRoom();
  }

  get isFull(): boolean {
    return this.live.length === this.capacity;
  }

  /** Ends all RPCs without telling anybody. */
  reset(): void {
    while (this.live.length > 0) this.remove(this.live[this.live.length - 1]!);
  }

  /**
   * The RPC with this local id at this peer, or undefined. With a port only one whose peer port is that one: a server
   * can have two RPCs of one client host with the same id from different ports.
   */
  find(peer: number, idHi: number, idLo: number, peerPort = -1): Rpc | undefined {
    for (let at = this.buckets[this.hash(peer, idHi, idLo)]!; at !== NONE; at = this.next[at]!) {
      const rpc = this.entries[at]!;
      if (rpc.idLo === idLo && rpc.idHi === idHi && rpc.peer === peer) {
        if (peerPort < 0 || rpc.peerPort === peerPort) return rpc;
      }
    }
    return undefined;
  }

  /** Our client RPC with this id, whoever the peer is. */
  findClient(idHi: number, idLo: number): Rpc | undefined {
    for (let at = this.buckets[this.hash(0, idHi, idLo)]!; at !== NONE; at = this.next[at]!) {
      const rpc = this.entries[at]!;
      if (rpc.idLo === idLo && rpc.idHi === idHi) return rpc;
    }
    return undefined;
  }

  /** The user's server RPC with this id when just one has it: for callers that do not name the peer. A slow search. */
  findServer(user: number, idHi: number, idLo: number): Rpc | undefined {
    const found = this.live.filter((rpc) => rpc.idLo === idLo && rpc.idHi === idHi && rpc.user === user);
    return found.length === 1 ? found[0] : undefined;
  }

  /** The RPC that `token` names, if it still lives. */
  byToken(token: number): Rpc | undefined {
    const rpc = this.entries[token % 0x10000];
    return rpc !== undefined && rpc.livePlace >= 0 && rpc.token === token ? rpc : undefined;
  }

  /** The live RPC with this number; there must be one. */
  at(index: number): Rpc {
    return this.entries[index]!;
  }

  /** A new RPC with everything at its start value. The table must not be full. */
  add(peer: number, peerPort: number, idHi: number, idLo: number): Rpc {
    const index = this.free.length > 0 ? this.free.pop()! : this.entries.length;
    if (index === this.size) this.resize(Math.min(2 * this.size, this.capacity));
    const rpc = (this.entries[index] ??= new Rpc(index));
    this.generation = (this.generation + 1) & GENERATION_MASK;
    rpc.renew(this.generation);
    rpc.peer = peer;
    rpc.peerPort = peerPort;
    rpc.idHi = idHi;
    rpc.idLo = idLo;
    rpc.livePlace = this.live.length;
    this.live.push(rpc);
    this.enter(rpc);
    return rpc;
  }

  remove(rpc: Rpc): void {
    const bucket = this.hash(rpc.peer, rpc.idHi, rpc.idLo);
    let at = this.buckets[bucket]!;
    if (at === rpc.index) this.buckets[bucket] = this.next[at]!;
    else {
      while (this.next[at] !== rpc.index) at = this.next[at]!;
      this.next[at] = this.next[rpc.index]!;
    }
    const last = this.live.pop()!;
    if (last !== rpc) {
      this.live[rpc.livePlace] = last;
      last.livePlace = rpc.livePlace;
    }
    rpc.livePlace = -1;
    rpc.state = 0;
    rpc.reassembly = null;
    this.free.push(rpc.index);
    if (this.live.length === 0 && this.size > IDLE_ENTRIES) {
      this.entries.length = this.free.length = 0;
      this.resize(Math.min(START_ENTRIES, this.capacity));
    }
  }

  private resize(size: number): void {
    this.size = size;
    this.makeRoom();
    for (const rpc of this.live) this.enter(rpc);
    this.onResize(size);
  }

  /** Keeps a copy of an inline payload: all its words from words[first]. */
  keepInline(rpc: Rpc, words: Int32Array, first: number): void {
    const { inlineWords } = this;
    const to = rpc.index * INLINE_WORDS;
    for (let i = 0; i < INLINE_WORDS; i++) inlineWords[to + i] = words[first + i]!;
  }

  /** The inline payload of an RPC, with whatever bytes behind its end. */
  inlineOf(rpc: Rpc): Uint8Array {
    const { index } = rpc;
    const from = 4 * INLINE_WORDS * index;
    return (this.inlineViews[index] ??= new Uint8Array(this.inlineWords.buffer, from, 4 * INLINE_WORDS));
  }

  private makeRoom(): void {
    let buckets = 16;
    while (buckets < this.size) buckets *= 2;
    this.mask = buckets - 1;
    this.buckets = new Int32Array(buckets).fill(NONE);
    this.next = new Int32Array(this.size).fill(NONE);
    const { inlineWords } = this;
    this.inlineWords = new Int32Array(this.size * INLINE_WORDS);
    this.inlineWords.set(inlineWords.subarray(0, this.inlineWords.length));
    this.inlineViews = [];
  }

  private enter(rpc: Rpc): void {
    const bucket = this.hash(rpc.peer, rpc.idHi, rpc.idLo);
    this.next[rpc.index] = this.buckets[bucket]!;
    this.buckets[bucket] = rpc.index;
  }

  private hash(peer: number, idHi: number, idLo: number): number {
    const salt = (idLo & 1) === 0 ? 0 : peer * 0x10001;
    const mixed = Math.imul(idLo, 0x9e3779b1) ^ Math.imul(idHi + salt, 0x85ebca6b);
    return ((mixed >>> 16) ^ mixed) & this.mask;
  }
}
