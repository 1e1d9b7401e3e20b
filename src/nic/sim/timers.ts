// SPDX-License-Identifier: Apache-2.0
/**
 * The timer (docs/protocol.md#timer): one pass over the live RPCs each tick. It is armed while there is something to
 * watch, and stands still otherwise.
 */
import { Code } from '../regs.js';
import type { Agenda } from './agenda.js';
import { CardEvent } from './card-event.js';
import type { ControlPackets } from './control-packets.js';
import type { Lifecycle } from './lifecycle.js';
import type { Mac } from './mac.js';
import type { NextHops } from './next-hops.js';
import type { Outbox } from './outbox.js';
import type { Peers } from './peers.js';
import { RangeList } from './protocol/interval-set.js';
import type { FinishedFilter } from './protocol/finished-filter.js';
import { Placement, RpcState, type Rpc } from './rpc.js';
import type { RpcTable } from './rpc-table.js';
import type { Settings } from './settings.js';

export class Timers {
  private armed = false;
  /** The tick that number `ticksBefore` was at this instant: 0 and 0, until the clock is moved back. */
  private basePs = 0;
  private ticksBefore = 0;
  private readonly missing = new RangeList();

  constructor(
    private readonly agenda: Agenda,
    private readonly settings: Settings,
    private readonly table: RpcTable,
    private readonly peers: Peers,
    private readonly nextHops: NextHops,
    private readonly outbox: Outbox,
    private readonly control: ControlPackets,
    private readonly lifecycle: Lifecycle,
    private readonly finished: FinishedFilter,
    private readonly mac: Mac,
  ) {
    lifecycle.onLive = () => this.arm();
  }

  reset(): void {
    this.armed = false;
  }

  /** Makes sure that the next tick comes. Ticks fall on whole multiples of their length. */
  arm(): void {
    if (this.armed) return;
    this.armed = true;
    const { tickPs } = this.settings;
    const passed = Math.floor((this.agenda.nowPs - this.basePs) / tickPs);
    this.lifecycle.tick = this.ticksBefore + passed;
    this.agenda.schedule(this.basePs + (passed + 1) * tickPs, CardEvent.tick);
  }

  /** The card's clock was moved back: ticks keep their numbers and stay where they are between other events. */
  rebase(byPs: number): void {
    const { tickPs } = this.settings;
    const passed = Math.floor((byPs - this.basePs) / tickPs);
    this.basePs += passed * tickPs - byPs;
    this.ticksBefore += passed;
  }

  tick(): void {
    this.armed = false;
    const tick = ++this.lifecycle.tick;
    // From the end: an RPC that ends here gives its place to one that has had its turn.
    for (let i = this.table.liveCount - 1; i >= 0; i--) {
      if (i < this.table.liveCount) this.check(this.table.liveAt(i), tick);
    }
    this.finished.sweep(tick);
    const busy = this.nextHops.tick();
    this.outbox.fetch();
    if (this.table.liveCount > 0 || busy || this.finished.size > 0) this.arm();
  }

  /** One RPC, in the order of docs/protocol.md#timer. */
  private check(rpc: Rpc, tick: number): void {
    if (rpc.state === RpcState.inService || rpc.state === RpcState.complete) return;
    rpc.silentTicks++;
    if (rpc.state === RpcState.outgoing && this.waitsForNeighbour(rpc)) return;
    if (!rpc.isClient && rpc.state === RpcState.outgoing) {
      if (this.outbox.queue.sentBytes(rpc.index) < rpc.txLength) this.probeClient(rpc);
      else this.askForAck(rpc, tick);
      return;
    }
    if (rpc.state === RpcState.incoming) {
      if (rpc.placement === Placement.none || rpc.rxReceived >= rpc.rxGranted) {
        rpc.silentTicks = 0;
        return;
      }
    } else if (this.outbox.queue.sentBytes(rpc.index) < this.outbox.queue.grantedBytes(rpc.index)) {
      rpc.silentTicks = 0;
      return;
    }
    const { resendTicks, resendInterval, timeoutTicks } = this.settings;
    if (rpc.silentTicks < resendTicks) return;
    if (rpc.silentTicks >= timeoutTicks) {
      this.lifecycle.fail(rpc, this.mac.isUp ? Code.timedOut : Code.linkDown);
    } else if ((rpc.silentTicks - resendTicks) % resendInterval === 0) this.askAgain(rpc);
  }

  /** A message whose peer has no MAC address yet; it is given up when none is found in time. */
  private waitsForNeighbour(rpc: Rpc): boolean {
    if (this.peers.isResolved(rpc.peer)) return false;
    if (rpc.silentTicks > this.settings.neighbourTicks) {
      this.lifecycle.fail(rpc, this.mac.isUp ? Code.unreachable : Code.linkDown);
    }
    return true;
  }

  /** A response that was sent whole and is not acknowledged (docs/protocol.md#timer, first step). */
  private askForAck(rpc: Rpc, tick: number): void {
    rpc.silentTicks = 0;
    if (rpc.sentTick < 0) {
      rpc.sentTick = tick;
      return;
    }
    if (tick - rpc.sentTick >= this.settings.requestAckTicks) this.needAck(rpc);
  }

  /**
   * A response that waits for grants. HomaModule would wait for ever for a client that is gone; here NEED_ACK finds out
   * whether the client has forgotten the RPC, and a client host that says nothing at all is given up
   * (docs/protocol.md#deviations).
   */
  private probeClient(rpc: Rpc): void {
    const { queue } = this.outbox;
    const { resendTicks, resendInterval, tickPs } = this.settings;
    if (queue.sentBytes(rpc.index) < queue.grantedBytes(rpc.index)) rpc.silentTicks = 0;
    const silent = rpc.silentTicks - resendTicks;
    if (silent < 0 || silent % resendInterval !== 0) return;
    const quietPs = this.agenda.nowPs - this.peers.heardPs(rpc.peer);
    if (quietPs < resendInterval * tickPs) rpc.needAcks = 0;
    this.needAck(rpc);
  }

  private needAck(rpc: Rpc): void {
    if (rpc.needAcks >= this.settings.needAckLimit) {
      this.lifecycle.fail(rpc, this.mac.isUp ? Code.timedOut : Code.linkDown);
      return;
    }
    rpc.needAcks++;
    this.control.needAck(rpc);
  }

  /** RESENDs for what is missing (docs/protocol.md#resend). */
  askAgain(rpc: Rpc): void {
    const priority = this.settings.controlPriority;
    if (rpc.state !== RpcState.incoming) {
      this.control.resend(rpc, 0, -1, priority);
      return;
    }
    const { missing } = this;
    if (rpc.reassembly !== null) rpc.reassembly.missing(rpc.rxGranted, missing);
    else {
      missing.clear();
      if (rpc.rxGranted > 0) missing.push(0, rpc.rxGranted);
    }
    for (let i = 0; i < missing.count; i++) {
      this.control.resend(rpc, missing.start(i), missing.end(i) - missing.start(i), priority);
    }
    // Nothing to ask for: the message waits for a grant of ours, and whoever asks shall know that we live.
    if (missing.count === 0) this.control.busy(rpc);
  }
}
