// SPDX-License-Identifier: Apache-2.0
/**
 * Which packet goes out next (docs/protocol.md#send-order): control packets, then retransmissions, then original DATA
 * in SRPT order (fewest bytes left to transmit, older first), with a share of the bytes for the oldest message.
 *
 * Messages are small integers chosen by the caller (its RPC numbers). Typical use: `add` on sendmsg; `grant` on GRANT;
 * `resend` on RESEND; `setAvailable` as payload is fetched; `remove` when the RPC ends; and whenever the wire is free
 * `next(choice)`, which decides as late as possible and counts the bytes as sent. Nothing is allocated per packet.
 */
import { IndexedHeap, resized } from './indexed-heap.js';
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

/** 2^32: birth numbers stay below it, so length left and birth fit one exact floating-point key. */
const BIRTH_RANGE = 0x100000000;

export class SendQueue<Control> {
  /** Thousandths of the DATA bytes that go to the oldest ready message (docs/protocol.md#parameters). */
  fifoFraction = 50;

  private length = new Int32Array(0);
  private granted = new Int32Array(0);
  private available = new Int32Array(0);
  private sent = new Int32Array(0);
  private unscheduled = new Int32Array(0);
  private maxData = new Int32Array(0);
  private unscheduledPrio = new Uint8Array(0);
  private scheduledPrio = new Uint8Array(0);
  private resendPrio = new Uint8Array(0);
  private birth = new Float64Array(0);
  private key = new Float64Array(0);
  private readonly pending: (IntervalSet | null)[] = [];
  private nextBirth = 0;
  private fifoCredit = 0;

  private readonly shortest: IndexedHeap;
  private readonly oldest: IndexedHeap;
  private readonly controls: Control[] = [];
  private controlHead = 0;
  /** Messages with ranges to send again, in the order their first RESEND came. */
  private readonly resending: number[] = [];
  private resendHead = 0;

  /** `capacity`: message numbers are below it, until `resize`. */
  constructor(capacity: number) {
    this.shortest = new IndexedHeap(0, (a, b) => this.key[a]! < this.key[b]!);
    this.oldest = new IndexedHeap(0, (a, b) => this.birth[a]! < this.birth[b]!);
    this.resize(capacity);
  }

  /** Makes room for message numbers below `capacity`, or gives back the room above, where no message may be. */
  resize(capacity: number): void {
    this.length = resized(this.length, capacity);
    this.granted = resized(this.granted, capacity);
    this.available = resized(this.available, capacity);
    this.sent = resized(this.sent, capacity);
    this.unscheduled = resized(this.unscheduled, capacity);
    this.maxData = resized(this.maxData, capacity);
    this.unscheduledPrio = resized(this.unscheduledPrio, capacity);
    this.scheduledPrio = resized(this.scheduledPrio, capacity);
    this.resendPrio = resized(this.resendPrio, capacity);
    this.birth = resized(this.birth, capacity);
    this.key = resized(this.key, capacity);
    if (this.pending.length > capacity) this.pending.length = capacity;
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
    this.length[message] = length;
    this.unscheduled[message] = this.granted[message] = Math.min(unscheduledBytes, length);
    this.available[message] = available;
    this.sent[message] = 0;
    this.maxData[message] = maxData;
    this.unscheduledPrio[message] = prio;
    this.scheduledPrio[message] = 0;
    this.birth[message] = this.nextBirth;
    this.nextBirth = (this.nextBirth + 1) % BIRTH_RANGE;
    this.place(message);
  }

  /** Takes in a GRANT: the limit only rises, never beyond the length; the priority is always the newest. */
  grant(message: number, offset: number, prio: number): void {
    this.scheduledPrio[message] = prio & 7;
    const limit = Math.min(offset | 0, this.length[message]!);
    if (limit <= this.granted[message]!) return;
    this.granted[message] = limit;
    this.place(message);
  }

  /** How many bytes from the start of the message the card has at hand; a segment leaves only when all of it is. */
  setAvailable(message: number, bytes: number): void {
    this.available[message] = bytes;
    this.place(message);
  }

