// SPDX-License-Identifier: Apache-2.0
/**
 * The receive side of a message: where its bytes go, when it is whole, and who gets it.
 *
 * A message is placed at its first packet: into the buffer of a recvmsg that takes it, else into the pool, else nowhere
 * until there is room (docs/protocol.md#receive-buffers). Bytes beyond a buffer are dropped and the result says so. A
 * payload write always goes out before the result that speaks of it.
 */
import { Code, Counter, HeaderLayout, Region, ResultFlag } from '../regs.js';
import type { ControlPackets } from './control-packets.js';
import type { Counters } from './counters.js';
import type { Dma } from './dma.js';
import type { Lifecycle } from './lifecycle.js';
import type { Peers } from './peers.js';
import type { Pools } from './pool.js';
import type { PostedReceives } from './posted-receives.js';
import type { AckStore } from './protocol/ack-store.js';
import type { FrameRecord } from './protocol/frame-record.js';
import type { GrantScheduler } from './protocol/grants.js';
import { RangeList } from './protocol/interval-set.js';
import { Reassembly } from './protocol/reassembly.js';
import type { Results } from './results.js';
import { Placement, RpcState, type Rpc } from './rpc.js';
import type { Settings } from './settings.js';

/** Shared by all cards of the process: in use within one call only, and so always near the processor. */
const fresh = new RangeList();

export class Delivery {
  private serving = false;

  constructor(
    private readonly lifecycle: Lifecycle,
    private readonly receives: PostedReceives,
    private readonly pools: Pools,
    private readonly results: Results,
    private readonly dma: Dma,
    private readonly peers: Peers,
    private readonly acks: AckStore,
    private readonly grants: GrantScheduler,
    private readonly control: ControlPackets,
    private readonly settings: Settings,
    private readonly counters: Counters,
  ) {
    lifecycle.onRoom = (user) => this.serve(user);
  }

  /** Takes in a DATA packet of a message that is being received; its bounds have been checked. */
  data(rpc: Rpc, record: FrameRecord, frame: Uint8Array): void {
    if (rpc.rxLength < 0) this.begin(rpc, record);
    if (rpc.placement === Placement.none) {
      this.counters.add(Counter.dropNoBuffer);
      return;
    }
    const start = record.offset;
    const end = start + record.dataLength;
    if (rpc.rxReceived === 0 && record.dataLength === rpc.rxLength) {
      rpc.rxReceived = end;
      this.counters.add(Counter.dataReceived);
      this.write(rpc, frame, record.dataOffset, start, end);
      this.whole(rpc);
      return;
    }
    const reassembly = (rpc.reassembly ??= new Reassembly(rpc.rxLength));
    const isNews = reassembly.accept(start, end, fresh) > 0 || start === end;
    this.counters.add(isNews ? Counter.dataReceived : Counter.dropDuplicate);
    for (let i = 0; i < fresh.count; i++) {
      const from = fresh.start(i);
      this.write(rpc, frame, record.dataOffset + from - start, from, fresh.end(i));
    }
    rpc.rxReceived = reassembly.receivedBytes;
    if (reassembly.complete) this.whole(rpc);
    else this.grants.progress(rpc.index, rpc.rxReceived);
  }

  /** First packet of a message: length, first grant, place. */
  private begin(rpc: Rpc, record: FrameRecord): void {
    rpc.rxLength = record.messageLength;
    rpc.rxGranted = Math.min(record.incoming, record.messageLength);
    rpc.state = RpcState.incoming;
    const placed = this.place(rpc);
    if (!placed) this.lifecycle.withoutRoom.add(rpc);
    if (rpc.rxGranted < rpc.rxLength) {
      this.grants.add(rpc.index, rpc.peer, rpc.rxLength, rpc.rxGranted, 0, !placed);
    }
  }

  /** Finds room; false when there is none. */
  private place(rpc: Rpc): boolean {
    const { user } = rpc;
    const slot = this.receives.claim(user, rpc.isClient, rpc.token, true);
    if (slot !== 0) {
      rpc.placement = Placement.posted;
      rpc.recvSlot = slot;
      rpc.rxOffset = this.results.bufferOffset(user, slot);
      rpc.rxCapacity = this.results.bufferSize(user, slot);
      return true;
    }
    const offset = this.pools.allocate(user, rpc.rxLength);
    if (offset < 0) return false;
    rpc.placement = Placement.pool;
    rpc.rxOffset = offset;
    rpc.rxCapacity = rpc.rxLength;
    return true;
  }

