// SPDX-License-Identifier: Apache-2.0
/**
 * Takes calls out of the FIFO, checks what all calls have in common, and hands each to its handler.
 *
 * A handler gets a `UserCallView` that is valid during the call, and must either refuse it or begin its slot.
 */
import { Code, Counter, HeaderLayout, MAX_OUTSTANDING_CALLS, ResultFlag, SLOTS, UserCall } from '../regs.js';
import type { CallQueue } from './call-queue.js';
import type { Counters } from './counters.js';
import type { Results } from './results.js';
import type { Users } from './users.js';

const SLOT_MASK = 0xfff;

/** The call being handled, decoded. One object, reused. */
export class UserCallView {
  user = 0;
  /** What the call and its inline payload are words of, and where they begin there, in words. */
  words = new Int32Array(0);
  at = 0;
  inlineAt = 0;
  /** The same words as bytes. */
  bytes = new Uint8Array(0);
  flags = 0;
  slot = 0;
  size = 0;
  buffAddr = 0;
  idHi = 0;
  idLo = 0;
  cookieHi = 0;
  cookieLo = 0;
  peerPort = 0;
  readonly peer = new Uint32Array(4);

  /** Decodes the fields of the call at the head of the FIFO. */
  decode(queue: CallQueue): void {
    const { words } = queue;
    const at = queue.headAt;
    this.user = queue.headUser;
    this.words = words;
    this.bytes = queue.bytes;
    this.at = at;
    this.inlineAt = queue.headInlineAt;
    const metadata = words[at + HeaderLayout.metadata.offset / 4]!;
    this.flags = words[at + HeaderLayout.status.offset / 4]! >>> 0;
    this.slot = metadata & SLOT_MASK;
    this.size = metadata >>> 12;
  }

  /** Decodes the fields that only message calls have. */
  decodeMessage(): void {
    const { words, at: first } = this;
    this.buffAddr = words[first + HeaderLayout.buffAddr.offset / 4]! >>> 0;
    this.idLo = words[first + HeaderLayout.id.offset / 4]! >>> 0;
    this.idHi = words[first + HeaderLayout.id.offset / 4 + 1]! >>> 0;
    this.cookieLo = words[first + HeaderLayout.cc.offset / 4]! >>> 0;
    this.cookieHi = words[first + HeaderLayout.cc.offset / 4 + 1]! >>> 0;
    this.peerPort = words[first + HeaderLayout.sport.offset / 4]! >>> 16;
    for (let i = 0; i < 4; i++) {
      const word = words[first + HeaderLayout.daddr.offset / 4 + i]!;
      this.peer[i] = (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
    }
  }

  get hasId(): boolean {
    return this.idHi !== 0 || this.idLo !== 0;
  }
}

/** What the transport does with the calls that concern messages; each answers a code, `ok` when the slot has begun. */
export interface MessageCalls {
  sendmsg(call: UserCallView): Code;
  recvmsg(call: UserCallView): Code;
  cancel(call: UserCallView): Code;
  release(call: UserCallView): Code;
}

/** Shared by all cards of the process: in use within one call only, and so always near the processor. */
const call = new UserCallView();

export class UserCalls {
  constructor(
    private readonly users: Users,
    private readonly queue: CallQueue,
    private readonly results: Results,
    private readonly counters: Counters,
    private readonly messages: MessageCalls,
  ) {}

  /** Takes the oldest call up. Calls of a user who has left since are dropped. */
  takeNext(): void {
    const { queue, users } = this;
    if (queue.length === 0) return;
    const user = queue.headUser;
    if (users.isOpen(user) && users.epoch(user) === queue.headEpoch) {
      this.counters.add(Counter.calls);
      call.decode(queue);
      const code = this.check(call) || this.run(call, queue.headOffset);
      if (code !== Code.ok) this.results.refuse(user, call.slot, code, call.bytes, call.at * 4);
    } else {
      this.counters.add(Counter.callsClosed);
    }
    queue.drop();
  }

  private check(call: UserCallView): number {
    if (call.slot < 1 || call.slot >= SLOTS) return Code.badSlot;
    // First: with 255 outstanding every slot is in use, and the caller must hear that waiting helps.
    if (this.users.outstanding(call.user) >= MAX_OUTSTANDING_CALLS) return Code.busy;
    if (this.results.isInUse(call.user, call.slot)) return Code.slotInUse;
    return Code.ok;
  }

  private run(call: UserCallView, kind: number): Code {
    if (kind === UserCall.nop) return this.nop(call);
    call.decodeMessage();
    switch (kind) {
      case UserCall.sendmsg:
        return this.messages.sendmsg(call);
      case UserCall.recvmsg:
        return this.messages.recvmsg(call);
      case UserCall.cancel:
        return this.messages.cancel(call);
      case UserCall.release:
        return this.messages.release(call);
      default:
        return Code.badCall;
    }
  }

  /** The echo: 64 bytes in, the same 64 bytes back with the status word replaced. */
  private nop(call: UserCallView): Code {
    if (call.flags !== 0) return Code.badFlags;
    this.results.begin(call.user, call.slot, call.words, call.at);
    this.results.post(call.user, call.slot, ResultFlag.accepted | ResultFlag.final);
    return Code.ok;
  }
}
