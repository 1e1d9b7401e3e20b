// SPDX-License-Identifier: Apache-2.0
import { type Description, findProgression } from '../progression.js';

const SMALL_BYTES = 64;
/** The longest DMA request. */
const LARGE_BYTES = 4096;

/** What is under way on a bus: a store, a load, a DMA read or write. */
export class Transfer implements Description {
  address = 0;
  lengthBytes = 0;
  tag = 0;
  /** the card was reset since: the transfer ends without effect */
  lost = false;
  /** the bytes kept are a progression, `word0` and then from `word1` on, and are not kept otherwise */
  described = false;
  word0 = 0;
  word1 = 0;
  /** length of the view made last */
  viewBytes: number;
  private readonly data: Uint8Array;
  private exact: Uint8Array;

  constructor(
    readonly index: number,
    roomBytes: number,
  ) {
    this.data = new Uint8Array(roomBytes);
    this.exact = this.data;
    this.viewBytes = roomBytes;
  }

  get isSmall(): boolean {
    return this.data.length === SMALL_BYTES;
  }

  /** Keeps a copy of bytes. */
  keep(bytes: Uint8Array): void {
    this.described = false;
    this.data.set(bytes);
  }

  /** Keeps what bytes say: of a progression only that it is one (`described`), of others a copy. */
  keepOrDescribe(bytes: Uint8Array): void {
    this.described = bytes.length > SMALL_BYTES && findProgression(bytes, this);
    if (!this.described) this.data.set(bytes);
  }

  /** The bytes, exactly as long as they are. */
  view(): Uint8Array {
    const { lengthBytes } = this;
    if (this.viewBytes !== lengthBytes) {
      this.exact = this.data.subarray(0, lengthBytes);
      this.viewBytes = lengthBytes;
    }
    return this.exact;
  }
}

/** Transfers by number, used again and again: no allocation once a run is warm. */
export class TransferPool {
  private readonly all: Transfer[] = [];
  /** those not in use, with room for 64 bytes and for a page: apart, so that a view seldom changes its length */
  private readonly small: Transfer[] = [];
  private readonly large: Transfer[] = [];

  /** Transfers under way. */
  get inUse(): number {
    return this.all.length - this.small.length - this.large.length;
  }

  /** A transfer with room for `lengthBytes`, 4,096 at most. */
  take(address: number, lengthBytes: number, tag: number): Transfer {
    const transfer =
      (lengthBytes <= SMALL_BYTES ? this.small.pop() : this.large.pop()) ?? this.add(lengthBytes);
    transfer.address = address;
    transfer.lengthBytes = lengthBytes;
    transfer.tag = tag;
    transfer.lost = false;
    return transfer;
  }

  at(index: number): Transfer {
    return this.all[index]!;
  }

  /** Every transfer under way is lost. */
  loseAll(): void {
    for (const transfer of this.all) transfer.lost = true;
  }

  /** The transfer has ended. */
  give(transfer: Transfer): void {
    if (transfer.isSmall) this.small.push(transfer);
    else this.large.push(transfer);
  }

  private add(lengthBytes: number): Transfer {
    const transfer = new Transfer(this.all.length, lengthBytes <= SMALL_BYTES ? SMALL_BYTES : LARGE_BYTES);
    this.all.push(transfer);
    return transfer;
  }
}
