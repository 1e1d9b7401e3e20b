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

export class AckStore {
  private counts = new Uint8Array(0);
  private idHi = new Uint32Array(0);
  private idLo = new Uint32Array(0);
  private ports = new Uint16Array(0);

  /** Keeps the ack of a finished RPC (the client's id, the server's port). Answers false, keeping nothing, when full. */
  push(peer: number, clientIdHi: number, clientIdLo: number, serverPort: number): boolean {
    if (peer >= this.counts.length) this.grow(peer);
    const count = this.counts[peer]!;
    if (count === MAX_ACKS) return false;
    const at = peer * MAX_ACKS + count;
    this.idHi[at] = clientIdHi;
    this.idLo[at] = clientIdLo;
    this.ports[at] = serverPort;
    this.counts[peer] = count + 1;
    return true;
  }

  /** Acks waiting for this peer. */
  count(peer: number): number {
    return peer < this.counts.length ? this.counts[peer]! : 0;
  }

  /** Moves the newest ack into the record's DATA fields; without one they become zero, which says "no ack". */
  attachTo(peer: number, record: FrameRecord): void {
    const count = this.count(peer);
    if (count === 0) {
      record.ackClientIdHi = record.ackClientIdLo = record.ackServerPort = 0;
      return;
    }
    const at = peer * MAX_ACKS + count - 1;
    record.ackClientIdHi = this.idHi[at]!;
    record.ackClientIdLo = this.idLo[at]!;
    record.ackServerPort = this.ports[at]!;
    this.counts[peer] = count - 1;
  }

  /** Moves every ack into the record's ACK fields and sets `numAcks`. */
  drainInto(peer: number, record: FrameRecord): void {
    const count = this.count(peer);
    record.numAcks = count;
    for (let i = 0; i < count; i++) {
      record.ackIdHi[i] = this.idHi[peer * MAX_ACKS + i]!;
      record.ackIdLo[i] = this.idLo[peer * MAX_ACKS + i]!;
      record.ackPort[i] = this.ports[peer * MAX_ACKS + i]!;
    }
    if (count > 0) this.counts[peer] = 0;
  }

  /** Forgets what is kept for a peer. */
  clear(peer: number): void {
    if (peer < this.counts.length) this.counts[peer] = 0;
  }

  private grow(peer: number): void {
    const size = Math.max(peer + 1, 2 * this.counts.length, 16);
    const counts = new Uint8Array(size);
    const idHi = new Uint32Array(size * MAX_ACKS);
    const idLo = new Uint32Array(size * MAX_ACKS);
    const ports = new Uint16Array(size * MAX_ACKS);
    counts.set(this.counts);
    idHi.set(this.idHi);
    idLo.set(this.idLo);
    ports.set(this.ports);
    this.counts = counts;
    this.idHi = idHi;
    this.idLo = idLo;
    this.ports = ports;
  }
}
