// SPDX-License-Identifier: Apache-2.0
/**
 * Which packet goes out next (docs/protocol.md#send-order): control packets, then retransmissions, then original DATA
 * in SRPT order (fewest bytes left to transmit, older first), with a share of the bytes for the oldest message.
 *
 * Messages are small integers chosen by the caller (its RPC numbers). Typical use: `add` on sendmsg; `grant` on GRANT;
 * `resend` on RESEND; `setAvailable` as payload is fetched; `remove` when the RPC ends; and whenever the wire is free
 * `next(choice)`, which decides as late as possible and counts the bytes as sent. Nothing is allocated per packet.
 */
import { IndexedHeap } from './indexed-heap.js';
import { IntervalSet } from './interval-set.js';
import { segmentEnd, segmentStart } from './segments.js';

/** What `next` decided. */
export const SendKind = { none: 0, control: 1, retransmission: 2, original: 3 } as const;
export type SendKind = (typeof SendKind)[keyof typeof SendKind];

/** Filled by `next`; reuse one. For control only `control` counts, for DATA the rest. */
export class SendChoice<Control> {
  kind: SendKind = SendKind.none;
  control: Control | null = null;
  message = -1;
  offset = 0;
  length = 0;
  /** Priority level the packet travels at. */
  prio = 0;
  /** Value for the DATA header's `incoming`: the unscheduled limit, or the end of the range being resent. */
  incoming = 0;
}

/** Birth numbers stay below it, so that they are small integers for ever. */
const BIRTH_RANGE = 0x40000000;

/** What is known of a message; made when its number is first used, and used again. */
class Message {
  length = 0;
  granted = 0;
  available = 0;
  /** Bytes handed out so far as originals. */
  sent = 0;
  unscheduled = 0;
  maxData = 1;
  unscheduledPrio = 0;
  scheduledPrio = 0;
  resendPrio = 0;
  birth = 0;
  /** Whether its next segment may go: it is in both heaps. */
  ready = false;
  /** Ranges to be sent again. */
  pending: IntervalSet | null = null;
}

export class SendQueue<Control> {
  /** Thousandths of the DATA bytes that go to the oldest ready message (docs/protocol.md#parameters). */
  fifoFraction = 50;

  private readonly messages: Message[] = [];
  private nextBirth = 0;
  private fifoCredit = 0;

  private readonly shortest: IndexedHeap;
  private readonly oldest: IndexedHeap;
  private readonly controls: Control[] = [];
  private controlHead = 0;
  /** Messages with ranges to send again, in the order their first RESEND came. */
  private readonly resending: number[] = [];
  private resendHead = 0;

  constructor() {
    const { messages } = this;
    this.shortest = new IndexedHeap(0, (a, b) => {
      const one = messages[a]!;
      const other = messages[b]!;
      const difference = one.length - one.sent - (other.length - other.sent);
      return difference === 0 ? one.birth < other.birth : difference < 0;
    });
    this.oldest = new IndexedHeap(0, (a, b) => messages[a]!.birth < messages[b]!.birth);
  }

  /** Gives back the room for message numbers from `capacity` on, where no message may be. */
  resize(capacity: number): void {
    if (this.messages.length > capacity) this.messages.length = capacity;
    this.shortest.resize(capacity);
    this.oldest.resize(capacity);
  }

  /** Queues a control packet (any value of the caller's). They leave first, in the order queued. */
  pushControl(control: Control): void {
    this.controls.push(control);
  }

  /**
   * Starts a message of `length` bytes. `unscheduledBytes` may go without a grant (the limit is cut to the length),
   * `maxData` is `maxSegmentData`, `prio` the unscheduled priority (cutoffs.ts), `available` how much is at hand.
   */
  add(
    message: number,
    length: number,
    unscheduledBytes: number,
    maxData: number,
    prio: number,
    available = length,
  ): void {
    const its = this.of(message);
    its.length = length;
    its.unscheduled = its.granted = Math.min(unscheduledBytes, length);
    its.available = available;
    its.sent = 0;
    its.maxData = maxData;
    its.unscheduledPrio = prio;
    its.scheduledPrio = 0;
    its.birth = this.nextBirth;
    this.nextBirth = (this.nextBirth + 1) % BIRTH_RANGE;
    this.place(message);
  }

  /** Takes in a GRANT: the limit only rises, never beyond the length; the priority is always the newest. */
  grant(message: number, offset: number, prio: number): void {
    const its = this.of(message);
    its.scheduledPrio = prio & 7;
    const limit = Math.min(offset | 0, its.length);
    if (limit <= its.granted) return;
    its.granted = limit;
    this.place(message);
  }

  /** How many bytes from the start of the message the card has at hand; a segment leaves only when all of it is. */
  setAvailable(message: number, bytes: number): void {
    this.of(message).available = bytes;
    this.place(message);
  }

  /**
   * Takes in a RESEND for [offset, offset + length), or all sent so far for length -1 (docs/protocol.md#resend-answer).
   * Wanted bytes that were sent are sent again in their original segments at `prio`; beyond the grant, the limit rises
   * (a GRANT was lost). Answers true when nothing of the range had been sent, so that BUSY is due. A range that makes
   * no sense (outside the message, negative length) asks for nothing.
   */
  resend(message: number, offset: number, length: number, prio: number): boolean {
    const its = this.of(message);
    const { sent } = its;
    if (length < -1 || offset >= its.length) return offset >= sent;
    const end = length === -1 ? sent : offset + length;
    const stop = Math.min(end, sent);
    if (offset < stop) this.queueRange(message, offset, stop, prio & 7);
    if (end > its.granted) {
      its.granted = Math.min(end, its.length);
      this.place(message);
    }
    return offset >= sent;
  }

