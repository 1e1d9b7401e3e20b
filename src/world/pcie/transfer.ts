// SPDX-License-Identifier: Apache-2.0
import { type Description, findProgression, progressionBytes } from '../progression.js';
import type { HostBuffer } from '../host-buffer.js';

const SMALL_BYTES = 64;
/** The longest DMA request. */
const LARGE_BYTES = 4096;

/**
 * A transfer in words, so that all that is under way lies in a few lines of the processor's cache. The first one holds
 * its length, what there is of its bytes, and whose it is.
 */
const WHAT = 0;
const TAG = 1;
const ADDRESS_DOUBLE = 1;
/** up to 64 bytes themselves; else of a progression its first word and the one after it, of up to a page where it lies */
const BYTES = 4;
const WORD0 = BYTES;
const WORD1 = BYTES + 1;
const PAGE = BYTES;
const TRANSFER_WORDS = BYTES + SMALL_BYTES / 4;
const START_TRANSFERS = 8;

const LENGTH_MASK = 0x1fff;
const KEPT_SHIFT = 13;
const KEPT_MASK = 3;
const OWNER_SHIFT = 16;
const MAX_OWNERS = 0x10000;
/** Whose a transfer is that has been lost, or is over. */
const NOBODY = 0;

/** What there is of a transfer's bytes. */
const enum Kept {
  nothing,
  small,
  page,
  progression,
}

const found: Description = { word0: 0, word1: 0 };

/** Up to 64 bytes of the transfer that was asked for last, and a view of each length, made when first asked for. */
const shown = new Int32Array(SMALL_BYTES / 4);
const shownViews: Uint8Array[] = [];

/**
 * What is under way on the buses of a world: stores, loads, DMA reads and writes, each with a number that is used again,
 * the last one given back first. No allocation once a run is warm.
 */
export class TransferPool {
  private words = new Int32Array(START_TRANSFERS * TRANSFER_WORDS);
  private doubles = new Float64Array(this.words.buffer);
  private bytes = new Uint8Array(this.words.buffer);
  private made = 0;
  private owners = 0;
  private readonly free: number[] = [];
  /** room for up to 4,096 bytes, the view of it that was asked for last, and what is not in use */
  private readonly pages: Uint8Array[] = [];
  private readonly pageViews: Uint8Array[] = [];
  private readonly freePages: number[] = [];

  /** A number for one more bus. */
  addOwner(): number {
    if (++this.owners === MAX_OWNERS) throw new RangeError(`a world has at most ${MAX_OWNERS - 1} cards`);
    return this.owners;
  }

  /** A transfer of `lengthBytes`, 4,096 at most, without bytes as yet. */
  take(owner: number, address: number, lengthBytes: number, tag: number): number {
    const transfer = this.free.pop() ?? this.add();
    const at = transfer * TRANSFER_WORDS;
    const { words } = this;
    words[at + WHAT] = (owner << OWNER_SHIFT) | lengthBytes;
    words[at + TAG] = tag;
    this.doubles[(at >> 1) + ADDRESS_DOUBLE] = address;
    return transfer;
  }

  /** The transfer has ended. */
  give(transfer: number): void {
    const at = transfer * TRANSFER_WORDS;
    if (this.kept(at) === Kept.page) this.freePages.push(this.words[at + PAGE]!);
    this.words[at + WHAT] = NOBODY;
    this.free.push(transfer);
  }

  address(transfer: number): number {
    return this.doubles[((transfer * TRANSFER_WORDS) >> 1) + ADDRESS_DOUBLE]!;
  }

  lengthBytes(transfer: number): number {
    return this.words[transfer * TRANSFER_WORDS + WHAT]! & LENGTH_MASK;
  }

  tag(transfer: number): number {
    return this.words[transfer * TRANSFER_WORDS + TAG]!;
  }

  /** Transfers of an owner that are under way. */
  countOf(owner: number): number {
    let count = 0;
    for (let at = 0; at < this.made * TRANSFER_WORDS; at += TRANSFER_WORDS) {
      if (this.words[at + WHAT]! >>> OWNER_SHIFT === owner) count++;
    }
    return count;
  }

