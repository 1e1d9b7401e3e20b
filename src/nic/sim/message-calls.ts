// SPDX-License-Identifier: Apache-2.0
/**
 * The calls about messages: sendmsg, recvmsg, cancel, release. Each checks its own fields and answers a code; `ok` means
 * that the call has its slot.
 *
 * - sendmsg: `accepted` (with the id) as soon as the message is queued, and one more result when it ends: `final |
 *   delivered | bufferReusable`, or `final | failed | bufferReusable` with the code. An inline payload is kept on the
 *   card, so its buffer is reusable at once.
 * - recvmsg: one result, `final`, when a message was delivered or never will be.
 * - cancel, release: one result, `accepted | final`.
 */
import { CallFlag, Code, INLINE_BYTES, MAX_MESSAGE_BYTES, Region, ResultFlag } from '../regs.js';
import type { Delivery } from './delivery.js';
import type { Lifecycle } from './lifecycle.js';
import type { NextHops } from './next-hops.js';
import type { Outbox } from './outbox.js';
import type { Peers } from './peers.js';
import { Pools } from './pool.js';
import { ANY_RPC, type PostedReceives } from './posted-receives.js';
import { isMapped, isUnicast } from './protocol/address.js';
import type { PeerCutoffs } from './protocol/cutoffs.js';
import { maxSegmentData } from './protocol/segments.js';
import type { Results } from './results.js';
import { RpcState, type Rpc } from './rpc.js';
import type { RpcTable } from './rpc-table.js';
import type { Settings } from './settings.js';
import type { MessageCalls, UserCallView } from './user-calls.js';
import type { Users } from './users.js';

const EITHER = CallFlag.matchRequests | CallFlag.matchResponses;
const FIRST_ID = 2;

export class MessageCallHandlers implements MessageCalls {
  private nextIdLo = FIRST_ID;
  private nextIdHi: number;

  constructor(
    private readonly users: Users,
    private readonly results: Results,
    private readonly table: RpcTable,
    private readonly peers: Peers,
    private readonly nextHops: NextHops,
    private readonly lifecycle: Lifecycle,
    private readonly outbox: Outbox,
    private readonly delivery: Delivery,
    private readonly receives: PostedReceives,
    private readonly pools: Pools,
    private readonly cutoffs: PeerCutoffs,
    private readonly settings: Settings,
    private readonly idEpoch: number,
  ) {
    this.nextIdHi = idEpoch;
  }

  /**
   * After a PCIe reset ids begin as after power-on. A core reset leaves them alone: peers may remember those of the
   * former life, and would take a request with one of them for a late duplicate (docs/protocol.md#client-rpc).
   */
  restartIds(): void {
    this.nextIdLo = FIRST_ID;
    this.nextIdHi = this.idEpoch;
  }

  sendmsg(call: UserCallView): Code {
    if ((call.flags & ~CallFlag.inline) !== 0) return Code.badFlags;
    const inline = (call.flags & CallFlag.inline) !== 0;
    if (call.size < 1 || call.size > (inline ? INLINE_BYTES : MAX_MESSAGE_BYTES)) return Code.badSize;
    if (!inline) {
      const bytes = this.users.mapBytes(call.user, Region.h2cMsgbuff);
      if (bytes === 0) return Code.noMap;
      if (call.buffAddr + call.size > bytes) return Code.badBuffer;
    }
    return call.hasId ? this.sendResponse(call) : this.sendRequest(call);
  }

  private sendRequest(call: UserCallView): Code {
    if (call.peerPort === 0 || !isUnicast(call.peer)) return Code.badPeer;
    if (!this.settings.canReach(isMapped(call.peer))) return Code.unreachable;
    if (this.table.isFull) return Code.tableFull;
    const peer = this.peers.findOrAdd(call.peer);
    if (peer < 0) return Code.tableFull;
    const ownPort = this.users.clientPort(call.user);
    const rpc = this.lifecycle.begin(
      call.user,
      peer,
      call.peerPort,
      ownPort,
      this.nextIdHi,
      this.nextIdLo,
      RpcState.outgoing,
    );
    this.countId();
    rpc.cookieHi = call.cookieHi;
    rpc.cookieLo = call.cookieLo;
    this.startMessage(rpc, call);
    return Code.ok;
  }

  /** Ids go up by 2 for ever: 64 bits are enough for that. */
  private countId(): void {
    this.nextIdLo += 2;
    if (this.nextIdLo <= 0xffffffff) return;
    this.nextIdLo = 0;
    this.nextIdHi++;
  }

  private sendResponse(call: UserCallView): Code {
    const rpc = this.ownRpc(call);
    if (rpc === undefined || rpc.isClient) return Code.noRpc;
    if (rpc.state !== RpcState.inService) return Code.wrongState;
    rpc.state = RpcState.outgoing;
    rpc.silentTicks = 0;
    this.startMessage(rpc, call);
    return Code.ok;
  }

