// SPDX-License-Identifier: Apache-2.0
/** Puts the transport's parts together: what the calls, the wire and the timer share. */
import { DmaStatus } from '../device.js';
import { Code } from '../regs.js';
import type { Agenda } from './agenda.js';
import type { Aperture } from './aperture.js';
import { ControlPackets } from './control-packets.js';
import type { Counters } from './counters.js';
import type { CycleTable } from './cycle-table.js';
import { Delivery } from './delivery.js';
import type { Dma, DmaListener } from './dma.js';
import { Ingress } from './ingress.js';
import type { UserLifecycle } from './kernel-calls.js';
import { Lifecycle } from './lifecycle.js';
import type { Mac } from './mac.js';
import { MessageCallHandlers } from './message-calls.js';
import { NextHops } from './next-hops.js';
import { Outbox } from './outbox.js';
import { Peers } from './peers.js';
import { Pools } from './pool.js';
import type { Ports } from './ports.js';
import { PostedReceives } from './posted-receives.js';
import { AckStore } from './protocol/ack-store.js';
import { PeerCutoffs } from './protocol/cutoffs.js';
import { FinishedFilter } from './protocol/finished-filter.js';
import { GrantScheduler } from './protocol/grants.js';
import { type IcmpError, IcmpVerdict } from './protocol/icmp.js';
import type { Registers } from './registers.js';
import type { Results } from './results.js';
import { RpcState } from './rpc.js';
import { RpcTable } from './rpc-table.js';
import { Settings } from './settings.js';
import { Timers } from './timers.js';
import type { Users } from './users.js';

/** Finished RPCs remembered for sure, and for how many ticks at least, or the time-out: no packet is older. */
const FINISHED_IDS = 65_536;
const FINISHED_TICKS = 100;

export class Transport implements UserLifecycle, DmaListener {
  readonly settings = new Settings();
  readonly table: RpcTable;
  readonly pools: Pools;
  readonly nextHops: NextHops;
  readonly outbox: Outbox;
  readonly calls: MessageCallHandlers;
  readonly ingress: Ingress;
  readonly timers: Timers;
  /** Cleared when a user comes or goes. */
  aperture: Aperture | undefined;
  private readonly peers = new Peers();
  private readonly acks = new AckStore();
  private readonly cutoffs = new PeerCutoffs();
  private readonly finished = new FinishedFilter(FINISHED_IDS, FINISHED_TICKS);
  private readonly receives = new PostedReceives();
  private readonly grants: GrantScheduler;
  private readonly lifecycle: Lifecycle;
  private readonly delivery: Delivery;

  constructor(
    agenda: Agenda,
    counters: Counters,
    private readonly registers: Registers,
    users: Users,
    ports: Ports,
    dma: Dma,
    private readonly results: Results,
    mac: Mac,
    cycles: CycleTable,
    rpcEntries: number,
    idEpoch: number,
  ) {
    const { settings, peers, acks, cutoffs, finished, receives } = this;
    this.table = new RpcTable(rpcEntries);
    const { table } = this;
    this.pools = new Pools(counters);
    this.outbox = new Outbox(agenda, counters, dma, mac, table, peers, settings, acks, cutoffs, cycles);
    this.nextHops = new NextHops(agenda, peers, settings, this.outbox, counters);
    const { outbox, nextHops, pools } = this;
    const control = new ControlPackets(outbox, peers, settings, acks, counters);
    this.grants = new GrantScheduler(table.size, settings.grants, (message, offset, priority) => {
      const rpc = table.at(message);
      rpc.rxGranted = offset;
      control.grant(rpc, offset, priority);
    });
    const { grants } = this;
    table.onResize = (size) => {
      outbox.queue.resize(size);
      grants.resize(size);
    };
    const lifecycle = new Lifecycle(
      table,
      peers,
      outbox,
      grants,
      pools,
      receives,
      results,
      finished,
      counters,
    );
    this.lifecycle = lifecycle;
    this.delivery = new Delivery(
      lifecycle,
      receives,
      pools,
      results,
      dma,
      peers,
      acks,
      grants,
      control,
      settings,
      counters,
    );
    const { delivery } = this;
    this.timers = new Timers(
      agenda,
      settings,
      table,
      peers,
      nextHops,
      outbox,
      control,
      lifecycle,
      finished,
      mac,
    );
    this.calls = new MessageCallHandlers(
      users,
      results,
      table,
      peers,
      nextHops,
      lifecycle,
      outbox,
      delivery,
      receives,
      pools,
      cutoffs,
      settings,
      idEpoch,
    );
    this.ingress = new Ingress(
      agenda,
      settings,
      counters,
      users,
      ports,
      peers,
      nextHops,
      table,
      lifecycle,
      delivery,
      outbox,
      control,
      this.timers,
      cutoffs,
      finished,
      grants,
    );
    dma.listener = this;
    outbox.onReadFailed = (rpc) => lifecycle.fail(rpc, Code.dmaError);
    nextHops.onResolved = (peer) => this.peerFound(peer);
    nextHops.onError = (error) => this.peerRefuses(error);
    peers.onReplaced = (peer) => {
      acks.clear(peer);
      cutoffs.reset(peer);
      finished.forget(peer);
    };
    this.parametersChanged();
  }

