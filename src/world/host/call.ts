// SPDX-License-Identifier: Apache-2.0
// Calls and results as their 64 bytes.
import { CALL_BYTES, CodeText, HeaderLayout, ResultFlag } from '../../nic/regs.js';

/** The other end of an RPC: 16 address bytes (IPv4 as ::ffff:a.b.c.d) and its Homa port. */
export interface Peer {
  readonly address: Uint8Array;
  readonly port: number;
}

/** Builds calls in one reused array of 64 bytes. */
export class CallWriter {
  readonly bytes = new Uint8Array(CALL_BYTES);
  // little-endian words, as every machine that Node runs on has them
  private readonly words = new Int32Array(this.bytes.buffer);

  /** Starts a call: everything 0 but these. */
  begin(flags: number, retoff: number, offset: number, sizeBytes: number, cookie: number): void {
    const { words } = this;
    for (let i = 0; i < words.length; i++) words[i] = 0;
    words[HeaderLayout.status.offset / 4] = flags;
    words[HeaderLayout.buffAddr.offset / 4] = offset;
    words[HeaderLayout.metadata.offset / 4] = sizeBytes * 4096 + retoff;
    words[HeaderLayout.cc.offset / 4] = cookie;
  }

  setPeer(peer: Peer): void {
    const { bytes } = this;
    const { address } = peer;
    for (let i = 0; i < 16; i++) bytes[HeaderLayout.daddr.offset + i] = address[i]!;
    this.setPort(HeaderLayout.dport.offset, peer.port);
  }

  /** Sets peer, own port and id of the RPC that a result tells of: for its response. */
  answer(request: CallResult): void {
    const { words } = this;
    for (let i = 0; i < 4; i++) words[HeaderLayout.daddr.offset / 4 + i] = request.peerWords[i]!;
    words[HeaderLayout.sport.offset / 4] = request.ownPort | (request.peerPort << 16);
    this.setId(request.idLow, request.idHigh);
  }

  /** Our own port, which names the server port a response comes from or a recvmsg listens on. */
  setOwnPort(port: number): void {
    this.setPort(HeaderLayout.sport.offset, port);
  }

  setId(low: number, high: number): void {
    this.words[HeaderLayout.id.offset / 4] = low;
    this.words[HeaderLayout.id.offset / 4 + 1] = high;
  }

  private setPort(offset: number, port: number): void {
    this.bytes[offset] = port;
    this.bytes[offset + 1] = port >>> 8;
  }
}

/** A result as the library sees it; one object, filled again for each result. */
export class CallResult {
  slot = 0;
  /** ResultFlag bits */
  flags = 0;
  code = 0;
  sequence = 0;
  peerPort = 0;
  ownPort = 0;
  offset = 0;
  sizeBytes = 0;
  idLow = 0;
  idHigh = 0;
  cookie = 0;
  readonly peerAddress = new Uint8Array(16);
  readonly peerWords = new Int32Array(this.peerAddress.buffer);

  get final(): boolean {
    return (this.flags & ResultFlag.final) !== 0;
  }

  get failed(): boolean {
    return (this.flags & ResultFlag.failed) !== 0;
  }

  /** Becomes a copy of another result. */
  copyFrom(other: CallResult): void {
    this.slot = other.slot;
    this.flags = other.flags;
    this.code = other.code;
    this.sequence = other.sequence;
    this.peerPort = other.peerPort;
    this.ownPort = other.ownPort;
    this.offset = other.offset;
    this.sizeBytes = other.sizeBytes;
    this.idLow = other.idLow;
    this.idHigh = other.idHigh;
    this.cookie = other.cookie;
    for (let i = 0; i < 4; i++) this.peerWords[i] = other.peerWords[i]!;
  }

  /** Fills from the 16 words at `word` of an array. */
  read(slot: number, words: Int32Array, word: number): void {
    const status = words[word]!;
    this.slot = slot;
    this.flags = status & 0xff;
    this.code = (status >>> 8) & 0xff;
    this.sequence = status >>> 16;
    const ports = words[word + 9]!;
    this.ownPort = ports & 0xffff;
    this.peerPort = ports >>> 16;
    this.offset = words[word + 10]! >>> 0;
    this.sizeBytes = words[word + 11]! >>> 12;
    this.idLow = words[word + 12]! >>> 0;
    this.idHigh = words[word + 13]! >>> 0;
    this.cookie = words[word + 14]! >>> 0;
    for (let i = 0; i < 4; i++) this.peerWords[i] = words[word + 5 + i]!;
  }

  /** The code's sentence. */
  get text(): string {
    return CodeText[this.code] ?? `code ${this.code}`;
  }
}