  private write(rpc: Rpc, frame: Uint8Array, from: number, start: number, end: number): void {
    const length = Math.min(end, rpc.rxCapacity) - start;
    if (length <= 0) return;
    const offset = rpc.rxOffset + start;
    if (!this.dma.write(rpc.user, Region.c2hMsgbuff, offset, frame, from, length, rpc.token)) {
      rpc.rxFailed = true;
    }
  }

  /** Every byte is there. */
  private whole(rpc: Rpc): void {
    rpc.reassembly = null;
    this.grants.remove(rpc.index);
    if (rpc.rxFailed) {
      this.lifecycle.fail(rpc, Code.dmaError, true);
      return;
    }
    if (rpc.isClient) this.lifecycle.sendDone(rpc);
    rpc.state = RpcState.complete;
    if (rpc.placement === Placement.posted) {
      this.hand(rpc, rpc.recvSlot);
      return;
    }
    const slot = this.receives.claim(rpc.user, rpc.isClient, rpc.token, false);
    if (slot !== 0) this.hand(rpc, slot);
    else this.lifecycle.waiting.add(rpc);
  }

  /** The message goes to this recvmsg: its result is written, and the RPC goes on or ends. */
  private hand(rpc: Rpc, slot: number): void {
    const { results } = this;
    const { user } = rpc;
    const inPool = rpc.placement === Placement.pool;
    const ipv4 = this.peers.isIpv4(rpc.peer);
    const own = ipv4 ? this.settings.ipv4 : this.settings.ipv6;
    results.setPeer(user, slot, own, this.peers.words, this.peers.at(rpc.peer), rpc.peerPort, rpc.ownPort);
    results.set32(user, slot, HeaderLayout.metadata.offset, ((rpc.rxLength << 12) | slot) >>> 0);
    results.setId(user, slot, rpc.idHi, rpc.idLo);
    if (rpc.isClient) results.setCookie(user, slot, rpc.cookieHi, rpc.cookieLo);
    if (inPool) {
      results.set32(user, slot, HeaderLayout.buffAddr.offset, rpc.rxOffset);
      this.pools.lend(user, rpc.rxOffset);
    }
    const truncated = rpc.rxCapacity < rpc.rxLength;
    this.receives.finish(user, slot);
    rpc.recvSlot = 0;
    rpc.placement = Placement.none;
    results.post(
      user,
      slot,
      ResultFlag.delivered |
        ResultFlag.final |
        (inPool ? ResultFlag.inPool : 0) |
        (truncated ? ResultFlag.truncated : 0),
    );
    if (rpc.isClient) this.acknowledge(rpc);
    else rpc.state = RpcState.inService;
  }

  /** The client is done: its ack waits for a packet to ride on, or leaves with the stored ones (docs/protocol.md#ack-rules). */
  private acknowledge(rpc: Rpc): void {
    if (!this.acks.push(rpc.peer, rpc.idHi, rpc.idLo, rpc.peerPort)) {
      this.control.ack(rpc.peer, rpc.ownPort, rpc.peerPort, rpc.idHi, rpc.idLo);
    }
    this.lifecycle.complete(rpc);
  }

  /** A payload write of this RPC failed on the bus. */
  writeFailed(rpc: Rpc): void {
    rpc.rxFailed = true;
  }

  /**
   * Room has come, or a recvmsg was posted: whole messages in the pool go first, in order of completion; then messages
   * without a buffer are placed, short ones first, and asked for again.
   */
  serve(user: number): void {
    if (this.serving) return;
    this.serving = true;
    const { waiting, withoutRoom } = this.lifecycle;
    for (let i = 0; i < waiting.of(user).length;) {
      const rpc = waiting.of(user)[i]!;
      const slot = this.receives.claim(user, rpc.isClient, rpc.token, false);
      if (slot === 0) {
        i++;
        continue;
      }
      waiting.remove(rpc);
      this.hand(rpc, slot);
    }
    if (withoutRoom.of(user).length > 0) this.placeWaiting(user);
    this.serving = false;
  }

  private placeWaiting(user: number): void {
    const { withoutRoom } = this.lifecycle;
    const shortestFirst = [...withoutRoom.of(user)].sort((a, b) => a.rxLength - b.rxLength);
    for (const rpc of shortestFirst) {
      if (!this.place(rpc)) continue;
      withoutRoom.remove(rpc);
      rpc.silentTicks = 0;
      this.grants.unblock(rpc.index);
      this.control.resend(rpc, 0, -1, this.settings.secondPriority);
    }
  }
}
