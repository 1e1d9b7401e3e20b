// SPDX-License-Identifier: Apache-2.0
/**
 * The other hosts, as small integers: address to number by hashing, and what the card keeps for each.
 *
 * A number is given out while an RPC uses it or room is left; when the table is full, one that no RPC uses is given to
 * the newcomer, and `onReplaced` lets others forget what they kept for the former holder.
 */
import { copyAddress, isMapped, sameAddress } from './protocol/address.js';

const BUCKETS = 1024;
const NONE = -1;

/** Peers a card remembers when nobody says otherwise. */
export const PEER_ENTRIES = 4096;

export class Peers {
  /** Four words a peer. */
  readonly addresses: Uint32Array;
  private readonly ipv4: Uint8Array;
  readonly macHi: Uint16Array;
  readonly macLo: Uint32Array;
  /** 1 when the MAC address is known. */
  readonly resolved: Uint8Array;
  /** When a packet of the peer came last, or its MAC address was confirmed. */
  readonly heardPs: Float64Array;
  private readonly users: Int32Array;
  private readonly next: Int32Array;
  private readonly buckets = new Int32Array(BUCKETS).fill(NONE);
  private count = 0;
  private victim = 0;
  /** Called when a number passes to another host, and when it is given out first. */
  onReplaced: (peer: number) => void = () => undefined;

  constructor(readonly capacity = PEER_ENTRIES) {
    this.addresses = new Uint32Array(capacity * 4);
    this.ipv4 = new Uint8Array(capacity);
    this.macHi = new Uint16Array(capacity);
    this.macLo = new Uint32Array(capacity);
    this.resolved = new Uint8Array(capacity);
    this.heardPs = new Float64Array(capacity);
    this.users = new Int32Array(capacity);
    this.next = new Int32Array(capacity).fill(NONE);
  }

  reset(): void {
    this.buckets.fill(NONE);
    this.users.fill(0);
    this.count = 0;
    this.victim = 0;
  }

  /** The card's clock was moved back. */
  rebase(byPs: number): void {
    for (let peer = 0; peer < this.count; peer++) this.heardPs[peer]! -= byPs;
  }

  /** Number of the peer with this address, -1 when it has none. */
  find(words: Uint32Array): number {
    for (let peer = this.buckets[hash(words)]!; peer !== NONE; peer = this.next[peer]!) {
      if (sameAddress(this.addresses, peer * 4, words, 0)) return peer;
    }
    return NONE;
  }

  /** Number of the peer, a new one if need be; -1 when every number is in use. */
  findOrAdd(words: Uint32Array): number {
    const known = this.find(words);
    if (known !== NONE) return known;
    const peer = this.count < this.capacity ? this.count++ : this.evict();
    if (peer === NONE) return NONE;
    copyAddress(words, 0, this.addresses, peer * 4);
    this.ipv4[peer] = isMapped(words) ? 1 : 0;
    this.resolved[peer] = 0;
    const bucket = hash(words);
    this.next[peer] = this.buckets[bucket]!;
    this.buckets[bucket] = peer;
    this.onReplaced(peer);
    return peer;
  }

  /** Peers known so far: numbers are below it. */
  get size(): number {
    return this.count;
  }

  hold(peer: number): void {
    this.users[peer]!++;
  }

  letGo(peer: number): void {
    this.users[peer]!--;
  }

  isIpv4(peer: number): boolean {
    return this.ipv4[peer] === 1;
  }

  /** The address of a peer; a view, made for each call. */
  address(peer: number): Uint32Array {
    return this.addresses.subarray(peer * 4, peer * 4 + 4);
  }

  setMac(peer: number, hi: number, lo: number): void {
    this.macHi[peer] = hi;
    this.macLo[peer] = lo;
    this.resolved[peer] = 1;
  }

  private evict(): number {
    for (let tried = 0; tried < this.capacity; tried++) {
      const peer = this.victim;
      this.victim = (this.victim + 1) % this.capacity;
      if (this.users[peer] !== 0) continue;
      this.unlink(peer);
      return peer;
    }
    return NONE;
  }

  private unlink(peer: number): void {
    const bucket = hash(this.addresses, peer * 4);
    let at = this.buckets[bucket]!;
    if (at === peer) {
      this.buckets[bucket] = this.next[peer]!;
      return;
    }
    while (this.next[at] !== peer) at = this.next[at]!;
    this.next[at] = this.next[peer]!;
  }
}

function hash(words: Uint32Array, at = 0): number {
  let value = Math.imul(words[at + 3]!, 0x9e3779b1) ^ Math.imul(words[at + 2]!, 0x85ebca6b);
  value ^= Math.imul(words[at]! ^ words[at + 1]!, 0xc2b2ae35);
  return ((value >>> 15) ^ value) & (BUCKETS - 1);
}
