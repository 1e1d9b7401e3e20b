// SPDX-License-Identifier: Apache-2.0
// Guest memory as the card reaches it: by messages that QEMU carries out, several under way at once.
import { Command, type Message, MessageFlag, encodeMessage } from './message.js';

type Done = (ok: boolean, bytes: Uint8Array) => void;

const NOTHING = new Uint8Array(0);
const DMA_HEAD_BYTES = 16;
const RESULT_BYTES = 64;
const STATUS_BYTES = 4;
const ID_MODULUS = 0x10000;
const UNMAP_ALL = 2;

interface Range {
  address: bigint;
  size: bigint;
}

function dmaHead(address: number, count: number): Buffer {
  const head = Buffer.allocUnsafe(DMA_HEAD_BYTES);
  head.writeBigUInt64LE(BigInt(address), 0);
  head.writeBigUInt64LE(BigInt(count), 8);
  return head;
}

/** Sends DMA requests and matches their replies. */
export class DmaChannel {
  /** Bus mastering: while it is off nothing is sent and every request fails. */
  enabled = false;
  readonly #waiting = new Map<number, Done>();
  readonly #maps = new Map<string, Range>();
  #nextId = 0;
  #writesUnderWay = 0;
  #afterWrites: (() => void)[] = [];

  constructor(private readonly send: (bytes: Uint8Array) => void) {}

  /** Requests not yet answered. */
  get underWay(): number {
    return this.#waiting.size;
  }

  /** Ranges of guest memory that QEMU has announced. */
  get mapCount(): number {
    return this.#maps.size;
  }

  /** Takes a DMA_MAP body: argsz, flags, offset, address, size. */
  map(body: Buffer): void {
    const range = { address: body.readBigUInt64LE(16), size: body.readBigUInt64LE(24) };
    this.#maps.set(`${range.address}+${range.size}`, range);
  }

  /** Takes a DMA_UNMAP body: argsz, flags, address, size. */
  unmap(body: Buffer): void {
    const all = (body.readUInt32LE(4) & UNMAP_ALL) !== 0;
    if (all) this.#maps.clear();
    else this.#maps.delete(`${body.readBigUInt64LE(8)}+${body.readBigUInt64LE(16)}`);
  }

  read(address: number, lengthBytes: number, done: Done): void {
    if (!this.#allowed(address, lengthBytes)) {
      done(false, NOTHING);
      return;
    }
    this.#ask(Command.dmaRead, dmaHead(address, lengthBytes), (ok, body) => {
      const bytes = body.subarray(DMA_HEAD_BYTES);
      const whole = ok && bytes.length === lengthBytes;
      done(whole, whole ? bytes : NOTHING);
    });
  }

  /**
   * Writes. A whole aligned 64-byte line may be a result, whose first word tells that the rest is there: it goes in two
   * messages, the first word last, because QEMU may copy one message in any order.
   */
  write(address: number, bytes: Uint8Array, done: (ok: boolean) => void): void {
    if (!this.#allowed(address, bytes.length)) {
      done(false);
      return;
    }
    if (bytes.length === RESULT_BYTES && address % RESULT_BYTES === 0) {
      let first = true;
      this.#writePart(address + STATUS_BYTES, bytes.subarray(STATUS_BYTES), (ok) => (first = ok));
      this.#writePart(address, bytes.subarray(0, STATUS_BYTES), (ok) => done(ok && first));
    } else {
      this.#writePart(address, bytes, done);
    }
  }

  /** Calls `then` once every write sent so far is visible in memory. */
  afterWrites(then: () => void): void {
    if (this.#writesUnderWay === 0) then();
    else this.#afterWrites.push(then);
  }

  /** A reply to a request of ours has come. */
  replied(message: Message): void {
    const done = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    done?.((message.flags & MessageFlag.error) === 0, message.body);
  }

  /** The connection is gone: everything under way fails. */
  fail(): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    this.enabled = false;
    for (const done of waiting) done(false, NOTHING);
  }

  #allowed(address: number, length: number): boolean {
    if (!this.enabled) return false;
    const from = BigInt(address);
    const to = from + BigInt(length);
    for (const range of this.#maps.values()) {
      if (from >= range.address && to <= range.address + range.size) return true;
    }
    return false;
  }

  #writePart(address: number, bytes: Uint8Array, done: (ok: boolean) => void): void {
    this.#writesUnderWay += 1;
    const body = Buffer.concat([dmaHead(address, bytes.length), bytes]);
    this.#ask(Command.dmaWrite, body, (ok) => {
      this.#writesUnderWay -= 1;
      done(ok);
      if (this.#writesUnderWay === 0) {
        const waiting = this.#afterWrites;
        this.#afterWrites = [];
        for (const then of waiting) then();
      }
    });
  }

  #ask(command: Command, body: Uint8Array, done: Done): void {
    while (this.#waiting.has(this.#nextId)) this.#nextId = (this.#nextId + 1) % ID_MODULUS;
    const id = this.#nextId;
    this.#nextId = (id + 1) % ID_MODULUS;
    this.#waiting.set(id, done);
    this.send(encodeMessage(id, command, 0, body));
  }
}
