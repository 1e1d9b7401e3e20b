// SPDX-License-Identifier: Apache-2.0
import { type Description, findProgression, progressionBytes } from '../progression.js';
import type { HostBuffer } from '../host-buffer.js';

const SMALL_BYTES = 64;
/** The longest DMA request. */
const LARGE_BYTES = 4096;

/** A transfer in words, so that all that is under way lies in a few lines of the processor's cache. */
const LENGTH = 0;
const TAG = 1;
const LOST = 2;
const DATA = 3;
/** of a progression its first word and the one after it; of up to a page where it lies */
const WORD0 = 4;
const WORD1 = 5;
const PAGE = 4;
const ADDRESS_DOUBLE = 3;
/** up to 64 bytes themselves */
const SMALL = 8;
const TRANSFER_WORDS = SMALL + SMALL_BYTES / 4;
const START_TRANSFERS = 8;

/** What there is of a transfer's bytes. */
const enum Kept {
  nothing,
  small,
  page,
  progression,
}

const found: Description = { word0: 0, word1: 0 };

/**
 * What is under way on a bus: stores, loads, DMA reads and writes, each with a number that is used again. No allocation
 * once a run is warm.
 */
export class TransferPool {
  private words = new Int32Array(START_TRANSFERS * TRANSFER_WORDS);
  private doubles = new Float64Array(this.words.buffer);
  private bytes = new Uint8Array(this.words.buffer);
  /** of each transfer the view of its bytes that was asked for last */
  private readonly views: Uint8Array[] = [];
  private made = 0;
  private readonly free: number[] = [];
  /** room for up to 4,096 bytes, the view of it that was asked for last, and what is not in use */
  private readonly pages: Uint8Array[] = [];
  private readonly pageViews: Uint8Array[] = [];
  private readonly freePages: number[] = [];

  /** Transfers under way. */
  get inUse(): number {
    return this.made - this.free.length;
  }

  /** A transfer of `lengthBytes`, 4,096 at most, without bytes as yet. */
  take(address: number, lengthBytes: number, tag: number): number {
    const transfer = this.free.pop() ?? this.add();
    const at = transfer * TRANSFER_WORDS;
    const { words } = this;
    words[at + LENGTH] = lengthBytes;
    words[at + TAG] = tag;
    words[at + LOST] = 0;
    words[at + DATA] = Kept.nothing;
    this.doubles[(at >> 1) + ADDRESS_DOUBLE] = address;
    return transfer;
  }

  /** The transfer has ended. */
  give(transfer: number): void {
    const at = transfer * TRANSFER_WORDS;
    if (this.words[at + DATA] === Kept.page) this.freePages.push(this.words[at + PAGE]!);
    this.free.push(transfer);
  }

  address(transfer: number): number {
    return this.doubles[((transfer * TRANSFER_WORDS) >> 1) + ADDRESS_DOUBLE]!;
  }

  lengthBytes(transfer: number): number {
    return this.words[transfer * TRANSFER_WORDS + LENGTH]!;
  }

  tag(transfer: number): number {
    return this.words[transfer * TRANSFER_WORDS + TAG]!;
  }

  /** Every transfer under way ends without effect: the card was reset. */
  loseAll(): void {
    for (let transfer = 0; transfer < this.made; transfer++) {
      this.words[transfer * TRANSFER_WORDS + LOST] = 1;
    }
  }

  isLost(transfer: number): boolean {
    return this.words[transfer * TRANSFER_WORDS + LOST] !== 0;
  }

  /** Keeps a copy of all its bytes; of a progression of more than 64 only which one it is. */
  keep(transfer: number, bytes: Uint8Array): void {
    const at = transfer * TRANSFER_WORDS;
    const { words } = this;
    if (bytes.length <= SMALL_BYTES) {
      words[at + DATA] = Kept.small;
      this.bytes.set(bytes, (at + SMALL) * 4);
    } else if (findProgression(bytes, found)) {
      words[at + DATA] = Kept.progression;
      words[at + WORD0] = found.word0;
      words[at + WORD1] = found.word1;
    } else {
      words[at + DATA] = Kept.page;
      const page = this.freePages.pop() ?? this.addPage();
      words[at + PAGE] = page;
      this.pages[page]!.set(bytes);
    }
  }

  /** The bytes kept, valid until the next transfer begins. */
  view(transfer: number): Uint8Array {
    const at = transfer * TRANSFER_WORDS;
    const { words } = this;
    const length = words[at + LENGTH]!;
    if (words[at + DATA] === Kept.small) {
      const view = this.views[transfer]!;
      if (view.length === length) return view;
      return (this.views[transfer] = this.smallView(at, length));
    }
    if (words[at + DATA] === Kept.progression) return progressionBytes(length, this.description(at));
    const page = words[at + PAGE]!;
    if (this.pageViews[page]!.length !== length) this.pageViews[page] = this.pages[page]!.subarray(0, length);
    return this.pageViews[page]!;
  }

  /** Writes the bytes kept into a buffer of host memory, where they lie in one chunk. */
  writeTo(buffer: HostBuffer, offset: number, transfer: number): void {
    const at = transfer * TRANSFER_WORDS;
    const { words } = this;
    const length = words[at + LENGTH]!;
    const kept = words[at + DATA]!;
    if (((offset | length) & 3) !== 0) buffer.writeInChunk(offset, this.view(transfer));
    else if (kept === Kept.small) buffer.writeWordsInChunk(offset, words, at + SMALL, length >> 2);
    else if (kept === Kept.progression) {
      buffer.writeProgression(offset, length, words[at + WORD0]!, words[at + WORD1]!);
    } else buffer.writeInChunk(offset, this.view(transfer));
  }

  private description(at: number): Description {
    found.word0 = this.words[at + WORD0]!;
    found.word1 = this.words[at + WORD1]!;
    return found;
  }

  private smallView(at: number, lengthBytes: number): Uint8Array {
    return new Uint8Array(this.words.buffer, (at + SMALL) * 4, lengthBytes);
  }

  private add(): number {
    if ((this.made + 1) * TRANSFER_WORDS > this.words.length) {
      const more = new Int32Array(this.words.length * 2);
      more.set(this.words);
      this.words = more;
      this.doubles = new Float64Array(more.buffer);
      this.bytes = new Uint8Array(more.buffer);
      for (const [of, view] of this.views.entries()) {
        this.views[of] = this.smallView(of * TRANSFER_WORDS, view.length);
      }
    }
    this.views.push(this.smallView(this.made * TRANSFER_WORDS, SMALL_BYTES));
    return this.made++;
  }

  private addPage(): number {
    const page = new Uint8Array(LARGE_BYTES);
    this.pages.push(page);
    this.pageViews.push(page);
    return this.pages.length - 1;
  }
}
