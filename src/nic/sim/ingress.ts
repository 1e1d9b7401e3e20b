// SPDX-License-Identifier: Apache-2.0
/**
 * Received frames: the checks of docs/protocol.md#receive-checks in their order, then one handler a packet type.
 *
 * Whatever is dropped is counted by its cause. Nothing here throws or allocates for any bytes on the wire.
 */
import { Code, Counter } from '../regs.js';
import type { Agenda } from './agenda.js';
import type { ControlPackets } from './control-packets.js';
import type { Counters } from './counters.js';
import type { Delivery } from './delivery.js';
import type { Lifecycle } from './lifecycle.js';
import type { NextHops } from './next-hops.js';
import type { Outbox } from './outbox.js';
import type { Peers } from './peers.js';
import type { Ports } from './ports.js';
import type { PeerCutoffs } from './protocol/cutoffs.js';
import { DropCause } from './protocol/drop-cause.js';
import type { FinishedFilter } from './protocol/finished-filter.js';
import { dataFits, parseFrame } from './protocol/frame.js';
import { FrameRecord } from './protocol/frame-record.js';
import type { GrantScheduler } from './protocol/grants.js';
import { HomaType, MAX_MESSAGE_LENGTH } from './protocol/homa-header.js';
import { RpcState, type Rpc } from './rpc.js';
import type { RpcTable } from './rpc-table.js';
import type { Settings } from './settings.js';
import type { Timers } from './timers.js';
import type { Users } from './users.js';

/** Least time between two CUTOFFS to one peer: a kernel jiffy at 250 Hz (docs/protocol.md#unscheduled-priorities). */
const CUTOFFS_INTERVAL_PS = 4e9;

/** Counter of each cause that `parseFrame` can give, by number. */
const causeCounters: readonly number[] = (() => {
  const counters = new Array<number>(Object.keys(DropCause).length).fill(Counter.dropMalformed);
  counters[DropCause.notOurs] = Counter.dropNotOurs;
  counters[DropCause.otherEtherType] = Counter.dropNotOurs;
  counters[DropCause.otherProtocol] = Counter.dropNotOurs;
  counters[DropCause.shortHoma] = Counter.dropShort;
  counters[DropCause.shortForType] = Counter.dropShort;
  counters[DropCause.unknownType] = Counter.dropUnknownType;
  counters[DropCause.dataBounds] = Counter.dropBadOffset;
  return counters;
})();

/** Shared by all cards of the process: in use within one call only, and so always near the processor. */
const record = new FrameRecord();

export class Ingress {
  constructor(
    private readonly agenda: Agenda,
    private readonly settings: Settings,
    private readonly counters: Counters,
    private readonly users: Users,
    private readonly ports: Ports,
    private readonly peers: Peers,
    private readonly nextHops: NextHops,
    private readonly table: RpcTable,
    private readonly lifecycle: Lifecycle,
    private readonly delivery: Delivery,
    private readonly outbox: Outbox,
    private readonly control: ControlPackets,
    private readonly timers: Timers,
    private readonly cutoffs: PeerCutoffs,
    private readonly finished: FinishedFilter,
    private readonly grants: GrantScheduler,
  ) {}

  /** Takes in one frame. */
  receive(frame: Uint8Array): void {
    const cause = parseFrame(frame, record, this.settings.station);
    if (cause !== DropCause.ok) {
      const other = cause === DropCause.otherEtherType || cause === DropCause.otherProtocol;
      if (!other || !this.nextHops.frameIn(frame, record)) this.counters.add(causeCounters[cause]!);
      return;
    }
    if (record.type === HomaType.freeze) {
      this.counters.add(Counter.freezesReceived);
      return;
    }
    const port = record.destinationPort;
    const user = this.ports.user(port);
    const weAreServer = (record.localIdLo & 1) === 1;
    if (user === 0 || !this.users.isOpen(user) || (weAreServer && !this.ports.isServer(port))) {
      this.counters.add(Counter.dropNoPort);
      this.nextHops.refusePort(frame, record);
      return;
    }
    const peer = this.peers.findOrAdd(record.source);
    if (peer < 0) {
      this.counters.add(Counter.dropTableFull);
      return;
    }
    this.peers.setHeard(peer, this.agenda.nowPs);
    this.nextHops.heardFrom(peer, record.sourceMacHi, record.sourceMacLo);
    const found = this.table.find(peer, record.senderIdHi, record.localIdLo, record.sourcePort);
    const rpc = found !== undefined && found.ownPort === port ? found : undefined;
    this.grants.now = this.agenda.nowPs;
    this.dispatch(rpc, peer, user, frame);
    this.outbox.fetch();
  }

  private dispatch(rpc: Rpc | undefined, peer: number, user: number, frame: Uint8Array): void {
    switch (record.type) {
      case HomaType.data:
        this.data(rpc, peer, user, frame);
        break;
      case HomaType.grant:
        this.grant(rpc);
        break;
      case HomaType.resend:
        this.resend(rpc, peer);
        break;
      case HomaType.rpcUnknown:
        this.unknown(rpc);
        break;
      case HomaType.busy:
        this.counters.add(Counter.busysReceived);
        if (rpc === undefined) this.counters.add(Counter.dropNoRpc);
        else rpc.silentTicks = 0;
        break;
      case HomaType.cutoffs:
        this.counters.add(Counter.cutoffsReceived);
        this.cutoffs.store(peer, record);
        break;
      case HomaType.needAck:
        this.needAck(rpc, peer);
        break;
      case HomaType.ack:
        this.ack(rpc, peer);
        break;
    }
  }

