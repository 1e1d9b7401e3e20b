// SPDX-License-Identifier: Apache-2.0
/**
 * The other hosts, as small integers: address to number by hashing, and what the card keeps for each.
 *
 * A number is given out while an RPC uses it or room is left; when the table is full, one that no RPC uses is given to
 * the newcomer, and `onReplaced` lets others forget what they kept for the former holder.
 *
 * All that is known of a peer lies side by side in one record, and room for records is made as peers come: a packet
 * concerns one peer among many, and its record is seldom in the processor's cache.
 */
import { copyAddress, isMapped, sameAddress } from './protocol/address.js';

const NONE = -1;
const START_ENTRIES = 16;

/**
 * A record in words: address 4, MAC address 2, whether that is known, family, RPCs, next in the bucket, time 2. What is
 * behind belongs to the table: two of its buckets in each record. A link of a bucket is a peer's number + 1, 0 for none.
 */
const RECORD_BITS = 4;
const MAC_HI = 4;
const MAC_LO = 5;
const RESOLVED = 6;
const IPV4 = 7;
const RPCS = 8;
const NEXT = 9;
/** in halves of a record: two words are one time */
const HEARD_PS = 5;
const OWN_WORDS = 12;
const BUCKETS = 12;

/** Peers a card remembers when nobody says otherwise. */
export const PEER_ENTRIES = 4096;

export class Peers {
  /** The records; a peer's address is at `at(peer)`. */
  words = new Uint32Array(START_ENTRIES << RECORD_BITS);
  private times = new Float64Array(this.words.buffer);
  private count = 0;
  private victim = 0;
  /** Called when a number passes to another host, and when it is given out first. */
  onReplaced: (peer: number) => void = () => undefined;

  constructor(readonly capacity = PEER_ENTRIES) {}

  reset(): void {
    this.words.fill(0);
    this.count = 0;
    this.victim = 0;
  }

  /** The card's clock was moved back. */
  rebase(byPs: number): void {
    for (let peer = 0; peer < this.count; peer++) this.setHeard(peer, this.heardPs(peer) - byPs);
  }

  /** Place of a peer's address in `words`. */
  at(peer: number): number {
    return peer << RECORD_BITS;
  }

  /** Number of the peer with this address, -1 when it has none. */
  find(address: Uint32Array): number {
    const { words } = this;
    let peer = words[this.bucketOf(address, 0)]! - 1;
    while (peer !== NONE && !sameAddress(words, peer << RECORD_BITS, address, 0)) {
      peer = words[(peer << RECORD_BITS) + NEXT]! - 1;
    }
    return peer;
  }

  /** Number of the peer, a new one if need be; -1 when every number is in use. */
  findOrAdd(address: Uint32Array): number {
    const known = this.find(address);
    if (known !== NONE) return known;
    const peer = this.count < this.capacity ? this.count++ : this.evict();
    if (peer === NONE) return NONE;
    if (peer << RECORD_BITS === this.words.length) this.grow();
    const at = peer << RECORD_BITS;
    this.words.fill(0, at, at + OWN_WORDS);
    copyAddress(address, 0, this.words, at);
    this.words[at + IPV4] = isMapped(address) ? 1 : 0;
    this.link(peer);
    this.onReplaced(peer);
    return peer;
  }

  /** Peers known so far: numbers are below it. */
  get size(): number {
    return this.count;
  }

  hold(peer: number): void {
    this.words[(peer << RECORD_BITS) + RPCS]!++;
  }

  letGo(peer: number): void {
    this.words[(peer << RECORD_BITS) + RPCS]!--;
  }

  isIpv4(peer: number): boolean {
    return this.words[(peer << RECORD_BITS) + IPV4] === 1;
  }

  /** The address of a peer; a view, made for each call. */
  address(peer: number): Uint32Array {
    return this.words.subarray(peer << RECORD_BITS, (peer << RECORD_BITS) + 4);
  }

  macHi(peer: number): number {
    return this.words[(peer << RECORD_BITS) + MAC_HI]!;
  }

  macLo(peer: number): number {
    return this.words[(peer << RECORD_BITS) + MAC_LO]!;
  }

  /** Whether the MAC address is known. */
  isResolved(peer: number): boolean {
    return this.words[(peer << RECORD_BITS) + RESOLVED] === 1;
  }

  /** Whether this is the MAC address that is known. */
  hasMac(peer: number, hi: number, lo: number): boolean {
    const at = peer << RECORD_BITS;
    return (
      this.words[at + RESOLVED] === 1 && this.words[at + MAC_LO] === lo && this.words[at + MAC_HI] === hi
    );
  }

  setMac(peer: number, hi: number, lo: number): void {
    const at = peer << RECORD_BITS;
    this.words[at + MAC_HI] = hi;
    this.words[at + MAC_LO] = lo;
    this.words[at + RESOLVED] = 1;
  }

  /** The MAC address is not to be used any more. */
  forgetMac(peer: number): void {
    this.words[(peer << RECORD_BITS) + RESOLVED] = 0;
  }

  /** When a packet of the peer came last, or its MAC address was confirmed. */
  heardPs(peer: number): number {
    return this.times[(peer << (RECORD_BITS - 1)) + HEARD_PS]!;
  }

  setHeard(peer: number, timePs: number): void {
    this.times[(peer << (RECORD_BITS - 1)) + HEARD_PS] = timePs;
  }

  private evict(): number {
    for (let tried = 0; tried < this.capacity; tried++) {
      const peer = this.victim;
      this.victim = (this.victim + 1) % this.capacity;
      if (this.words[(peer << RECORD_BITS) + RPCS] !== 0) continue;
      this.unlink(peer);
      return peer;
    }
    return NONE;
  }

  private grow(): void {
    const { words } = this;
    this.words = new Uint32Array(2 * words.length);
    this.times = new Float64Array(this.words.buffer);
    const known = words.length >> RECORD_BITS;
    for (let peer = 0; peer < known; peer++) {
      const at = peer << RECORD_BITS;
      this.words.set(words.subarray(at, at + OWN_WORDS), at);
    }
    for (let peer = 0; peer < known; peer++) this.link(peer);
  }

  private link(peer: number): void {
    const at = peer << RECORD_BITS;
    const bucket = this.bucketOf(this.words, at);
    this.words[at + NEXT] = this.words[bucket]!;
    this.words[bucket] = peer + 1;
  }

  private unlink(peer: number): void {
    const { words } = this;
    const bucket = this.bucketOf(words, peer << RECORD_BITS);
    const next = words[(peer << RECORD_BITS) + NEXT]!;
    let at = words[bucket]! - 1;
    if (at === peer) {
      words[bucket] = next;
      return;
    }
    for (;;) {
      const place = (at << RECORD_BITS) + NEXT;
      at = words[place]! - 1;
      if (at !== peer) continue;
      words[place] = next;
      return;
    }
  }

  /** Place of the bucket of the address at `at`. */
  private bucketOf(words: Uint32Array, at: number): number {
    let value = Math.imul(words[at + 3]!, 0x9e3779b1) ^ Math.imul(words[at + 2]!, 0x85ebca6b);
    value ^= Math.imul(words[at]! ^ words[at + 1]!, 0xc2b2ae35);
    const bucket = ((value >>> 15) ^ value) & ((this.words.length >> (RECORD_BITS - 1)) - 1);
    return ((bucket >> 1) << RECORD_BITS) + BUCKETS + (bucket & 1);
  }
}
