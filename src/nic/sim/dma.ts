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

/** A request on the bus; its tag is its number and how often it was used, so that a late answer is seen to be late. */
class Request {
  generation = 0;
  busy = false;
  kind = KIND_WRITE;
  user = 0;
  token = -1;
  position = 0;
  size = 0;

  constructor(readonly index: number) {}
}

export class Dma {
  listener: DmaListener | undefined;
  private log2Write = DEFAULT_LOG2_BURST;
  private log2Read = DEFAULT_LOG2_BURST;

  /** Requests that the bus has not answered. */
  inFlight = 0;
  private readonly requests: Request[] = [];
  private readonly free: Request[] = [];

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
    for (const request of this.requests) request.token = -1;
  }

  /** Bus reset: nothing is under way; answers to old tags are ignored. */
  busReset(): void {
    for (const request of this.requests) if (request.busy) this.release(request);
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
    const request = this.takeBack(tag, KIND_READ);
    if (request === undefined) return;
    const { token, position, size } = request;
    const good = status === DmaStatus.ok && bytes.length === size;
    if (!good) this.counters.add(Counter.dmaErrors);
    this.release(request);
    if (token < 0) return;
    this.listener?.readArrived(token, position, good ? DmaStatus.ok : DmaStatus.error, bytes);
  }

  /** The bus answered a write. */
  writeDone(tag: number, status: DmaStatus): void {
    const request = this.takeBack(tag, KIND_WRITE);
    if (request === undefined) return;
    const { token } = request;
    this.release(request);
    if (status === DmaStatus.ok) return;
    this.counters.add(Counter.dmaErrors);
    if (token >= 0) this.listener?.writeFailed(token);
  }

  private newTag(kind: number, user: number, token: number, position: number, size: number): number {
    const request = this.free.pop() ?? this.add();
    request.busy = true;
    request.kind = kind;
    request.user = user;
    request.token = token;
    request.position = position;
    request.size = size;
    this.inFlight++;
    this.users.dmaInFlight[user]!++;
    return (request.generation << INDEX_BITS) | request.index;
  }

  /** The request of a tag that is under way, with its user's count lowered; undefined for anything else. */
  private takeBack(tag: number, kind: number): Request | undefined {
    const request = this.requests[tag & INDEX_MASK];
    if (request === undefined || !request.busy || request.kind !== kind) return undefined;
    if (request.generation !== tag >>> INDEX_BITS) return undefined;
    this.inFlight--;
    this.users.dmaInFlight[request.user]!--;
    this.users.settle(request.user);
    return request;
  }

  private release(request: Request): void {
    request.busy = false;
    request.generation = (request.generation + 1) & GENERATION_MASK;
    this.free.push(request);
  }

  private add(): Request {
    const request = new Request(this.requests.length);
    this.requests.push(request);
    return request;
  }
}