  /** Every transfer of an owner ends without effect: its card was reset. */
  loseAll(owner: number): void {
    for (let at = 0; at < this.made * TRANSFER_WORDS; at += TRANSFER_WORDS) {
      const what = this.words[at + WHAT]!;
      if (what >>> OWNER_SHIFT === owner) this.words[at + WHAT] = what & ((1 << OWNER_SHIFT) - 1);
    }
  }

  isLost(transfer: number): boolean {
    return this.words[transfer * TRANSFER_WORDS + WHAT]! >>> OWNER_SHIFT === NOBODY;
  }

  /** Keeps a copy of all its bytes; of a progression of more than 64 only which one it is. */
  keep(transfer: number, bytes: Uint8Array): void {
    const at = transfer * TRANSFER_WORDS;
    const { words } = this;
    if (bytes.length <= SMALL_BYTES) {
      words[at + WHAT]! |= Kept.small << KEPT_SHIFT;
      this.bytes.set(bytes, (at + BYTES) * 4);
    } else if (findProgression(bytes, found)) {
      words[at + WHAT]! |= Kept.progression << KEPT_SHIFT;
      words[at + WORD0] = found.word0;
      words[at + WORD1] = found.word1;
    } else {
      words[at + WHAT]! |= Kept.page << KEPT_SHIFT;
      const page = this.freePages.pop() ?? this.addPage();
      words[at + PAGE] = page;
      this.pages[page]!.set(bytes);
    }
  }

  /** The bytes kept, valid until the next transfer begins or is asked for its bytes. */
  view(transfer: number): Uint8Array {
    const at = transfer * TRANSFER_WORDS;
    const { words } = this;
    const length = words[at + WHAT]! & LENGTH_MASK;
    const kept = this.kept(at);
    if (kept === Kept.small) {
      for (let i = 0; i < SMALL_BYTES / 4; i++) shown[i] = words[at + BYTES + i]!;
      return (shownViews[length] ??= new Uint8Array(shown.buffer, 0, length));
    }
    if (kept === Kept.progression) return progressionBytes(length, this.description(at));
    const page = words[at + PAGE]!;
    if (this.pageViews[page]!.length !== length) this.pageViews[page] = this.pages[page]!.subarray(0, length);
    return this.pageViews[page]!;
  }

  /** Writes the bytes kept into a buffer of host memory, where they lie in one chunk. */
  writeTo(buffer: HostBuffer, offset: number, transfer: number): void {
    const at = transfer * TRANSFER_WORDS;
    const { words } = this;
    const length = words[at + WHAT]! & LENGTH_MASK;
    const kept = this.kept(at);
    if (((offset | length) & 3) !== 0) buffer.writeInChunk(offset, this.view(transfer));
    else if (kept === Kept.small) buffer.writeWordsInChunk(offset, words, at + BYTES, length >> 2);
    else if (kept === Kept.progression) {
      buffer.writeProgression(offset, length, words[at + WORD0]!, words[at + WORD1]!);
    } else buffer.writeInChunk(offset, this.view(transfer));
  }

  private kept(at: number): number {
    return (this.words[at + WHAT]! >>> KEPT_SHIFT) & KEPT_MASK;
  }

  private description(at: number): Description {
    found.word0 = this.words[at + WORD0]!;
    found.word1 = this.words[at + WORD1]!;
    return found;
  }

  private add(): number {
    if ((this.made + 1) * TRANSFER_WORDS > this.words.length) {
      const more = new Int32Array(this.words.length * 2);
      more.set(this.words);
      this.words = more;
      this.doubles = new Float64Array(more.buffer);
      this.bytes = new Uint8Array(more.buffer);
    }
    return this.made++;
  }

  private addPage(): number {
    const page = new Uint8Array(LARGE_BYTES);
    this.pages.push(page);
    this.pageViews.push(page);
    return this.pages.length - 1;
  }
}
