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
import { Records } from './records.js';
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

/** What is known of a message: a record of words. */
const RECORD_BITS = 4;
const LENGTH = 0;
const GRANTED = 1;
/** bytes at hand */
const AVAILABLE = 2;
/** bytes handed out so far as originals */
const SENT = 3;
const UNSCHEDULED = 4;
/** most bytes in a segment */
const MAX_DATA = 5;
const UNSCHEDULED_PRIO = 6;
const SCHEDULED_PRIO = 7;
const RESEND_PRIO = 8;
const BIRTH = 9;
/** 1 while its next segment may go: it is in both heaps */
const READY = 10;
/** 1 while ranges of it are to be sent again */
const AGAIN = 11;
/** its places in the heaps */
const SHORTEST_PLACE = 12;
const OLDEST_PLACE = 13;

export class SendQueue<Control> {
  /** Thousandths of the DATA bytes that go to the oldest ready message (docs/protocol.md#parameters). */
  fifoFraction = 50;

  private readonly records = new Records(RECORD_BITS);
  /** Ranges to be sent again, of the messages that ever had some. */
  private readonly ranges: IntervalSet[] = [];
  private nextBirth = 0;
  private fifoCredit = 0;

  private readonly shortest: IndexedHeap;
  private readonly oldest: IndexedHeap;
  private readonly controls: Control[] = [];
  private controlHead = 0;
  /** those not yet handed out */
  private controlCount = 0;
  /** Messages with ranges to send again, in the order their first RESEND came. */
  private readonly resending: number[] = [];
  private resendHead = 0;
  private resendCount = 0;

  constructor() {
    const { records } = this;
    const isShorter = (a: number, b: number): boolean => {
      const { words } = records;
      const one = a << RECORD_BITS;
      const other = b << RECORD_BITS;
      const left = words[one + LENGTH]! - words[one + SENT]!;
      const difference = left - (words[other + LENGTH]! - words[other + SENT]!);
      return difference === 0 ? words[one + BIRTH]! < words[other + BIRTH]! : difference < 0;
    };
    const isOlder = (a: number, b: number): boolean => {
      const { words } = records;
      return words[(a << RECORD_BITS) + BIRTH]! < words[(b << RECORD_BITS) + BIRTH]!;
    };
    this.shortest = new IndexedHeap(isShorter, records, RECORD_BITS, SHORTEST_PLACE);
    this.oldest = new IndexedHeap(isOlder, records, RECORD_BITS, OLDEST_PLACE);
  }

  /** Gives back the room for message numbers from `capacity` on, where no message may be. */
  resize(capacity: number): void {
    this.records.cut(capacity);
    if (this.ranges.length > capacity) this.ranges.length = capacity;
    this.shortest.trim();
    this.oldest.trim();
  }

  /** Queues a control packet (any value of the caller's). They leave first, in the order queued. */
  pushControl(control: Control): void {
    this.controls.push(control);
    this.controlCount++;
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
    const at = this.records.reach(message);
    const { words } = this.records;
    words[at + LENGTH] = length;
    words[at + UNSCHEDULED] = words[at + GRANTED] = Math.min(unscheduledBytes, length);
    words[at + AVAILABLE] = available;
    words[at + SENT] = 0;
    words[at + MAX_DATA] = maxData;
    words[at + UNSCHEDULED_PRIO] = prio;
    words[at + SCHEDULED_PRIO] = 0;
    words[at + BIRTH] = this.nextBirth;
    this.nextBirth = (this.nextBirth + 1) % BIRTH_RANGE;
    this.place(message);
  }

  /** Takes in a GRANT: the limit only rises, never beyond the length; the priority is always the newest. */
  grant(message: number, offset: number, prio: number): void {
    const at = this.records.reach(message);
    const { words } = this.records;
    words[at + SCHEDULED_PRIO] = prio & 7;
    const limit = Math.min(offset | 0, words[at + LENGTH]!);
    if (limit <= words[at + GRANTED]!) return;
    words[at + GRANTED] = limit;
    this.place(message);
  }

  /** How many bytes from the start of the message the card has at hand; a segment leaves only when all of it is. */
  setAvailable(message: number, bytes: number): void {
    const at = this.records.reach(message);
    this.records.words[at + AVAILABLE] = bytes;
    this.place(message);
  }

  /**
   * Takes in a RESEND for [offset, offset + length), or all sent so far for length -1 (docs/protocol.md#resend-answer).
   * Wanted bytes that were sent are sent again in their original segments at `prio`; beyond the grant, the limit rises
   * (a GRANT was lost). Answers true when nothing of the range had been sent, so that BUSY is due. A range that makes
   * no sense (outside the message, negative length) asks for nothing.
   */
  resend(message: number, offset: number, length: number, prio: number): boolean {
    const at = this.records.reach(message);
    const { words } = this.records;
    const sent = words[at + SENT]!;
    if (length < -1 || offset >= words[at + LENGTH]!) return offset >= sent;
    const end = length === -1 ? sent : offset + length;
    const stop = Math.min(end, sent);
    if (offset < stop) this.queueRange(message, offset, stop, prio & 7);
    if (end > words[at + GRANTED]!) {
      words[at + GRANTED] = Math.min(end, words[at + LENGTH]!);
      this.place(message);
    }
    return offset >= sent;
  }