  private data(known: Rpc | undefined, peer: number, user: number, frame: Uint8Array): void {
    if (record.ackClientIdLo !== 0 || record.ackClientIdHi !== 0) {
      this.acknowledged(peer, record.ackClientIdHi, record.ackClientIdLo, record.ackServerPort);
    }
    const rpc = known ?? this.createServer(peer, user);
    if (rpc === undefined) return;
    rpc.silentTicks = 0;
    this.announceCutoffs(rpc);
    if (rpc.isClient && rpc.rxLength < 0 && record.messageLength > MAX_MESSAGE_LENGTH) {
      this.counters.add(Counter.dropBadOffset);
      this.lifecycle.fail(rpc, Code.peerLength);
      return;
    }
    if (!dataFits(record, rpc.rxLength < 0 ? record.messageLength : rpc.rxLength)) {
      this.counters.add(Counter.dropBadOffset);
      return;
    }
    const receiving = rpc.state === RpcState.incoming || (rpc.isClient && rpc.state === RpcState.outgoing);
    if (receiving) this.delivery.data(rpc, record, frame);
    else this.counters.add(Counter.dropDuplicate);
  }

  /** A new server RPC for the first packet of a request; undefined when the packet does not make one. */
  private createServer(peer: number, user: number): Rpc | undefined {
    if ((record.localIdLo & 1) === 0) {
      this.counters.add(Counter.dropNoRpc);
      return undefined;
    }
    if (record.messageLength > MAX_MESSAGE_LENGTH || !dataFits(record, record.messageLength)) {
      this.counters.add(Counter.dropBadOffset);
      return undefined;
    }
    if (this.finished.has(peer, record.senderIdHi, record.localIdLo)) {
      this.counters.add(Counter.dropDuplicate);
      return undefined;
    }
    if (this.table.isFull) {
      this.counters.add(Counter.dropTableFull);
      return undefined;
    }
    return this.lifecycle.begin(
      user,
      peer,
      record.sourcePort,
      record.destinationPort,
      record.senderIdHi,
      record.localIdLo,
      RpcState.incoming,
    );
  }

  /** DATA that carries another version of our cutoffs than the present one. */
  private announceCutoffs(rpc: Rpc): void {
    const { settings } = this;
    const due = this.cutoffs.shouldAnnounce(
      rpc.peer,
      record.cutoffVersion,
      settings.cutoffVersion,
      this.agenda.nowPs,
      CUTOFFS_INTERVAL_PS,
    );
    if (due) this.control.cutoffs(rpc);
  }

  private grant(rpc: Rpc | undefined): void {
    this.counters.add(Counter.grantsReceived);
    if (rpc === undefined) {
      this.counters.add(Counter.dropNoRpc);
      return;
    }
    rpc.silentTicks = 0;
    if (rpc.state === RpcState.outgoing) {
      this.outbox.queue.grant(rpc.index, record.offset, record.priority);
    }
  }

  /** docs/protocol.md#resend-answer */
  private resend(rpc: Rpc | undefined, peer: number): void {
    this.counters.add(Counter.resendsReceived);
    // A client that has its response whole has nothing left to send: the server may forget the RPC.
    if (rpc === undefined || (rpc.isClient && !rpc.isSending)) {
      this.control.unknown(peer, record);
      return;
    }
    if (!rpc.isClient && rpc.state !== RpcState.outgoing) {
      this.control.busy(rpc);
      return;
    }
    rpc.needAcks = 0; // whoever asks is alive
    if (this.outbox.queue.resend(rpc.index, record.offset, record.length, record.priority)) {
      this.control.busy(rpc);
    }
  }

  /** The peer does not know the RPC: a server forgets it, a client's request was lost and goes again. */
  private unknown(rpc: Rpc | undefined): void {
    this.counters.add(Counter.unknownsReceived);
    if (rpc === undefined) this.counters.add(Counter.dropNoRpc);
    else if (!rpc.isClient) this.lifecycle.fail(rpc, Code.noRpc);
    else if (rpc.state === RpcState.outgoing) this.outbox.queue.resendAll(rpc.index);
  }

  /** The server wants to forget the RPC: the answer is an ACK, or what is still missing (docs/protocol.md#ack-rules). */
  private needAck(rpc: Rpc | undefined, peer: number): void {
    this.counters.add(Counter.needAcksReceived);
    if (rpc !== undefined && rpc.state !== RpcState.complete) {
      this.timers.askAgain(rpc);
      return;
    }
    this.control.ack(peer, record.destinationPort, record.sourcePort, record.senderIdHi, record.localIdLo);
  }

  private ack(rpc: Rpc | undefined, peer: number): void {
    this.counters.add(Counter.acksReceived);
    if (rpc !== undefined && !rpc.isClient && rpc.state === RpcState.outgoing) this.lifecycle.complete(rpc);
    for (let i = 0; i < record.numAcks; i++) {
      this.acknowledged(peer, record.ackIdHi[i]!, record.ackIdLo[i]!, record.ackPort[i]!);
    }
  }

  /** One ack element: ends our server RPC if it has been answered; anything else is ignored. */
  private acknowledged(peer: number, clientIdHi: number, clientIdLo: number, serverPort: number): void {
    const rpc = this.table.find(peer, clientIdHi, (clientIdLo | 1) >>> 0);
    if (rpc === undefined || rpc.ownPort !== serverPort || rpc.state !== RpcState.outgoing) return;
    this.lifecycle.complete(rpc);
  }
}
