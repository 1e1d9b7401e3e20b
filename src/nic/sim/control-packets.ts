// SPDX-License-Identifier: Apache-2.0
/** Builds and sends every packet type but DATA. They travel at the highest level (docs/protocol.md#priority-byte). */
import { Counter } from '../regs.js';
import type { Counters } from './counters.js';
import type { Outbox } from './outbox.js';
import type { Peers } from './peers.js';
import type { AckStore } from './protocol/ack-store.js';
import { encodeFrame } from './protocol/frame.js';
import { FrameRecord } from './protocol/frame-record.js';
import { HomaType, startPacket } from './protocol/homa-header.js';
import type { Rpc } from './rpc.js';
import type { Settings } from './settings.js';

/** Shared by all cards of the process: in use within one call only, and so always near the processor. */
const record = new FrameRecord();

export class ControlPackets {
  constructor(
    private readonly outbox: Outbox,
    private readonly peers: Peers,
    private readonly settings: Settings,
    private readonly acks: AckStore,
    private readonly counters: Counters,
  ) {}

  grant(rpc: Rpc, offset: number, priority: number): void {
    this.startFor(rpc, HomaType.grant);
    record.offset = offset;
    record.priority = priority;
    this.send(rpc.peer, Counter.grantsSent);
  }

  /** Asks for [offset, offset + length), or for everything sent so far with length -1. */
  resend(rpc: Rpc, offset: number, length: number, priority: number): void {
    this.startFor(rpc, HomaType.resend);
    record.offset = offset;
    record.length = length;
    record.priority = priority;
    this.send(rpc.peer, Counter.resendsSent);
  }

  busy(rpc: Rpc): void {
    this.startFor(rpc, HomaType.busy);
    this.send(rpc.peer, Counter.busysSent);
  }

  needAck(rpc: Rpc): void {
    this.startFor(rpc, HomaType.needAck);
    this.send(rpc.peer, Counter.needAcksSent);
  }

  /** Our cutoffs, to a peer whose DATA for this RPC shows that it does not know them. */
  cutoffs(rpc: Rpc): void {
    this.startFor(rpc, HomaType.cutoffs);
    record.cutoffs.set(this.settings.cutoffs);
    record.cutoffVersion = this.settings.cutoffVersion;
    this.send(rpc.peer, Counter.cutoffsSent);
  }

  /** Acknowledges this RPC and everything in the peer's store. */
  ack(peer: number, ownPort: number, peerPort: number, idHi: number, idLo: number): void {
    this.start(HomaType.ack, ownPort, peerPort, idHi, idLo);
    this.acks.drainInto(peer, record);
    this.send(peer, Counter.acksSent);
  }

  /** Answers a RESEND for an RPC that we do not have: ports and id turned round. */
  unknown(peer: number, to: FrameRecord): void {
    this.start(HomaType.rpcUnknown, to.destinationPort, to.sourcePort, to.senderIdHi, to.localIdLo);
    this.send(peer, Counter.unknownsSent);
  }

  private startFor(rpc: Rpc, type: HomaType): void {
    this.start(type, rpc.ownPort, rpc.peerPort, rpc.idHi, rpc.idLo);
  }

  private start(type: HomaType, ownPort: number, peerPort: number, idHi: number, idLo: number): void {
    startPacket(record, type);
    record.sourcePort = ownPort;
    record.destinationPort = peerPort;
    record.senderIdHi = idHi;
    record.senderIdLo = idLo;
  }

  /** Control packets to a peer without a MAC address are not kept: the protocol repeats what matters. */
  private send(peer: number, counter: number): void {
    if (!this.peers.isResolved(peer)) return;
    this.outbox.addressTo(record, peer, this.settings.controlPriority);
    this.counters.add(counter);
    this.outbox.sendControl(encodeFrame(record));
  }
}
