// SPDX-License-Identifier: Apache-2.0
// The library of a simulated host, as an application calls it: one opened user of one card.
import {
  APERTURE_BYTES,
  CALL_SETS,
  CALL_SET_BYTES,
  CLIENT_PORT_BASE,
  CallFlag,
  INLINE_BYTES,
  INLINE_OFFSET,
  SLOTS,
  UserCall,
} from '../../nic/regs.js';
import type { HostBuffer } from '../host-buffer.js';
import { takeRoom } from '../number-room.js';
import type { CardSlot } from '../pcie/card-slot.js';
import { BuddyArena } from './buddy.js';
import { CallResult, CallWriter, type Peer } from './call.js';
import type { UserBuffers } from './driver.js';

/** An application: told about each result once it has been seen. `result` is reused after the call returns. */
export interface ResultHandler {
  onResult(timePs: number, result: CallResult): void;
}

/**
 * What one call needs, shared by all users of the process: in use within the call only, and so always near the
 * processor: the call's bytes, an inline payload of fewer than 64 bytes, a result.
 */
const call = new CallWriter();
const padded = new Uint8Array(INLINE_BYTES);
const result = new CallResult();

/**
 * What a user keeps in words. A core issues one store at a time: from when each call set's is free, doubles, the first
 * set's last because it is used most and so are the first slots behind it.
 */
const CORE_FREE = CALL_SETS - 1;
/** then by slot: the status word seen last; the slot to be handed out after it, or IN_USE while a call has it */
const STATUS = 2 * CALL_SETS;
const NEXT = STATUS + 1;
const SLOT_WORDS = 2;
const IN_USE = -1;

export class HostUser {
  readonly user: number;
  readonly results: HostBuffer;
  private readonly words: Int32Array;
  private readonly doubles: Float64Array;
  private readonly at: number;
  /** the slot to be handed out next, the one given back last; 0 when all are in use */
  private freeSlot = 1;
  private inUse = 0;
  private readonly slot: CardSlot;
  private readonly intervalPs: number;
  private handler: ResultHandler | undefined;
  readonly c2h: HostBuffer;
  readonly h2c: HostBuffer;
  readonly clientPort: number;
  /** the application's offsets in h2c and in the lower half of c2h */
  readonly sendArena: BuddyArena;
  readonly receiveArena: BuddyArena;
  private errors = 0;

  constructor(user: number, buffers: UserBuffers, slot: CardSlot, storeIntervalPs: number) {
    this.user = user;
    this.clientPort = CLIENT_PORT_BASE + user;
    this.h2c = buffers.h2c;
    this.c2h = buffers.c2h;
    this.results = buffers.results;
    this.slot = slot;
    this.intervalPs = storeIntervalPs;
    this.sendArena = new BuddyArena(2 ** Math.floor(Math.log2(buffers.h2c.lengthBytes)));
    this.receiveArena = new BuddyArena(2 ** Math.floor(Math.log2(buffers.c2h.lengthBytes / 2)));
    const { words, doubles, at } = takeRoom(STATUS + SLOT_WORDS * SLOTS);
    this.words = words;
    this.doubles = doubles;
    this.at = at;
    for (let slotNumber = 1; slotNumber < SLOTS; slotNumber++) {
      words[at + NEXT + SLOT_WORDS * slotNumber] = (slotNumber + 1) % SLOTS;
    }
  }

  /** Sets who is told about results. */
  listen(handler: ResultHandler): void {
    this.handler = handler;
  }

  /** Slots that wait for a final result. */
  get slotsInUse(): number {
    return this.inUse;
  }

  /** Results in the error slot: calls of ours the card could not place. */
  get errorSlotResults(): number {
    return this.errors;
  }

  /** A slot for a call, the application's until its final result; 0 when all are in use. */
  takeSlot(): number {
    const slotNumber = this.freeSlot;
    if (slotNumber === 0) return 0;
    const { words } = this;
    const record = this.at + SLOT_WORDS * slotNumber;
    this.freeSlot = words[record + NEXT]!;
    words[record + NEXT] = IN_USE;
    this.inUse++;
    // What an earlier call left must not look like a result of the next one.
    words[record + STATUS] = 0;
    const place = this.results.locate(slotNumber * 64);
    this.results.words[place] = 0;
    return slotNumber;
  }

  /** Gives a slot back that was never used in a call. */
  giveSlot(slotNumber: number): void {
    this.words[this.at + SLOT_WORDS * slotNumber + NEXT] = this.freeSlot;
    this.freeSlot = slotNumber;
    this.inUse--;
  }

  /** Sends a request from h2c; returns when the store begins. */
  sendRequest(
    timePs: number,
    slot: number,
    peer: Peer,
    offset: number,
    size: number,
    cookie: number,
    set = 0,
  ): number {
    call.begin(0, slot, offset, size, cookie);
    call.setPeer(peer);
    return this.issue(timePs, UserCall.sendmsg, set);
  }

