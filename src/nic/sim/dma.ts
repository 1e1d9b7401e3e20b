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
import type { Users } from './users.js';

const INDEX_BITS = 20;
const INDEX_MASK = (1 << INDEX_BITS) - 1;
const GENERATION_MASK = 0x7ff;
const DEFAULT_LOG2_BURST = 12;

const KIND_WRITE = 0;
const KIND_READ = 1;

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

export class Dma {
  listener: DmaListener | undefined;
  private log2Write = DEFAULT_LOG2_BURST;
  private log2Read = DEFAULT_LOG2_BURST;

  /** Requests that the bus has not answered. */
  inFlight = 0;
  private capacity = 64;
  private freeCount = 0;
  private used = 0;
  private free = new Int32Array(this.capacity);
  private generation = new Uint16Array(this.capacity);
  private busy = new Uint8Array(this.capacity);
  private kind = new Uint8Array(this.capacity);
  private user = new Uint8Array(this.capacity);
  private token = new Int32Array(this.capacity);
  private position = new Int32Array(this.capacity);
  private size = new Int32Array(this.capacity);

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
    this.token.fill(-1);
  }

  /** Bus reset: nothing is under way; answers to old tags are ignored. */
  busReset(): void {
    for (let index = 0; index < this.used; index++) if (this.busy[index] === 1) this.release(index);
    this.users.dmaInFlight.fill(0);
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
      const whole = from === 0 && step === bytes.length;
      const part = whole ? bytes : bytes.subarray(from + done, from + done + step);
      this.outputs.dmaWrite(this.agenda.nowPs, tag, at, part);
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
    const index = this.takeBack(tag, KIND_READ);
    if (index < 0) return;
    const good = status === DmaStatus.ok && bytes.length === this.size[index];
    if (!good) this.counters.add(Counter.dmaErrors);
    const token = this.token[index]!;
    const position = this.position[index]!;
    this.release(index);
    if (token < 0) return;
    this.listener?.readArrived(token, position, good ? DmaStatus.ok : DmaStatus.error, bytes);
  }

  /** The bus answered a write. */
  writeDone(tag: number, status: DmaStatus): void {
    const index = this.takeBack(tag, KIND_WRITE);
    if (index < 0) return;
    const token = this.token[index]!;
    this.release(index);
    if (status === DmaStatus.ok) return;
    this.counters.add(Counter.dmaErrors);
    if (token >= 0) this.listener?.writeFailed(token);
  }

  private newTag(kind: number, user: number, token: number, position: number, size: number): number {
    const index = this.freeCount > 0 ? this.free[--this.freeCount]! : this.freshIndex();
    this.busy[index] = 1;
    this.kind[index] = kind;
    this.user[index] = user;
    this.token[index] = token;
    this.position[index] = position;
    this.size[index] = size;
    this.inFlight++;
    this.users.dmaInFlight[user]!++;
    return this.generation[index]! * (1 << INDEX_BITS) + index;
  }

  /** Index of a tag that is under way, with its user's count lowered; -1 for anything else. */
  private takeBack(tag: number, kind: number): number {
    const index = tag & INDEX_MASK;
    if (index >= this.used || this.busy[index] === 0 || this.kind[index] !== kind) return -1;
    if (this.generation[index] !== Math.floor(tag / (1 << INDEX_BITS))) return -1;
    const user = this.user[index]!;
    this.inFlight--;
    this.users.dmaInFlight[user]!--;
    this.users.settle(user);
    return index;
  }

  private release(index: number): void {
    this.busy[index] = 0;
    this.generation[index] = (this.generation[index]! + 1) & GENERATION_MASK;
    this.free[this.freeCount++] = index;
  }

  private freshIndex(): number {
    if (this.used === this.capacity) this.grow();
    return this.used++;
  }

  private grow(): void {
    this.capacity *= 2;
    const copy = <T extends Int32Array | Uint16Array | Uint8Array>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    this.free = copy(new Int32Array(this.capacity), this.free);
    this.generation = copy(new Uint16Array(this.capacity), this.generation);
    this.busy = copy(new Uint8Array(this.capacity), this.busy);
    this.kind = copy(new Uint8Array(this.capacity), this.kind);
    this.user = copy(new Uint8Array(this.capacity), this.user);
    this.token = copy(new Int32Array(this.capacity), this.token);
    this.position = copy(new Int32Array(this.capacity), this.position);
    this.size = copy(new Int32Array(this.capacity), this.size);
  }
}