  /** The state after power-on, but for the ids, which go on. */
  reset(): void {
    for (const rpc of this.table.liveRpcs()) {
      this.outbox.queue.remove(rpc.index);
      this.grants.remove(rpc.index);
    }
    this.table.reset();
    for (let peer = 0; peer < this.peers.size; peer++) this.peers.onReplaced(peer);
    this.peers.reset();
    this.receives.reset();
    this.lifecycle.reset();
    this.pools.reset();
    this.outbox.reset();
    this.nextHops.reset();
    this.timers.reset();
    this.parametersChanged();
  }

  /** The card's clock was moved back. */
  rebase(byPs: number): void {
    this.peers.rebase(byPs);
    this.cutoffs.rebase(byPs);
    this.grants.rebase(byPs);
    this.outbox.rebase(byPs);
    this.nextHops.rebase(byPs);
    this.timers.rebase(byPs);
  }

  /** A register was written. */
  parametersChanged(): void {
    this.settings.load(this.registers);
    this.outbox.queue.fifoFraction = this.settings.pacerFifoFraction;
    this.finished.lifetime = Math.max(FINISHED_TICKS, this.settings.timeoutTicks);
    this.nextHops.configure();
  }

  opened(user: number): void {
    this.aperture?.clearUser(user);
    this.results.openUser(user);
    this.receives.clearUser(user);
  }

  closed(user: number): void {
    this.aperture?.clearUser(user);
    this.pools.setRegion(user, 0);
  }

  /** Ends all a user has under way; the peers are told nothing. Calls that wait get the code. */
  abort(user: number, code: Code): void {
    for (const slot of this.receives.waitingSlots(user)) {
      this.receives.withdraw(user, slot);
      this.lifecycle.failReceive(user, slot, code);
    }
    // What lies in the pool or has no room is not to be served while the others end.
    this.lifecycle.forgetLists(user);
    for (const rpc of this.table.liveRpcs().filter((live) => live.user === user)) {
      if (rpc.livePlace >= 0) this.lifecycle.fail(rpc, code, true);
    }
  }

  receiveMapChanged(user: number, lengthBytes: number): void {
    this.pools.setRegion(user, lengthBytes);
  }

  readArrived(token: number, position: number, status: DmaStatus, bytes: Uint8Array): void {
    this.outbox.readArrived(token, position, status, bytes);
  }

  writeFailed(token: number): void {
    const rpc = this.table.byToken(token);
    if (rpc !== undefined) this.delivery.writeFailed(rpc);
  }

  /** The peer's host says that a packet of ours cannot be delivered (docs/protocol.md#icmp). */
  private peerRefuses(error: IcmpError): void {
    const peer = this.peers.find(error.peer);
    if (peer < 0) return;
    const onlyPort = error.verdict === IcmpVerdict.portUnreachable;
    const code = onlyPort ? Code.portUnreachable : Code.unreachable;
    for (const rpc of this.table.liveRpcs().filter((live) => live.peer === peer)) {
      if (onlyPort && rpc.peerPort !== error.destinationPort) continue;
      if (rpc.state === RpcState.complete) continue;
      if (rpc.livePlace >= 0) this.lifecycle.fail(rpc, code);
    }
  }

  /** A peer's MAC address was found: its messages may go. It had nothing to answer before: its silence begins now. */
  private peerFound(peer: number): void {
    for (const rpc of this.table.liveRpcs()) {
      if (rpc.peer !== peer || !rpc.isSending) continue;
      rpc.silentTicks = 0;
      this.outbox.queue.setAvailable(rpc.index, rpc.txLength);
    }
    this.outbox.messageAdded();
  }
}
