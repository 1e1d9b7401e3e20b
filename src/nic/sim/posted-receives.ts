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

/**
 * A call's record in words: a quarter of a line of the cache. No call has slot 0: its record holds the list of the user's
 * calls that wait unclaimed, a ring through it from the oldest to the youngest, and how many of them are narrowed to an
 * RPC.
 */
const RECORD_BITS = 2;
/** kinds it takes, as match flags, and the marks below */
const FLAGS = 0;
/** token of the RPC it is narrowed to; in the list's record the count of narrowed ones */
const RPC = 1;
const ORDER = 2;
/** slots: of the call posted next among those that wait, and above it of the one posted before */
const LINKS = 3;

const CLAIMED = 0x10000;
const CANCELLED = 0x20000;
const HAS_BUFFER = 0x40000;
const SLOT = 0xff;
const PREVIOUS_SHIFT = 8;

/** Place of a call's record. */
function recordOf(user: number, slot: number): number {
  return (user * SLOTS + slot) << RECORD_BITS;
}

export class PostedReceives {
  private readonly words = new Int32Array(((MAX_USERS + 1) * SLOTS) << RECORD_BITS);
  private nextOrder = 0;

  reset(): void {
    for (let user = 1; user <= MAX_USERS; user++) this.clearUser(user);
  }

  clearUser(user: number): void {
    this.words.fill(0, recordOf(user, 0), recordOf(user + 1, 0));
  }

  /**
   * Posts a call. `flags` are its match flags. `rpc` is the token of the RPC it is narrowed to: an id would not do, as
   * requests of two clients may have the same. `hasBuffer`: a message may be put into its buffer as it arrives.
   */
  post(user: number, slot: number, flags: number, rpc: number, hasBuffer: boolean): void {
    const { words } = this;
    const at = recordOf(user, slot);
    const kinds = (flags & EITHER) === 0 ? EITHER : flags & EITHER;
    words[at + FLAGS] = kinds | (hasBuffer ? HAS_BUFFER : 0);
    words[at + RPC] = rpc;
    words[at + ORDER] = this.nextOrder;
    this.nextOrder = (this.nextOrder + 1) | 0;
    this.enter(user, slot, this.previous(user, 0));
  }

  /**
   * Claims the oldest waiting call that takes this message and answers its slot, 0 without one. A message that still
   * arrives needs a call with a buffer; one that lies in the pool suits any call.
   */
  claim(user: number, isResponse: boolean, rpc: number, needsBuffer: boolean): number {
    const { words } = this;
    const wanted =
      (isResponse ? CallFlag.matchResponses : CallFlag.matchRequests) | (needsBuffer ? HAS_BUFFER : 0);
    for (let slot = this.next(user, 0); slot !== 0; slot = this.next(user, slot)) {
      const at = recordOf(user, slot);
      if ((words[at + FLAGS]! & wanted) !== wanted) continue;
      if (words[at + RPC] !== ANY_RPC && words[at + RPC] !== rpc) continue;
      this.leave(user, slot);
      words[at + FLAGS]! |= CLAIMED;
      return slot;
    }
    return 0;
  }

  /** The call's message has died: it waits again, where it was. False when it was cancelled meanwhile. */
  unclaim(user: number, slot: number): boolean {
    const { words } = this;
    const at = recordOf(user, slot);
    words[at + FLAGS]! &= ~CLAIMED;
    if ((words[at + FLAGS]! & CANCELLED) !== 0) return false;
    const order = words[at + ORDER]!;
    let before = this.previous(user, 0);
    // the count wraps; what waits was posted within half its range
    while (before !== 0 && ((words[recordOf(user, before) + ORDER]! - order) | 0) > 0) {
      before = this.previous(user, before);
    }
    this.enter(user, slot, before);
    return true;
  }

  /** The call got its final result. */
  finish(user: number, slot: number): void {
    this.words[recordOf(user, slot) + FLAGS]! &= ~CLAIMED;
  }

  /** Takes a waiting call out; false when the slot holds none. */
  withdraw(user: number, slot: number): boolean {
    for (let waiting = this.next(user, 0); waiting !== 0; waiting = this.next(user, waiting)) {
      if (waiting !== slot) continue;
      this.leave(user, slot);
      return true;
    }
    return false;
  }

  /** Notes that a claimed call is not to wait again; false when the slot holds none. */
  cancelClaimed(user: number, slot: number): boolean {
    const at = recordOf(user, slot) + FLAGS;
    if ((this.words[at]! & CLAIMED) === 0) return false;
    this.words[at]! |= CANCELLED;
    return true;
  }

  isNarrowed(user: number, slot: number): boolean {
    return this.words[recordOf(user, slot) + RPC] !== ANY_RPC;
  }

  /** A waiting call that is narrowed to this RPC, 0 without. */
  narrowedTo(user: number, rpc: number): number {
    if (this.words[recordOf(user, 0) + RPC] === 0) return 0;
    for (let slot = this.next(user, 0); slot !== 0; slot = this.next(user, slot)) {
      if (this.words[recordOf(user, slot) + RPC] === rpc) return slot;
    }
    return 0;
  }

  /** Slots of a user's waiting calls, oldest first. */
  waitingSlots(user: number): number[] {
    const slots: number[] = [];
    for (let slot = this.next(user, 0); slot !== 0; slot = this.next(user, slot)) slots.push(slot);
    return slots;
  }

  /** The call after this one in the user's list, 0 after the youngest; for slot 0 the oldest. */
  private next(user: number, slot: number): number {
    return this.words[recordOf(user, slot) + LINKS]! & SLOT;
  }

  private previous(user: number, slot: number): number {
    return this.words[recordOf(user, slot) + LINKS]! >> PREVIOUS_SHIFT;
  }

  /** Enters a call into the list, behind the one in slot `before`, 0 for none. */
  private enter(user: number, slot: number, before: number): void {
    const after = this.next(user, before);
    this.join(user, before, slot);
    this.join(user, slot, after);
    if (this.isNarrowed(user, slot)) this.words[recordOf(user, 0) + RPC]!++;
  }

  private leave(user: number, slot: number): void {
    this.join(user, this.previous(user, slot), this.next(user, slot));
    if (this.isNarrowed(user, slot)) this.words[recordOf(user, 0) + RPC]!--;
  }

  /** Makes two calls, or a call and an end of the list, neighbours. */
  private join(user: number, older: number, younger: number): void {
    const { words } = this;
    const one = recordOf(user, older) + LINKS;
    words[one] = (words[one]! & ~SLOT) | younger;
    const other = recordOf(user, younger) + LINKS;
    words[other] = (words[other]! & SLOT) | (older << PREVIOUS_SHIFT);
  }
}
