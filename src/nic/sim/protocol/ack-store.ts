// SPDX-License-Identifier: Apache-2.0
/**
 * Acks that wait for a packet to ride on (docs/protocol.md#ack-rules): up to five a peer, last in first out.
 *
 * At the client, `push` when the application has its response; a false answer means the store is full: send an ACK packet
 * for that RPC, filled by `drainInto`. `attachTo` puts one into a DATA packet about to leave. `drainInto` also serves the
 * answer to NEED_ACK. Peers are small integers of the caller's.
 */
import type { FrameRecord } from './frame-record.js';
import { MAX_ACKS } from './homa-header.js';

/** A peer's record in words: id high, id low and port of each ack, and then how many there are. */
const RECORD_BITS = 4;
const COUNT = 15;
const ACK_WORDS = 3;

export class AckStore {
  private words = new Uint32Array(0);

  /** Keeps the ack of a finished RPC (the client's id, the server's port). Answers false, keeping nothing, when full. */
  push(peer: number, clientIdHi: number, clientIdLo: number, serverPort: number): boolean {
    const from = peer << RECORD_BITS;
    if (from >= this.words.length) this.grow(peer);
    const { words } = this;
    const count = words[from + COUNT]!;
    if (count === MAX_ACKS) return false;
    const at = from + count * ACK_WORDS;
    words[at] = clientIdHi;
    words[at + 1] = clientIdLo;
    words[at + 2] = serverPort;
    words[from + COUNT] = count + 1;
    return true;
  }

  /** Acks waiting for this peer. */
  count(peer: number): number {
    const at = (peer << RECORD_BITS) + COUNT;
    return at < this.words.length ? this.words[at]! : 0;
  }

  /** Moves the newest ack into the record's DATA fields; without one they become zero, which says "no ack". */
  attachTo(peer: number, record: FrameRecord): void {
    const count = this.count(peer);
    if (count === 0) {
      record.ackClientIdHi = record.ackClientIdLo = record.ackServerPort = 0;
      return;
    }
    const { words } = this;
    const from = peer << RECORD_BITS;
    const at = from + (count - 1) * ACK_WORDS;
    record.ackClientIdHi = words[at]!;
    record.ackClientIdLo = words[at + 1]!;
    record.ackServerPort = words[at + 2]!;
    words[from + COUNT] = count - 1;
  }

  /** Moves every ack into the record's ACK fields and sets `numAcks`. */
  drainInto(peer: number, record: FrameRecord): void {
    const { words } = this;
    const count = this.count(peer);
    record.numAcks = count;
    for (let i = 0, at = peer << RECORD_BITS; i < count; i++, at += ACK_WORDS) {
      record.ackIdHi[i] = words[at]!;
      record.ackIdLo[i] = words[at + 1]!;
      record.ackPort[i] = words[at + 2]!;
    }
    this.clear(peer);
  }

  /** Forgets what is kept for a peer. */
  clear(peer: number): void {
    const at = (peer << RECORD_BITS) + COUNT;
    if (at < this.words.length) this.words[at] = 0;
  }

  private grow(peer: number): void {
    const { words } = this;
    this.words = new Uint32Array(Math.max((peer + 1) << RECORD_BITS, 2 * words.length, 16 << RECORD_BITS));
    this.words.set(words);
  }
}
