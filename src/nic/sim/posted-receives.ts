// SPDX-License-Identifier: Apache-2.0
/**
 * The recvmsg calls that wait, and which message goes to which.
 *
 * Calls of a user are served in the order they were posted. A call takes requests, responses or both, and may be
 * narrowed to one RPC. It is claimed by a message at its first packet, or by a message that has come whole; if that
 * message dies the call takes its old place again.
 */
import { CallFlag, MAX_USERS, SLOTS } from '../regs.js';

const EITHER = CallFlag.matchRequests | CallFlag.matchResponses;

export class PostedReceives {
  private readonly kinds = new Uint8Array((MAX_USERS + 1) * SLOTS);
  private readonly idHi = new Uint32Array((MAX_USERS + 1) * SLOTS);
  private readonly idLo = new Uint32Array((MAX_USERS + 1) * SLOTS);
  private readonly offsets = new Uint32Array((MAX_USERS + 1) * SLOTS);
  private readonly sizes = new Uint32Array((MAX_USERS + 1) * SLOTS);
  private readonly orders = new Float64Array((MAX_USERS + 1) * SLOTS);
  private readonly claimed = new Uint8Array((MAX_USERS + 1) * SLOTS);
  private readonly cancelled = new Uint8Array((MAX_USERS + 1) * SLOTS);
  /** Slots of the calls that wait unclaimed, oldest first. */
  private readonly waiting: number[][] = Array.from({ length: MAX_USERS + 1 }, () => []);
  /** How many of them are narrowed to one RPC. */
  private readonly narrowed = new Int32Array(MAX_USERS + 1);
  private nextOrder = 0;

  reset(): void {
    for (let user = 1; user <= MAX_USERS; user++) this.clearUser(user);
  }

  clearUser(user: number): void {
    this.waiting[user]!.length = 0;
    this.narrowed[user] = 0;
    this.claimed.fill(0, user * SLOTS, (user + 1) * SLOTS);
  }

  /** Posts a call. `flags` are its match flags; id 0 does not narrow. */
  post(
    user: number,
    slot: number,
    flags: number,
    idHi: number,
    idLo: number,
    offset: number,
    size: number,
  ): void {
    const at = user * SLOTS + slot;
    this.kinds[at] = (flags & EITHER) === 0 ? EITHER : flags & EITHER;
    this.idHi[at] = idHi;
    this.idLo[at] = idLo;
    this.offsets[at] = offset;
    this.sizes[at] = size;
    this.orders[at] = this.nextOrder++;
    this.claimed[at] = 0;
    this.cancelled[at] = 0;
    this.waiting[user]!.push(slot);
    this.countNarrowed(user, slot, 1);
  }

  /** Whether the call in this slot takes a message of this kind and id. */
  matches(user: number, slot: number, isResponse: boolean, idHi: number, idLo: number): boolean {
    const at = user * SLOTS + slot;
    const bit = isResponse ? CallFlag.matchResponses : CallFlag.matchRequests;
    if ((this.kinds[at]! & bit) === 0) return false;
    return !this.isNarrowed(user, slot) || (this.idLo[at] === idLo && this.idHi[at] === idHi);
  }

  /**
   * Claims the oldest waiting call that takes this message and answers its slot, 0 without one. A message that still
   * arrives needs a call with a buffer; one that lies in the pool suits any call.
   */
  claim(user: number, isResponse: boolean, idHi: number, idLo: number, needsBuffer: boolean): number {
    const waiting = this.waiting[user]!;
    for (let i = 0; i < waiting.length; i++) {
      const slot = waiting[i]!;
      if (needsBuffer && this.sizes[user * SLOTS + slot] === 0) continue;
      if (!this.matches(user, slot, isResponse, idHi, idLo)) continue;
      if (i === 0) waiting.shift();
      else waiting.splice(i, 1);
      this.countNarrowed(user, slot, -1);
      this.claimed[user * SLOTS + slot] = 1;
      return slot;
    }
    return 0;
  }

  /** The call's message has died: it waits again, where it was. False when it was cancelled meanwhile. */
  unclaim(user: number, slot: number): boolean {
    const at = user * SLOTS + slot;
    this.claimed[at] = 0;
    if (this.cancelled[at] === 1) return false;
    const waiting = this.waiting[user]!;
    let place = waiting.length;
    while (place > 0 && this.orders[user * SLOTS + waiting[place - 1]!]! > this.orders[at]!) place--;
    waiting.splice(place, 0, slot);
    this.countNarrowed(user, slot, 1);
    return true;
  }

  /** The call got its final result. */
  finish(user: number, slot: number): void {
    this.claimed[user * SLOTS + slot] = 0;
  }

  /** Takes a waiting call out; false when the slot holds none. */
  withdraw(user: number, slot: number): boolean {
    const waiting = this.waiting[user]!;
    const at = waiting.indexOf(slot);
    if (at < 0) return false;
    waiting.splice(at, 1);
    this.countNarrowed(user, slot, -1);
    return true;
  }

  /** Notes that a claimed call is not to wait again; false when the slot holds none. */
  cancelClaimed(user: number, slot: number): boolean {
    const at = user * SLOTS + slot;
    if (this.claimed[at] === 0) return false;
    this.cancelled[at] = 1;
    return true;
  }

  isNarrowed(user: number, slot: number): boolean {
    const at = user * SLOTS + slot;
    return this.idLo[at] !== 0 || this.idHi[at] !== 0;
  }

  /** A waiting call that is narrowed to this id, 0 without. */
  narrowedTo(user: number, idHi: number, idLo: number): number {
    if (this.narrowed[user] === 0) return 0;
    for (const slot of this.waiting[user]!) {
      const at = user * SLOTS + slot;
      if (this.idLo[at] === idLo && this.idHi[at] === idHi) return slot;
    }
    return 0;
  }

  private countNarrowed(user: number, slot: number, by: number): void {
    if (this.isNarrowed(user, slot)) this.narrowed[user]! += by;
  }

  /** Slots of a user's waiting calls, oldest first. */
  waitingSlots(user: number): readonly number[] {
    return this.waiting[user]!;
  }

  offset(user: number, slot: number): number {
    return this.offsets[user * SLOTS + slot]!;
  }

  size(user: number, slot: number): number {
    return this.sizes[user * SLOTS + slot]!;
  }
}
