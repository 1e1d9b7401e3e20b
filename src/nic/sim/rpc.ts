// SPDX-License-Identifier: Apache-2.0
/** One RPC as this card knows it, client or server. Objects are made when first needed and used again. */
import type { Reassembly } from './protocol/reassembly.js';

/** States (docs/protocol.md#client-rpc and #server-rpc). `complete` is ours: received, not yet taken by a recvmsg. */
export const RpcState = {
  free: 0,
  /** client: request being sent or unanswered; server: response being sent or unacknowledged */
  outgoing: 1,
  /** a message is arriving */
  incoming: 2,
  /** the message has arrived and waits in the pool */
  complete: 3,
  /** server: the application has the request */
  inService: 4,
} as const;
export type RpcState = (typeof RpcState)[keyof typeof RpcState];

/** Where the bytes of the arriving message go. */
export const Placement = {
  /** nowhere yet: no room */
  none: 0,
  /** into the buffer of a recvmsg */
  posted: 1,
  /** into the pool */
  pool: 2,
} as const;
export type Placement = (typeof Placement)[keyof typeof Placement];

export class Rpc {
  /** Number in the table. */
  readonly index: number;
  /** A name for this RPC that outlives it: see `RpcTable.byToken`. */
  token = 0;
  /** Place in the list of live RPCs, -1 when it has ended. */
  livePlace = -1;
  state: RpcState = RpcState.free;
  user = 0;
  peer = 0;
  private ports = 0;
  /** Local id: even at the client, odd at the server. */
  idHi = 0;
  idLo = 0;

  /** Slot of the sendmsg that waits for its final result, 0 without. */
  sendSlot = 0;
  txLength = 0;
  /** Offset of the message in h2c_msgbuff; -1 when the payload is kept in the table (`RpcTable.inlineOf`). */
  txOffset = 0;

  /** -1 until the first packet of the message to receive. */
  rxLength = -1;
  rxGranted = 0;
  rxReceived = 0;
  placement: Placement = Placement.none;
  rxOffset = 0;
  rxCapacity = 0;
  /** Slot of the recvmsg that has claimed the message, 0 without. */
  recvSlot = 0;
  silentTicks = 0;

  // The last line of the cache is for what is seldom wanted.
  /** A payload write failed on the bus. */
  rxFailed = false;
  reassembly: Reassembly | null = null;
  /** Tick of the first check after everything was sent; -1 before. */
  sentTick = -1;
  needAcks = 0;
  cookieHi = 0;
  cookieLo = 0;

  constructor(index: number) {
    this.index = index;
  }

  /** Everything as for a new RPC, of a new generation so that old references are seen to be old. */
  renew(generation: number): void {
    this.token = generation * 0x10000 + this.index;
    this.state = RpcState.free;
    this.sendSlot = this.recvSlot = 0;
    this.txLength = this.txOffset = 0;
    this.rxLength = -1;
    this.rxGranted = this.rxReceived = 0;
    this.reassembly = null;
    this.placement = Placement.none;
    this.rxOffset = this.rxCapacity = 0;
    this.rxFailed = false;
    this.silentTicks = this.needAcks = 0;
    this.sentTick = -1;
  }

  setPorts(peerPort: number, ownPort: number): void {
    this.ports = (peerPort << 16) | ownPort;
  }
  get peerPort(): number {
    return this.ports >>> 16;
  }
  get ownPort(): number {
    return this.ports & 0xffff;
  }

  get isClient(): boolean {
    return (this.idLo & 1) === 0;
  }

  /** Whether its message to send may still be read: the application has not been given the buffer back. */
  get isSending(): boolean {
    return this.sendSlot !== 0;
  }
}
