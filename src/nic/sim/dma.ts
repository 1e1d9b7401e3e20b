// SPDX-License-Identifier: Apache-2.0
/**
 * The only place where the card touches host memory.
 *
 * Every access names a user, a region and an offset; it is checked against the user's map here, so a DMA outside a map
 * cannot happen whatever the callers do. Requests are split at 4 KiB pages and at the configured burst. Writes go out in
 * the order they are asked for, which is how a payload comes before its result.
 */
import { DmaStatus, type NicOutputs } from '../device.js';
import { Counter, Region } from '../regs.js';
import type { Agenda } from './agenda.js';
import type { Counters } from './counters.js';
import { resized } from './protocol/records.js';
import type { Users } from './users.js';

const INDEX_BITS = 20;
const INDEX_MASK = (1 << INDEX_BITS) - 1;
const GENERATION_MASK = 0x7ff;
const DEFAULT_LOG2_BURST = 12;

const FREE = 0;
const KIND_WRITE = 1;
const KIND_READ = 2;

/**
 * Short parts are put together here, so that no view is made for each: views by length. Shared by all cards of the process:
 * in use within one call only.
 */
const SHORT_BYTES = 64;
const short = new Uint8Array(SHORT_BYTES);
const shortViews = Array.from({ length: SHORT_BYTES + 1 }, (_, length) => short.subarray(0, length));

/** `length` bytes from `from`, valid until the next part. */
function partOf(bytes: Uint8Array, from: number, length: number): Uint8Array {
  if (from === 0 && length === bytes.length) return bytes;
  if (length > SHORT_BYTES) return bytes.subarray(from, from + length);
  for (let i = 0; i < length; i++) short[i] = bytes[from + i]!;
  return shortViews[length]!;
}

/** Who hears of answers; tokens are the asker's. */
export interface DmaListener {
  /** Part of a read arrived: `bytes` belongs at `position` of what was asked for. Empty on error. */
  readArrived(token: number, position: number, status: DmaStatus, bytes: Uint8Array): void;
  /** A payload write failed on the bus. */
  writeFailed(token: number): void;
}

/** Bytes from a bus address to the next multiple of `burst`, a power of two up to a page. */
function bytesToBoundary(address: number, burst: number): number {
  // Addresses have more than 32 bits; the low ones are all that counts, and cheaper than a remainder of doubles.
  return burst - ((address >>> 0) & (burst - 1));
}

/**
 * A request on the bus, in four words: what it is (`FREE` when out of use), whose it is, and how often its number was
 * used, so that a late answer is seen to be late; who asked, and of a request out of use the next such one; its part of
 * what was asked for.
 */
const REQUEST_BITS = 2;
const WHAT = 0;
const TOKEN = 1;
const POSITION = 2;
const SIZE = 3;
const KIND_MASK = 3;
const USER_SHIFT = 2;
const USER_MASK = 0xff;
const GENERATION_SHIFT = 10;
const START_REQUESTS = 16;
const NONE = -1;

export class Dma {
  listener: DmaListener | undefined;
  private log2Write = DEFAULT_LOG2_BURST;
  private log2Read = DEFAULT_LOG2_BURST;

  /** Requests that the bus has not answered. */
  inFlight = 0;
  private requests = new Int32Array(START_REQUESTS << REQUEST_BITS);
  /** How many of them were ever used, and the first of those out of use again: the one used last. */
  private made = 0;
  private spare = NONE;
  /** Who asked for what `takeBack` ended. */
  private answered = -1;

  constructor(
    private readonly users: Users,
    private readonly counters: Counters,
    private readonly agenda: Agenda,
    private readonly outputs: NicOutputs,
  ) {}

  /** Largest requests, as the configuration call sets them (6..12). */
  configure(log2Write: number, log2Read: number): void {
    this.log2Write = log2Write;
    this.log2Read = log2Read;
  }

  /** Core reset: the bus still answers what is under way, but nobody waits for it any more. */
  forgetAskers(): void {
    this.log2Write = this.log2Read = DEFAULT_LOG2_BURST;
    for (let index = 0; index < this.made; index++) {
      const at = index << REQUEST_BITS;
      if (this.kind(at) !== FREE) this.requests[at + TOKEN] = -1;
    }
  }

  /** Bus reset: nothing is under way; answers to old tags are ignored. */
  busReset(): void {
    for (let index = 0; index < this.made; index++) {
      if (this.kind(index << REQUEST_BITS) !== FREE) this.release(index);
    }
    this.users.forgetDma();
    this.inFlight = 0;
    this.forgetAskers();
  }

