// SPDX-License-Identifier: Apache-2.0
/**
 * How RPCs begin and end. Every way out goes through `remove`, which gives back everything the RPC holds, so nothing is
 * left behind: table entry, send queue, grants, pool run, posted recvmsg, peer.
 */
import { Code, Counter, MAX_USERS, ResultFlag } from '../regs.js';
import type { Counters } from './counters.js';
import type { Outbox } from './outbox.js';
import type { Peers } from './peers.js';
import type { Pools } from './pool.js';
import type { PostedReceives } from './posted-receives.js';
import type { FinishedFilter } from './protocol/finished-filter.js';
import type { GrantScheduler } from './protocol/grants.js';
import type { Results } from './results.js';
import { Placement, RpcState, type Rpc } from './rpc.js';
import { RpcLists } from './rpc-lists.js';
import type { RpcTable } from './rpc-table.js';

export class Lifecycle {
  /** The timer's tick, for the memory of finished RPCs. */
  tick = 0;
  /** Messages without a buffer, for each user. */
  readonly withoutRoom = new RpcLists();
  /** Messages that lie in the pool whole and wait for a recvmsg, in order of completion. */
  readonly waiting = new RpcLists();
  /** Told when a user's recvmsg waits again, or pool room came back. */
  onRoom: (user: number) => void = () => undefined;
  /** Told when the first RPC of an idle card begins. */
  onLive: () => void = () => undefined;

  constructor(
    private readonly table: RpcTable,
    private readonly peers: Peers,
    private readonly outbox: Outbox,
    private readonly grants: GrantScheduler,
    private readonly pools: Pools,
    private readonly receives: PostedReceives,
    private readonly results: Results,
    private readonly finished: FinishedFilter,
    private readonly counters: Counters,
  ) {}

  reset(): void {
    for (let user = 1; user <= MAX_USERS; user++) this.forgetLists(user);
  }

  /** No message of the user waits for room or a recvmsg any more. */
  forgetLists(user: number): void {
    this.withoutRoom.forget(user);
    this.waiting.forget(user);
  }

  /** A new RPC; the table must not be full. */
  begin(
    user: number,
    peer: number,
    peerPort: number,
    ownPort: number,
    idHi: number,
    idLo: number,
    state: RpcState,
  ): Rpc {
    const rpc = this.table.add(peer, peerPort, idHi, idLo);
    rpc.user = user;
    rpc.setPorts(peerPort, ownPort);
    rpc.state = state;
    this.peers.hold(peer);
    this.counters.add(Counter.rpcsStarted);
    this.counters.raise(Counter.rpcsLiveMax, this.table.liveCount);
    if (this.table.liveCount === 1) this.onLive();
    return rpc;
  }

  /** Ends an RPC as it should end: the sendmsg that may still wait has been delivered. */
  complete(rpc: Rpc): void {
    this.sendDone(rpc);
    if (!rpc.isClient) this.finished.add(rpc.peer, rpc.idHi, rpc.idLo, this.tick);
    this.counters.add(Counter.rpcsCompleted);
    this.remove(rpc, Code.ok, false);
  }

  /**
   * The peer has the whole message of the sendmsg; its slot and buffer are the application's again, so the message is
   * never read any more.
   */
  sendDone(rpc: Rpc): void {
    if (rpc.sendSlot === 0) return;
    const slot = rpc.sendSlot;
    rpc.sendSlot = 0;
    this.outbox.queue.remove(rpc.index);
    this.results.post(rpc.user, slot, ResultFlag.final | ResultFlag.delivered | ResultFlag.bufferReusable);
  }

  /**
   * Ends an RPC with an error. Its sendmsg gets the code; so does a recvmsg that waits for just this RPC, or, with
   * `failReceive`, the one whose buffer its message was going to. Other recvmsgs wait again.
   */
  fail(rpc: Rpc, code: Code, failReceive = false): void {
    if (rpc.sendSlot !== 0) {
      const slot = rpc.sendSlot;
      rpc.sendSlot = 0;
      this.results.post(
        rpc.user,
        slot,
        ResultFlag.final | ResultFlag.failed | ResultFlag.bufferReusable,
        code,
      );
    }
    // The application had the request: it must not get it a second time.
    if (!rpc.isClient && (rpc.state === RpcState.inService || rpc.state === RpcState.outgoing)) {
      this.finished.add(rpc.peer, rpc.idHi, rpc.idLo, this.tick);
    }
    this.counters.add(Counter.rpcsFailed);
    if (code === Code.timedOut || code === Code.linkDown) this.counters.add(Counter.rpcsTimedOut);
    this.remove(rpc, code, failReceive);
  }

  /** Ends a recvmsg with an error. */
  failReceive(user: number, slot: number, code: Code): void {
    this.receives.finish(user, slot);
    this.results.post(user, slot, ResultFlag.final | ResultFlag.failed, code);
  }

  /** Takes the RPC out of every list. */
  private remove(rpc: Rpc, code: Code, failReceive: boolean): void {
    const { user, token } = rpc;
    this.outbox.queue.remove(rpc.index);
    this.grants.remove(rpc.index);
    this.withoutRoom.remove(rpc);
    this.waiting.remove(rpc);
    const pooled = rpc.placement === Placement.pool;
    if (pooled) this.pools.drop(user, rpc.rxOffset);
    const slot = rpc.recvSlot;
    this.peers.letGo(rpc.peer);
    this.table.remove(rpc);
    let wakes = pooled;
    if (slot !== 0) {
      if (failReceive || this.receives.isNarrowed(user, slot)) this.failReceive(user, slot, code);
      else if (this.receives.unclaim(user, slot)) wakes = true;
      else this.failReceive(user, slot, Code.cancelled);
    }
    for (;;) {
      const narrowed = this.receives.narrowedTo(user, token);
      if (narrowed === 0) break;
      this.receives.withdraw(user, narrowed);
      this.failReceive(user, narrowed, code === Code.ok ? Code.noRpc : code);
    }
    if (wakes) this.onRoom(user);
  }
}
