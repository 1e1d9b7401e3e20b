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

/** Stands for the token of an RPC (`Rpc.token`) in a call that is narrowed to none. */
export const ANY_RPC = -1;

/** A call's record in words: kinds it takes, RPC, buffer, order of posting, claimed, cancelled; half a line of a cache. */
const RECORD_BITS = 3;
const KINDS = 0;
const RPC = 1;
const OFFSET = 2;
const SIZE = 3;
const ORDER = 4;
const CLAIMED = 5;
const CANCELLED = 6;

/** Place of a call's record. */
function recordOf(user: number, slot: number): number {
  return (user * SLOTS + slot) << RECORD_BITS;
}

export class PostedReceives {
  private readonly words = new Int32Array(((MAX_USERS + 1) * SLOTS) << RECORD_BITS);
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
    this.words.fill(0, recordOf(user, 0), recordOf(user + 1, 0));
  }

  /**
   * Posts a call. `flags` are its match flags. `rpc` is the token of the RPC it is narrowed to: an id would not do, as
   * requests of two clients may have the same.
   */
  post(user: number, slot: number, flags: number, rpc: number, offset: number, size: number): void {
    const { words } = this;
    const at = recordOf(user, slot);
    words[at + KINDS] = (flags & EITHER) === 0 ? EITHER : flags & EITHER;
    words[at + RPC] = rpc;
    words[at + OFFSET] = offset;
    words[at + SIZE] = size;
    words[at + ORDER] = this.nextOrder;
    words[at + CLAIMED] = 0;
    words[at + CANCELLED] = 0;
    this.nextOrder = (this.nextOrder + 1) | 0;
    this.waiting[user]!.push(slot);
    this.countNarrowed(user, slot, 1);
  }

  /** Whether the call in this slot takes a message of this kind and RPC. */
  matches(user: number, slot: number, isResponse: boolean, rpc: number): boolean {
    const bit = isResponse ? CallFlag.matchResponses : CallFlag.matchRequests;
    const at = recordOf(user, slot);
    if ((this.words[at + KINDS]! & bit) === 0) return false;
    return this.words[at + RPC] === ANY_RPC || this.words[at + RPC] === rpc;
  }

  /**
   * Claims the oldest waiting call that takes this message and answers its slot, 0 without one. A message that still
   * arrives needs a call with a buffer; one that lies in the pool suits any call.
   */
  claim(user: number, isResponse: boolean, rpc: number, needsBuffer: boolean): number {
    const waiting = this.waiting[user]!;
    for (let i = 0; i < waiting.length; i++) {
      const slot = waiting[i]!;
      if (needsBuffer && this.size(user, slot) === 0) continue;
      if (!this.matches(user, slot, isResponse, rpc)) continue;
      if (i === 0) waiting.shift();
      else waiting.splice(i, 1);
      this.countNarrowed(user, slot, -1);
      this.words[recordOf(user, slot) + CLAIMED] = 1;
      return slot;
    }
    return 0;
  }

  /** The call's message has died: it waits again, where it was. False when it was cancelled meanwhile. */
  unclaim(user: number, slot: number): boolean {
    const { words } = this;
    const at = recordOf(user, slot);
    words[at + CLAIMED] = 0;
    if (words[at + CANCELLED] === 1) return false;
    const waiting = this.waiting[user]!;
    const order = words[at + ORDER]!;
    let place = waiting.length;
    // the count wraps; what waits was posted within half its range
    while (place > 0 && ((words[recordOf(user, waiting[place - 1]!) + ORDER]! - order) | 0) > 0) place--;
    waiting.splice(place, 0, slot);
    this.countNarrowed(user, slot, 1);
    return true;
  }

  /** The call got its final result. */
  finish(user: number, slot: number): void {
    this.words[recordOf(user, slot) + CLAIMED] = 0;
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
    const at = recordOf(user, slot);
    if (this.words[at + CLAIMED] === 0) return false;
    this.words[at + CANCELLED] = 1;
    return true;
  }

  isNarrowed(user: number, slot: number): boolean {
    return this.words[recordOf(user, slot) + RPC] !== ANY_RPC;
  }

  /** A waiting call that is narrowed to this RPC, 0 without. */
  narrowedTo(user: number, rpc: number): number {
    if (this.narrowed[user] === 0) return 0;
    for (const slot of this.waiting[user]!) if (this.words[recordOf(user, slot) + RPC] === rpc) return slot;
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
    return this.words[recordOf(user, slot) + OFFSET]! >>> 0;
  }

  size(user: number, slot: number): number {
    return this.words[recordOf(user, slot) + SIZE]!;
  }
}