  /**
   * Writes bytes[from, from + length) to a card-to-host region. False, and nothing written, when the map does not hold
   * all of it. `token` (or -1) is told when the bus reports an error.
   */
  write(
    user: number,
    region: number,
    offset: number,
    bytes: Uint8Array,
    from: number,
    length: number,
    token = -1,
  ): boolean {
    const address = region === Region.h2cMsgbuff ? -1 : this.users.busAddress(user, region, offset, length);
    if (address < 0) return false;
    const burst = 1 << this.log2Write;
    let done = 0;
    while (done < length) {
      const at = address + done;
      const step = Math.min(length - done, bytesToBoundary(at, burst));
      const tag = this.newTag(KIND_WRITE, user, token, 0, step);
      this.counters.add(Counter.dmaWrites);
      this.counters.add(Counter.dmaWriteBytes, step);
      this.outputs.dmaWrite(this.agenda.nowPs, tag, at, partOf(bytes, from + done, step));
      done += step;
    }
    return true;
  }

  /**
   * Reads `length` bytes of the user's h2c_msgbuff. False, and nothing asked, when the map does not hold all of it.
   * The listener hears of every part with `token`.
   */
  read(user: number, offset: number, length: number, token: number): boolean {
    const address = this.users.busAddress(user, Region.h2cMsgbuff, offset, length);
    if (address < 0) return false;
    const burst = 1 << this.log2Read;
    let done = 0;
    while (done < length) {
      const at = address + done;
      const step = Math.min(length - done, bytesToBoundary(at, burst));
      const tag = this.newTag(KIND_READ, user, token, done, step);
      this.counters.add(Counter.dmaReads);
      this.counters.add(Counter.dmaReadBytes, step);
      this.outputs.dmaRead(this.agenda.nowPs, tag, at, step);
      done += step;
    }
    return true;
  }

  /** The bus answered a read. An answer of the wrong length counts as an error. */
  readDone(tag: number, status: DmaStatus, bytes: Uint8Array): void {
    const at = this.takeBack(tag, KIND_READ);
    if (at < 0) return;
    const token = this.answered;
    const good = status === DmaStatus.ok && bytes.length === this.requests[at + SIZE];
    if (!good) this.counters.add(Counter.dmaErrors);
    if (token < 0) return;
    const position = this.requests[at + POSITION]!;
    this.listener?.readArrived(token, position, good ? DmaStatus.ok : DmaStatus.error, bytes);
  }

  /** The bus answered a write. */
  writeDone(tag: number, status: DmaStatus): void {
    const at = this.takeBack(tag, KIND_WRITE);
    if (at < 0 || status === DmaStatus.ok) return;
    this.counters.add(Counter.dmaErrors);
    const token = this.answered;
    if (token >= 0) this.listener?.writeFailed(token);
  }

  private newTag(kind: number, user: number, token: number, position: number, size: number): number {
    let index = this.spare;
    if (index === NONE) index = this.add();
    else this.spare = this.requests[(index << REQUEST_BITS) + TOKEN]!;
    const { requests } = this;
    const at = index << REQUEST_BITS;
    const generation = requests[at + WHAT]! >>> GENERATION_SHIFT;
    requests[at + WHAT] = (generation << GENERATION_SHIFT) | (user << USER_SHIFT) | kind;
    requests[at + TOKEN] = token;
    requests[at + POSITION] = position;
    requests[at + SIZE] = size;
    this.inFlight++;
    this.users.countDma(user, 1);
    return (generation << INDEX_BITS) | index;
  }

  /**
   * Ends the request of a tag that is under way and lowers its user's count. Returns the place of its words, of which
   * position and size hold until the next request, and says in `answered` who asked; -1 for anything else.
   */
  private takeBack(tag: number, kind: number): number {
    const index = tag & INDEX_MASK;
    const at = index << REQUEST_BITS;
    const { requests } = this;
    if (index >= this.made || this.kind(at) !== kind) return -1;
    const what = requests[at + WHAT]!;
    if (what >>> GENERATION_SHIFT !== tag >>> INDEX_BITS) return -1;
    this.inFlight--;
    this.answered = requests[at + TOKEN]!;
    const user = (what >>> USER_SHIFT) & USER_MASK;
    this.users.countDma(user, -1);
    this.users.settle(user);
    this.release(index);
    return at;
  }

  private release(index: number): void {
    const at = index << REQUEST_BITS;
    const { requests } = this;
    const generation = ((requests[at + WHAT]! >>> GENERATION_SHIFT) + 1) & GENERATION_MASK;
    requests[at + WHAT] = (generation << GENERATION_SHIFT) | FREE;
    requests[at + TOKEN] = this.spare;
    this.spare = index;
  }

  private kind(at: number): number {
    return this.requests[at + WHAT]! & KIND_MASK;
  }

  private add(): number {
    const { requests } = this;
    if (this.made << REQUEST_BITS === requests.length) this.requests = resized(requests, 2 * requests.length);
    return this.made++;
  }
}