  /** Sends a request of 1 to 64 bytes inline: payload first, then the call. */
  sendRequestInline(
    timePs: number,
    slot: number,
    peer: Peer,
    payload: Uint8Array,
    cookie: number,
    set = 0,
  ): number {
    const begin = this.store(timePs, UserCall.sendmsg + INLINE_OFFSET, this.padded(payload), set);
    call.begin(CallFlag.inline, slot, 0, payload.length, cookie);
    call.setPeer(peer);
    this.issue(begin, UserCall.sendmsg, set);
    return begin;
  }

  /** Answers the request of `request` (its id, peer and port) from h2c. */
  sendResponse(
    timePs: number,
    slot: number,
    request: CallResult,
    offset: number,
    size: number,
    cookie: number,
  ): number {
    call.begin(0, slot, offset, size, cookie);
    call.answer(request);
    return this.issue(timePs, UserCall.sendmsg, 0);
  }

  /** The same with an inline payload of 1 to 64 bytes. */
  sendResponseInline(
    timePs: number,
    slot: number,
    request: CallResult,
    payload: Uint8Array,
    cookie: number,
  ): number {
    const begin = this.store(timePs, UserCall.sendmsg + INLINE_OFFSET, this.padded(payload), 0);
    call.begin(CallFlag.inline, slot, 0, payload.length, cookie);
    call.answer(request);
    this.issue(begin, UserCall.sendmsg, 0);
    return begin;
  }

  /** Posts a receive buffer in the lower half of c2h for requests, responses or (neither flag) both. */
  recvmsg(
    timePs: number,
    slot: number,
    flags: number,
    offset: number,
    capacity: number,
    cookie: number,
  ): number {
    call.begin(flags, slot, offset, capacity, cookie);
    return this.issue(timePs, UserCall.recvmsg, 0);
  }

  /** Posts a receive buffer for the message of one RPC. */
  recvmsgOf(
    timePs: number,
    slot: number,
    low: number,
    high: number,
    offset: number,
    capacity: number,
    cookie: number,
  ): number {
    call.begin(CallFlag.matchResponses, slot, offset, capacity, cookie);
    call.setId(low, high);
    return this.issue(timePs, UserCall.recvmsg, 0);
  }

  /** 64 bytes in, 64 bytes back. */
  nop(timePs: number, slot: number, cookie: number): number {
    call.begin(0, slot, 0, 0, cookie);
    return this.issue(timePs, UserCall.nop, 0);
  }

  /** Ends an RPC by its id. */
  cancelRpc(timePs: number, slot: number, low: number, high: number): number {
    call.begin(0, slot, 0, 0, 0);
    call.setId(low, high);
    return this.issue(timePs, UserCall.cancel, 0);
  }

  /** Ends a posted recvmsg by its slot. */
  cancelRecvmsg(timePs: number, slot: number, postedSlot: number): number {
    call.begin(0, slot, postedSlot, 0, 0);
    return this.issue(timePs, UserCall.cancel, 0);
  }

  /** Gives a pool buffer back. */
  release(timePs: number, slot: number, offset: number): number {
    call.begin(0, slot, offset, 0, 0);
    return this.issue(timePs, UserCall.release, 0);
  }

  /** Stores any 64 bytes as a call: what a faulty application could do. */
  rawCall(timePs: number, kind: number, bytes: Uint8Array, set = 0): number {
    return this.store(timePs, kind, bytes, set);
  }

  /** The world's clock was moved back. */
  rebase(byPs: number): void {
    for (let set = 0; set < CALL_SETS; set++) this.doubles[this.coreFree(set)]! -= byPs;
  }

  /** A slot's status word has been seen: read the result, once. */
  observe(timePs: number, slot: number): void {
    const place = this.results.locate(slot * 64);
    const seen = this.results.words;
    const status = seen[place]!;
    const { words } = this;
    const record = this.at + SLOT_WORDS * slot;
    if (status === words[record + STATUS]) return; // seen already, with a later write of the same slot
    words[record + STATUS] = status;
    result.read(slot, seen, place);
    if (slot === 0) this.errors++;
    else if (result.final && words[record + NEXT] === IN_USE) this.giveSlot(slot);
    this.handler?.onResult(timePs, result);
  }

  private padded(payload: Uint8Array): Uint8Array {
    if (payload.length === INLINE_BYTES) return payload;
    for (let i = payload.length; i < INLINE_BYTES; i++) padded[i] = 0;
    padded.set(payload);
    return padded;
  }

  private issue(timePs: number, kind: number, set: number): number {
    return this.store(timePs, kind, call.bytes, set);
  }

  private store(timePs: number, kind: number, bytes: Uint8Array, set: number): number {
    const core = this.coreFree(set);
    const freePs = this.doubles[core]!;
    const address = this.user * APERTURE_BYTES + set * CALL_SET_BYTES + kind;
    if (timePs >= freePs) {
      // apart, because the time we were told goes on as the object it is, and a new number would be a new object
      this.doubles[core] = timePs + this.intervalPs;
      this.slot.mmioWrite(timePs, address, bytes);
      return timePs;
    }
    this.doubles[core] = freePs + this.intervalPs;
    this.slot.mmioWrite(freePs, address, bytes);
    return freePs;
  }

  /** Where this set's core says from when on it is free. */
  private coreFree(set: number): number {
    return (this.at >> 1) + CORE_FREE - set;
  }
}
