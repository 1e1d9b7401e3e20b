// SPDX-License-Identifier: Apache-2.0
// Guest memory as the card reaches it. RAM is a file that QEMU shares with us: what is written there is visible at
// once, in the order written. Anything else goes by messages that QEMU carries out, several under way at once; it takes
// none of them up while the guest's processor waits for an answer to a read, which is why RAM does not go that way.
import type { RamFile } from './ram-file.js';
import { Command, type Message, MessageFlag, encodeMessage } from './message.js';

type Done = (ok: boolean, bytes: Uint8Array) => void;

const NOTHING = new Uint8Array(0);
const DMA_HEAD_BYTES = 16;
const RESULT_BYTES = 64;
const STATUS_BYTES = 4;
const ID_MODULUS = 0x10000;
const UNMAP_ALL = 2;
const MAP_WRITABLE = 2;

interface Range {
  address: bigint;
  size: bigint;
  /** where it begins in the RAM file; undefined for what is not in it */
  fileOffset: number | undefined;
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

  constructor(
    private readonly send: (bytes: Uint8Array) => void,
    private readonly ram: RamFile | undefined,
  ) {}

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
    const flags = body.readUInt32LE(4);
    const address = body.readBigUInt64LE(16);
    const size = body.readBigUInt64LE(24);
    const writable = (flags & MAP_WRITABLE) !== 0;
    const fileOffset = writable ? this.ram?.offsetOf(address, size, body.readBigUInt64LE(8)) : undefined;
    this.#maps.set(`${address}+${size}`, { address, size, fileOffset });
  }

  /** Takes a DMA_UNMAP body: argsz, flags, address, size. */
  unmap(body: Buffer): void {
    const all = (body.readUInt32LE(4) & UNMAP_ALL) !== 0;
    if (all) this.#maps.clear();
    else this.#maps.delete(`${body.readBigUInt64LE(8)}+${body.readBigUInt64LE(16)}`);
  }

  read(address: number, lengthBytes: number, done: Done): void {
    const range = this.#find(address, lengthBytes);
    if (!range) {
      done(false, NOTHING);
      return;
    }
    if (range.fileOffset !== undefined) {
      done(true, this.ram!.read(range.fileOffset + address - Number(range.address), lengthBytes));
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
   * parts, the first word last, because one part may be copied in any order.
   */
  write(address: number, bytes: Uint8Array, done: (ok: boolean) => void): void {
    const range = this.#find(address, bytes.length);
    if (!range) {
      done(false);
      return;
    }
    const { fileOffset } = range;
    const put = (from: number, part: Uint8Array, then: (ok: boolean) => void): void => {
      if (fileOffset === undefined) {
        this.#ask(Command.dmaWrite, Buffer.concat([dmaHead(from, part.length), part]), then);
        return;
      }
      this.ram!.write(fileOffset + from - Number(range.address), part);
      then(true);
    };
    if (bytes.length === RESULT_BYTES && address % RESULT_BYTES === 0) {
      let first = true;
      put(address + STATUS_BYTES, bytes.subarray(STATUS_BYTES), (ok) => (first = ok));
      put(address, bytes.subarray(0, STATUS_BYTES), (ok) => done(ok && first));
    } else {
      put(address, bytes, done);
    }
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

  #find(address: number, length: number): Range | undefined {
    if (!this.enabled) return undefined;
    const from = BigInt(address);
    const to = from + BigInt(length);
    for (const range of this.#maps.values()) {
      if (from >= range.address && to <= range.address + range.size) return range;
    }
    return undefined;
  }

  #ask(command: Command, body: Uint8Array, done: Done): void {
    while (this.#waiting.has(this.#nextId)) this.#nextId = (this.#nextId + 1) % ID_MODULUS;
    const id = this.#nextId;
    this.#nextId = (id + 1) % ID_MODULUS;
    this.#waiting.set(id, done);
    this.send(encodeMessage(id, command, 0, body));
  }
}