  /** Enters a message into the send queue and tells the application its id. */
  private startMessage(rpc: Rpc, call: UserCallView): void {
    const { results, settings } = this;
    const { user, slot } = call;
    const inline = (call.flags & CallFlag.inline) !== 0;
    rpc.sendSlot = slot;
    rpc.txLength = call.size;
    rpc.txOffset = inline ? -1 : call.buffAddr;
    if (inline) this.table.keepInline(rpc, call.words, call.inlineAt);
    const ipv4 = this.peers.isIpv4(rpc.peer);
    results.begin(user, slot, call.words, call.at);
    const own = ipv4 ? settings.ipv4 : settings.ipv6;
    results.setPeer(user, slot, own, this.peers.words, this.peers.at(rpc.peer), rpc.peerPort, rpc.ownPort);
    results.setId(user, slot, rpc.idHi, rpc.idLo);
    results.post(user, slot, ResultFlag.accepted | (inline ? ResultFlag.bufferReusable : 0));
    const known = this.nextHops.resolve(rpc.peer);
    const prio = this.cutoffs.priority(rpc.peer, call.size, settings.numPriorities);
    this.outbox.queue.add(
      rpc.index,
      call.size,
      settings.unscheduledBytes,
      maxSegmentData(settings.mtu, ipv4),
      prio,
      known ? call.size : 0,
    );
    this.outbox.messageAdded();
  }

  /**
   * The RPC that the call's id names, if it is this user's. Ids of requests we serve are unique for each client only, so
   * the call's peer counts; a call without one is understood when there is no doubt.
   */
  private ownRpc(call: UserCallView): Rpc | undefined {
    const { idHi, idLo, peer, user } = call;
    let rpc: Rpc | undefined;
    if ((idLo & 1) === 0) rpc = this.table.findClient(idHi, idLo);
    else if ((peer[0]! | peer[1]! | peer[2]! | peer[3]!) === 0) rpc = this.table.findServer(user, idHi, idLo);
    else {
      const known = this.peers.find(peer);
      if (known >= 0) rpc = this.table.find(known, idHi, idLo, call.peerPort === 0 ? -1 : call.peerPort);
    }
    return rpc?.user === user ? rpc : undefined;
  }

  recvmsg(call: UserCallView): Code {
    if ((call.flags & ~EITHER) !== 0) return Code.badFlags;
    if (call.size > MAX_MESSAGE_BYTES) return Code.badSize;
    const bytes = this.users.mapBytes(call.user, Region.c2hMsgbuff);
    if (bytes === 0) return Code.noMap;
    if (call.buffAddr + call.size > Pools.applicationBytes(bytes)) return Code.badBuffer;
    let narrowedTo = ANY_RPC;
    if (call.hasId) {
      const kind = (call.idLo & 1) === 0 ? CallFlag.matchResponses : CallFlag.matchRequests;
      if ((call.flags & EITHER) !== 0 && (call.flags & kind) === 0) return Code.badFlags;
      const rpc = this.ownRpc(call);
      if (rpc === undefined) return Code.noRpc;
      narrowedTo = rpc.token;
    }
    this.results.begin(call.user, call.slot, call.words, call.at);
    this.receives.post(call.user, call.slot, call.flags, narrowedTo, call.size > 0);
    this.delivery.serve(call.user);
    return Code.ok;
  }

  cancel(call: UserCallView): Code {
    if (call.flags !== 0) return Code.badFlags;
    const code = call.hasId ? this.cancelRpc(call) : this.cancelReceive(call);
    if (code === Code.ok) this.done(call);
    return code;
  }

  private cancelRpc(call: UserCallView): Code {
    const rpc = this.ownRpc(call);
    if (rpc === undefined) return Code.noRpc;
    this.lifecycle.fail(rpc, Code.cancelled);
    return Code.ok;
  }

  /** A recvmsg whose message is arriving ends with that message, or as cancelled when the message dies. */
  private cancelReceive(call: UserCallView): Code {
    const { user, buffAddr } = call;
    if (buffAddr < 1 || buffAddr > 255) return Code.noRecvmsg;
    if (this.receives.withdraw(user, buffAddr)) {
      this.lifecycle.failReceive(user, buffAddr, Code.cancelled);
      return Code.ok;
    }
    return this.receives.cancelClaimed(user, buffAddr) ? Code.ok : Code.noRecvmsg;
  }

  release(call: UserCallView): Code {
    if (call.flags !== 0) return Code.badFlags;
    if (!this.pools.release(call.user, call.buffAddr)) return Code.notInPool;
    this.done(call);
    this.delivery.serve(call.user);
    return Code.ok;
  }

  private done(call: UserCallView): void {
    this.results.begin(call.user, call.slot, call.words, call.at);
    this.results.post(call.user, call.slot, ResultFlag.accepted | ResultFlag.final);
  }
}