  /** Takes in RPC_UNKNOWN at a client: everything sent so far again, at the unscheduled priority. */
  resendAll(message: number): void {
    this.resend(message, 0, -1, this.get(message, UNSCHEDULED_PRIO));
  }

  /** Forgets a message and everything queued for it. */
  remove(message: number): void {
    if (!this.records.has(message)) return;
    if (this.get(message, READY) === 1) this.takeOut(message);
    if (this.get(message, AGAIN) === 0) return;
    this.set(message, AGAIN, 0);
    this.ranges[message]!.clear();
    this.resending.splice(this.resending.indexOf(message, this.resendHead), 1);
    this.resendCount--;
  }

  /** Bytes handed out so far as originals: always a segment boundary (the protocol's tx_end). */
  sentBytes(message: number): number {
    return this.get(message, SENT);
  }
  /** Bytes the peer allows. */
  grantedBytes(message: number): number {
    return this.get(message, GRANTED);
  }
  /** First byte of the original segment around `offset`, and with `segmentEndAt` its end. */
  segmentStartAt(message: number, offset: number): number {
    return segmentStart(offset, this.get(message, UNSCHEDULED), this.get(message, MAX_DATA));
  }
  segmentEndAt(message: number, offset: number): number {
    const unscheduled = this.get(message, UNSCHEDULED);
    const maxData = this.get(message, MAX_DATA);
    const start = segmentStart(offset, unscheduled, maxData);
    return segmentEnd(start, this.get(message, LENGTH), unscheduled, maxData);
  }
  /** True when `next` would find something. */
  get ready(): boolean {
    return this.shortest.count > 0 || this.controlCount > 0 || this.resendCount > 0;
  }

  /** Decides the next packet, fills `out` and counts it as sent. Answers its kind, `none` when nothing may go. */
  next(out: SendChoice<Control>): SendKind {
    if (this.controlCount > 0) return this.nextControl(out);
    out.control = null;
    const again = this.resendTop();
    if (again >= 0) return this.nextRetransmission(again, out);
    const message = this.choose();
    if (message < 0) return (out.kind = SendKind.none);
    const offset = this.get(message, SENT);
    const end = this.segmentEndAt(message, offset);
    const unscheduled = this.get(message, UNSCHEDULED);
    out.kind = SendKind.original;
    out.message = message;
    out.offset = offset;
    out.length = end - offset;
    out.incoming = unscheduled;
    out.prio = this.get(message, offset < unscheduled ? UNSCHEDULED_PRIO : SCHEDULED_PRIO);
    this.set(message, SENT, end);
    this.place(message);
    return out.kind;
  }

  private nextControl(out: SendChoice<Control>): SendKind {
    out.control = this.controls[this.controlHead++]!;
    this.controlCount--;
    if (this.controlHead === this.controls.length) {
      this.controls.length = this.controlHead = 0;
    } else if (this.controlHead >= 1024) {
      this.controls.splice(0, this.controlHead);
      this.controlHead = 0;
    }
    return (out.kind = SendKind.control);
  }

  private nextRetransmission(message: number, out: SendChoice<Control>): SendKind {
    const ranges = this.ranges[message]!;
    out.kind = SendKind.retransmission;
    out.message = message;
    out.offset = this.segmentStartAt(message, ranges.start(0));
    const end = this.segmentEndAt(message, out.offset);
    out.length = end - out.offset;
    out.incoming = ranges.end(0);
    out.prio = this.get(message, RESEND_PRIO);
    ranges.remove(out.offset, end, null);
    if (ranges.count === 0) {
      this.set(message, AGAIN, 0);
      this.resendHead++;
      this.resendCount--;
    }
    return out.kind;
  }

  private queueRange(message: number, start: number, end: number, prio: number): void {
    const ranges = (this.ranges[message] ??= new IntervalSet());
    if (ranges.count === 0) {
      if (this.resendHead === this.resending.length || this.resendHead >= 1024) {
        this.resending.splice(0, this.resendHead);
        this.resendHead = 0;
      }
      this.resending.push(message);
      this.resendCount++;
    }
    ranges.add(start, end);
    this.set(message, AGAIN, 1);
    this.set(message, RESEND_PRIO, prio);
  }

  /** The message whose ranges are next to be resent, -1 when there is none. */
  private resendTop(): number {
    return this.resendCount > 0 ? this.resending[this.resendHead]! : -1;
  }

  /** Keeps both heaps true: a message is in them while its next segment may go, first byte granted, all of it at hand. */
  private place(message: number): void {
    const sent = this.get(message, SENT);
    const isReady = this.get(message, READY) === 1;
    if (
      sent >= this.get(message, GRANTED) ||
      this.segmentEndAt(message, sent) > this.get(message, AVAILABLE)
    ) {
      if (isReady) this.takeOut(message);
      return;
    }
    this.shortest.update(message);
    if (!isReady) this.oldest.update(message);
    this.set(message, READY, 1);
  }

  private takeOut(message: number): void {
    this.shortest.remove(message);
    this.oldest.remove(message);
    this.set(message, READY, 0);
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
    const sent = this.get(message, SENT);
    return this.segmentEndAt(message, sent) - sent;
  }

  private get(message: number, word: number): number {
    return this.records.words[(message << RECORD_BITS) + word]!;
  }

  private set(message: number, word: number, value: number): void {
    this.records.words[(message << RECORD_BITS) + word] = value;
  }
}
