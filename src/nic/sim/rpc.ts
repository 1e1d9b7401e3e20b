// SPDX-License-Identifier: Apache-2.0
/**
 * One RPC as this card knows it, client or server.
 *
 * An `Rpc` is a handle: what it says lies in a record of the table's one array, because a card touches all of an RPC for
 * each packet, and records side by side take a fraction of the processor's cache that objects with a field each would.
 * Handles are made when first needed and used again.
 */
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

/** A record in words. Word 0: flags, user, and the slots of sendmsg and recvmsg, eight bits each. */
const FLAGS = 0;
/** the peer's number, and above it the generation */
const PEER = 1;
/** our port, and above it the peer's */
const PORTS = 2;
const ID_HI = 3;
const ID_LO = 4;
const COOKIE_HI = 5;
const COOKIE_LO = 6;
const TX_LENGTH = 7;
const TX_OFFSET = 8;
const RX_LENGTH = 9;
const RX_GRANTED = 10;
const RX_RECEIVED = 11;
const RX_OFFSET = 12;
const RX_CAPACITY = 13;
const SILENT_TICKS = 14;
const SENT_TICK = 15;
const NEED_ACKS = 16;
const LIVE_PLACE = 17;
/** Words of a record; what is behind them is the table's. */
export const RPC_WORDS = 18;

/** The flags: state in three bits, placement in two, then one bit each. */
const STATE = 7;
const PLACEMENT_SHIFT = 3;
const PLACEMENT = 3 << PLACEMENT_SHIFT;
const IS_CLIENT = 0x20;
const RX_FAILED = 0x40;

const USER_SHIFT = 8;
const SEND_SLOT_SHIFT = 16;
const RECV_SLOT_SHIFT = 24;
const BYTE = 0xff;

export class Rpc {
  /** The message to receive, from its first packet to its last when it has more than one. */
  reassembly: Reassembly | null = null;

  /**
   * `index`: number in the table. Its record is words of `words` from `at`; a table that grows gives its handles other
   * words.
   */
  constructor(
    readonly index: number,
    public words: Int32Array,
    private readonly at: number,
  ) {}

  /** Everything as for a new RPC, of a new generation so that old references are seen to be old. */
  renew(generation: number, peer: number, peerPort: number, idHi: number, idLo: number): void {
    const { words, at } = this;
    words[at + FLAGS] = RpcState.free;
    words[at + PEER] = peer | (generation << 16);
    words[at + PORTS] = peerPort << 16;
    words[at + ID_HI] = idHi;
    words[at + ID_LO] = idLo;
    words[at + COOKIE_HI] = words[at + COOKIE_LO] = 0;
    words[at + TX_LENGTH] = words[at + TX_OFFSET] = 0;
    words[at + RX_LENGTH] = -1;
    words[at + RX_GRANTED] = words[at + RX_RECEIVED] = 0;
    words[at + RX_OFFSET] = words[at + RX_CAPACITY] = 0;
    words[at + SILENT_TICKS] = words[at + NEED_ACKS] = 0;
    words[at + SENT_TICK] = -1;
    this.reassembly = null;
  }

  /** A name for this RPC that outlives it: see `RpcTable.byToken`. */
  get token(): number {
    return (this.words[this.at + PEER]! & ~0xffff) | this.index;
  }