  /** Takes in RPC_UNKNOWN at a client: everything sent so far again, at the unscheduled priority. */
  resendAll(message: number): void {
    this.resend(message, 0, -1, this.of(message).unscheduledPrio);
  }

  /** Forgets a message and everything queued for it. */
  remove(message: number): void {
    const its = this.messages[message];
    if (its === undefined) return;
    if (its.ready) this.takeOut(message, its);
    const ranges = its.pending;
    if (ranges === null || ranges.count === 0) return;
    ranges.clear();
    this.resending.splice(this.resending.indexOf(message, this.resendHead), 1);
  }

  /** Bytes handed out so far as originals: always a segment boundary (the protocol's tx_end). */
  sentBytes(message: number): number {
    return this.of(message).sent;
  }
  /** Bytes the peer allows. */
  grantedBytes(message: number): number {
    return this.of(message).granted;
  }
  /** First byte of the original segment around `offset`, and with `segmentEndAt` its end. */
  segmentStartAt(message: number, offset: number): number {
    const { unscheduled, maxData } = this.of(message);
    return segmentStart(offset, unscheduled, maxData);
  }
  segmentEndAt(message: number, offset: number): number {
    return endOfSegment(this.of(message), offset);
  }
  /** True when `next` would find something. */
  get ready(): boolean {
    return this.controlHead < this.controls.length || this.shortest.count > 0 || this.resendTop() >= 0;
  }

  /** Decides the next packet, fills `out` and counts it as sent. Answers its kind, `none` when nothing may go. */
  next(out: SendChoice<Control>): SendKind {
    if (this.controlHead < this.controls.length) return this.nextControl(out);
    out.control = null;
    const again = this.resendTop();
    if (again >= 0) return this.nextRetransmission(again, out);
    const message = this.choose();
    if (message < 0) return (out.kind = SendKind.none);
    const its = this.messages[message]!;
    const offset = its.sent;
    const end = endOfSegment(its, offset);
    out.kind = SendKind.original;
    out.message = message;
    out.offset = offset;
    out.length = end - offset;
    out.incoming = its.unscheduled;
    out.prio = offset < its.unscheduled ? its.unscheduledPrio : its.scheduledPrio;
    its.sent = end;
    this.place(message);
    return out.kind;
  }

  private nextControl(out: SendChoice<Control>): SendKind {
    out.control = this.controls[this.controlHead++]!;
    if (this.controlHead === this.controls.length) {
      this.controls.length = this.controlHead = 0;
    } else if (this.controlHead >= 1024) {
      this.controls.splice(0, this.controlHead);
      this.controlHead = 0;
    }
    return (out.kind = SendKind.control);
  }

  private nextRetransmission(message: number, out: SendChoice<Control>): SendKind {
    const its = this.messages[message]!;
    const ranges = its.pending!;
    out.kind = SendKind.retransmission;
    out.message = message;
    out.offset = this.segmentStartAt(message, ranges.start(0));
    const end = this.segmentEndAt(message, out.offset);
    out.length = end - out.offset;
    out.incoming = ranges.end(0);
    out.prio = its.resendPrio;
    ranges.remove(out.offset, end, null);
    if (ranges.count === 0) this.resendHead++;
    return out.kind;
  }

  private queueRange(message: number, start: number, end: number, prio: number): void {
    const its = this.of(message);
    const ranges = (its.pending ??= new IntervalSet());
    if (ranges.count === 0) {
      if (this.resendHead === this.resending.length || this.resendHead >= 1024) {
        this.resending.splice(0, this.resendHead);
        this.resendHead = 0;
      }
      this.resending.push(message);
    }
    ranges.add(start, end);
    its.resendPrio = prio;
  }

  /** The message whose ranges are next to be resent, -1 when there is none. */
  private resendTop(): number {
    return this.resendHead < this.resending.length ? this.resending[this.resendHead]! : -1;
  }

  /** Keeps both heaps true: a message is in them while its next segment may go, first byte granted, all of it at hand. */
  private place(message: number): void {
    const its = this.messages[message]!;
    const { sent } = its;
    if (sent >= its.granted || endOfSegment(its, sent) > its.available) {
      if (its.ready) this.takeOut(message, its);
      return;
    }
    this.shortest.update(message);
    if (!its.ready) this.oldest.update(message);
    its.ready = true;
  }

  private takeOut(message: number, its: Message): void {
    this.shortest.remove(message);
    this.oldest.remove(message);
    its.ready = false;
  }

  /** SRPT, but for the oldest message once it has saved up enough credit for its next segment. */
  private choose(): number {
    const best = this.shortest.top;
    if (best < 0) return -1;
    const old = this.oldest.top;
    const message = this.fifoFraction > 0 && this.fifoCredit >= 1000 * this.nextLength(old) ? old : best;
    const bytes = this.nextLength(message);
    this.fifoCredit += bytes * this.fifoFraction - (message === old ? bytes * 1000 : 0);
    if (this.fifoCredit < 0) this.fifoCredit = 0;
    return message;
  }

  private nextLength(message: number): number {
    const its = this.messages[message]!;
    return endOfSegment(its, its.sent) - its.sent;
  }

  private of(message: number): Message {
    return (this.messages[message] ??= new Message());
  }
}

/** End of the original segment around `offset`. */
function endOfSegment(its: Message, offset: number): number {
  const { unscheduled, maxData } = its;
  return segmentEnd(segmentStart(offset, unscheduled, maxData), its.length, unscheduled, maxData);
}
