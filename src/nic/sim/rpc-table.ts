// SPDX-License-Identifier: Apache-2.0
/**
 * The RPC table: a fixed number of entries, found by (peer, local id). The id's lowest bit is the role, so a card that
 * talks to itself keeps both ends apart. Our own (even) ids are unique on the card and can be found without the peer.
 * Live RPCs are also listed densely, for the timer.
 */
import { Rpc } from './rpc.js';

const NONE = -1;
const MAX_ENTRIES = 0x10000;

export class RpcTable {
  readonly capacity: number;
  private readonly entries: Rpc[] = [];
  private readonly free: number[] = [];
  private readonly buckets: Int32Array;
  private readonly next: Int32Array;
  private readonly mask: number;
  /** Live RPCs in no particular, but repeatable, order. */
  readonly live: Rpc[] = [];

  constructor(capacity: number) {
    this.capacity = Math.max(1, Math.min(MAX_ENTRIES, capacity));
    let buckets = 16;
    while (buckets < this.capacity) buckets *= 2;
    this.mask = buckets - 1;
    this.buckets = new Int32Array(buckets).fill(NONE);
    this.next = new Int32Array(this.capacity).fill(NONE);
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
    const rpc = (this.entries[index] ??= new Rpc(index));
    rpc.renew();
    rpc.peer = peer;
    rpc.peerPort = peerPort;
    rpc.idHi = idHi;
    rpc.idLo = idLo;
    rpc.livePlace = this.live.length;
    this.live.push(rpc);
    const bucket = this.hash(peer, idHi, idLo);
    this.next[index] = this.buckets[bucket]!;
    this.buckets[bucket] = index;
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
  }

  private hash(peer: number, idHi: number, idLo: number): number {
    const salt = (idLo & 1) === 0 ? 0 : peer * 0x10001;
    const mixed = Math.imul(idLo, 0x9e3779b1) ^ Math.imul(idHi + salt, 0x85ebca6b);
    return ((mixed >>> 16) ^ mixed) & this.mask;
  }
}