  get state(): RpcState {
    return (this.words[this.at]! & STATE) as RpcState;
  }
  set state(value: RpcState) {
    this.setFlags(STATE, value);
  }
  get placement(): Placement {
    return ((this.words[this.at]! & PLACEMENT) >> PLACEMENT_SHIFT) as Placement;
  }
  set placement(value: Placement) {
    this.setFlags(PLACEMENT, value << PLACEMENT_SHIFT);
  }
  get isClient(): boolean {
    return (this.words[this.at]! & IS_CLIENT) !== 0;
  }
  set isClient(value: boolean) {
    this.setFlags(IS_CLIENT, value ? IS_CLIENT : 0);
  }
  /** A payload write failed on the bus. */
  get rxFailed(): boolean {
    return (this.words[this.at]! & RX_FAILED) !== 0;
  }
  set rxFailed(value: boolean) {
    this.setFlags(RX_FAILED, value ? RX_FAILED : 0);
  }
  get user(): number {
    return (this.words[this.at]! >>> USER_SHIFT) & BYTE;
  }
  set user(value: number) {
    this.setFlags(BYTE << USER_SHIFT, value << USER_SHIFT);
  }
  /** Slot of the sendmsg that waits for its final result, 0 without. */
  get sendSlot(): number {
    return (this.words[this.at]! >>> SEND_SLOT_SHIFT) & BYTE;
  }
  set sendSlot(value: number) {
    this.setFlags(BYTE << SEND_SLOT_SHIFT, value << SEND_SLOT_SHIFT);
  }
  /** Slot of the recvmsg that has claimed the message, 0 without. */
  get recvSlot(): number {
    return this.words[this.at]! >>> RECV_SLOT_SHIFT;
  }
  set recvSlot(value: number) {
    this.setFlags(BYTE << RECV_SLOT_SHIFT, value << RECV_SLOT_SHIFT);
  }
  get peer(): number {
    return this.words[this.at + PEER]! & 0xffff;
  }
  get peerPort(): number {
    return this.words[this.at + PORTS]! >>> 16;
  }
  get ownPort(): number {
    return this.words[this.at + PORTS]! & 0xffff;
  }
  set ownPort(value: number) {
    const ports = this.at + PORTS;
    this.words[ports] = (this.words[ports]! & ~0xffff) | value;
  }
  /** Local id: even at the client, odd at the server. */
  get idHi(): number {
    return this.words[this.at + ID_HI]! >>> 0;
  }
  get idLo(): number {
    return this.words[this.at + ID_LO]! >>> 0;
  }
  get cookieHi(): number {
    return this.words[this.at + COOKIE_HI]! >>> 0;
  }
  set cookieHi(value: number) {
    this.words[this.at + COOKIE_HI] = value;
  }
  get cookieLo(): number {
    return this.words[this.at + COOKIE_LO]! >>> 0;
  }
  set cookieLo(value: number) {
    this.words[this.at + COOKIE_LO] = value;
  }
  get txLength(): number {
    return this.words[this.at + TX_LENGTH]!;
  }
  set txLength(value: number) {
    this.words[this.at + TX_LENGTH] = value;
  }
  /** Offset of the message in h2c_msgbuff; -1 when the payload is kept in the table (`RpcTable.inlineOf`). */
  get txOffset(): number {
    return this.words[this.at + TX_OFFSET]!;
  }
  set txOffset(value: number) {
    this.words[this.at + TX_OFFSET] = value;
  }
  /** -1 until the first packet of the message to receive. */
  get rxLength(): number {
    return this.words[this.at + RX_LENGTH]!;
  }
  set rxLength(value: number) {
    this.words[this.at + RX_LENGTH] = value;
  }
  get rxGranted(): number {
    return this.words[this.at + RX_GRANTED]!;
  }
  set rxGranted(value: number) {
    this.words[this.at + RX_GRANTED] = value;
  }
  get rxReceived(): number {
    return this.words[this.at + RX_RECEIVED]!;
  }
  set rxReceived(value: number) {
    this.words[this.at + RX_RECEIVED] = value;
  }
  get rxOffset(): number {
    return this.words[this.at + RX_OFFSET]!;
  }
  set rxOffset(value: number) {
    this.words[this.at + RX_OFFSET] = value;
  }
  get rxCapacity(): number {
    return this.words[this.at + RX_CAPACITY]!;
  }
  set rxCapacity(value: number) {
    this.words[this.at + RX_CAPACITY] = value;
  }
  get silentTicks(): number {
    return this.words[this.at + SILENT_TICKS]!;
  }
  set silentTicks(value: number) {
    this.words[this.at + SILENT_TICKS] = value;
  }
  /** Tick of the first check after everything was sent, modulo 2^31; -1 before. */
  get sentTick(): number {
    return this.words[this.at + SENT_TICK]!;
  }
  set sentTick(value: number) {
    this.words[this.at + SENT_TICK] = value;
  }
  get needAcks(): number {
    return this.words[this.at + NEED_ACKS]!;
  }
  set needAcks(value: number) {
    this.words[this.at + NEED_ACKS] = value;
  }
  /** Place in the list of live RPCs, -1 when it has ended. */
  get livePlace(): number {
    return this.words[this.at + LIVE_PLACE]!;
  }
  set livePlace(value: number) {
    this.words[this.at + LIVE_PLACE] = value;
  }

  /** Whether its message to send may still be read: the application has not been given the buffer back. */
  get isSending(): boolean {
    return this.sendSlot !== 0;
  }

  private setFlags(mask: number, value: number): void {
    this.words[this.at] = (this.words[this.at]! & ~mask) | value;
  }
}