  /**
   * Takes in a RESEND for [offset, offset + length), or all sent so far for length -1 (docs/protocol.md#resend-answer).
   * Wanted bytes that were sent are sent again in their original segments at `prio`; beyond the grant, the limit rises
   * (a GRANT was lost). Answers true when nothing of the range had been sent, so that BUSY is due. A range that makes
   * no sense (outside the message, negative length) asks for nothing.
   */
  resend(message: number, offset: number, length: number, prio: number): boolean {
    const sent = this.sent[message]!;
    if (length < -1 || offset >= this.length[message]!) return offset >= sent;
    const end = length === -1 ? sent : offset + length;
    const stop = Math.min(end, sent);
    if (offset < stop) this.queueRange(message, offset, stop, prio & 7);
    if (end > this.granted[message]!) {
      this.granted[message] = Math.min(end, this.length[message]!);
      this.place(message);
    }
    return offset >= sent;
  }

  /** Takes in RPC_UNKNOWN at a client: everything sent so far again, at the unscheduled priority. */
  resendAll(message: number): void {
    this.resend(message, 0, -1, this.unscheduledPrio[message]!);
  }

  /** Forgets a message and everything queued for it. */
  remove(message: number): void {
    this.shortest.remove(message);
    this.oldest.remove(message);
    const ranges = this.pending[message];
    if (ranges === undefined || ranges === null || ranges.count === 0) return;
    ranges.clear();
    this.resending.splice(this.resending.indexOf(message, this.resendHead), 1);
  }

  /** Bytes handed out so far as originals: always a segment boundary (the protocol's tx_end). */
  sentBytes(message: number): number {
    return this.sent[message]!;
  }
  /** Bytes the peer allows. */
  grantedBytes(message: number): number {
    return this.granted[message]!;
  }
  /** First byte of the original segment around `offset`, and with `segmentEndAt` its end. */
  segmentStartAt(message: number, offset: number): number {
    return segmentStart(offset, this.unscheduled[message]!, this.maxData[message]!);
  }
  segmentEndAt(message: number, offset: number): number {
    const start = this.segmentStartAt(message, offset);
    return segmentEnd(start, this.length[message]!, this.unscheduled[message]!, this.maxData[message]!);
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
    const offset = this.sent[message]!;
    const end = this.segmentEndAt(message, offset);
    out.kind = SendKind.original;
    out.message = message;
    out.offset = offset;
    out.length = end - offset;
    out.incoming = this.unscheduled[message]!;
    out.prio = offset < out.incoming ? this.unscheduledPrio[message]! : this.scheduledPrio[message]!;
    this.sent[message] = end;
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
    const ranges = this.pending[message]!;
    out.kind = SendKind.retransmission;
    out.message = message;
    out.offset = this.segmentStartAt(message, ranges.start(0));
    const end = this.segmentEndAt(message, out.offset);
    out.length = end - out.offset;
    out.incoming = ranges.end(0);
    out.prio = this.resendPrio[message]!;
    ranges.remove(out.offset, end, null);
    if (ranges.count === 0) this.resendHead++;
    return out.kind;
  }

  private queueRange(message: number, start: number, end: number, prio: number): void {
    const ranges = (this.pending[message] ??= new IntervalSet());
    if (ranges.count === 0) {
      if (this.resendHead === this.resending.length || this.resendHead >= 1024) {
        this.resending.splice(0, this.resendHead);
        this.resendHead = 0;
      }
      this.resending.push(message);
    }
    ranges.add(start, end);
    this.resendPrio[message] = prio;
  }

  /** The message whose ranges are next to be resent, -1 when there is none. */
  private resendTop(): number {
    return this.resendHead < this.resending.length ? this.resending[this.resendHead]! : -1;
  }

  /** Whether the next segment may go: its first byte granted, all of it at hand. */
  private sendable(message: number): boolean {
    const sent = this.sent[message]!;
    return sent < this.granted[message]! && this.segmentEndAt(message, sent) <= this.available[message]!;
  }

  private place(message: number): void {
    if (!this.sendable(message)) {
      this.shortest.remove(message);
      this.oldest.remove(message);
      return;
    }
    this.key[message] = (this.length[message]! - this.sent[message]!) * BIRTH_RANGE + this.birth[message]!;
    this.shortest.update(message);
    if (!this.oldest.has(message)) this.oldest.update(message);
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
    return this.segmentEndAt(message, this.sent[message]!) - this.sent[message]!;
  }
}
