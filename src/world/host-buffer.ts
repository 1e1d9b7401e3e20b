// SPDX-License-Identifier: Apache-2.0
// One piece of memory of a simulated host.
import { byteAt, fillWords, STEP, wordsMatch } from './progression.js';
import { Runs } from './runs.js';

/**
 * Memory is made in chunks of this many bytes, when first written: larger than a page of the bus, because a run that
 * moves gigabytes would else have so many arrays that the garbage collector had most of the work.
 */
export const CHUNK_BYTES = 16_384;
const CHUNK_SHIFT = 14;

interface Chunk {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
}

const ZERO_CHUNK: Chunk = { bytes: new Uint8Array(CHUNK_BYTES), words: new Int32Array(CHUNK_BYTES / 4) };

/** Chunks are cut from slabs: one allocation for many, because allocations outside the heap are dear. */
const CHUNKS_PER_SLAB = 16;

class ChunkSource {
  private slab = new ArrayBuffer(0);
  private used = CHUNKS_PER_SLAB;

  take(): Chunk {
    if (this.used === CHUNKS_PER_SLAB) {
      this.slab = new ArrayBuffer(CHUNKS_PER_SLAB * CHUNK_BYTES);
      this.used = 0;
    }
    const at = this.used++ * CHUNK_BYTES;
    return {
      bytes: new Uint8Array(this.slab, at, CHUNK_BYTES),
      words: new Int32Array(this.slab, at, CHUNK_BYTES / 4),
    };
  }
}

/** Shorter pieces are kept as bytes, unless a run goes on with them: a run costs about as much as this many. */
const LEAST_RUN_BYTES = 256;

/** Where bytes are put together for a reader, and the view of it that was asked for last. */
const composed = { bytes: new Uint8Array(CHUNK_BYTES), words: new Int32Array(0), view: new Uint8Array(0) };
composed.words = new Int32Array(composed.bytes.buffer);

/**
 * One allocation: zeroed, contiguous on the bus, its chunks made when first written. Long arithmetic progressions, which
 * is what test patterns are, are kept as such over the chunks' bytes (runs.ts); a reader sees no difference.
 */
export class HostBuffer {
  readonly address: number;
  readonly lengthBytes: number;
  /** For whoever is told of writes: the user whose results these are, 0 where nobody looks. */
  watchedBy = 0;
  private readonly chunks: (Chunk | undefined)[];
  /** what is not in a chunk's bytes but a run */
  private readonly runs = new Runs();
  /** the chunk written last, as most often it is written again: number and contents */
  private lastIndex = -1;
  private lastBytes = ZERO_CHUNK.bytes;
  private lastWords = ZERO_CHUNK.words;
  private madeChunks = 0;
  private readonly source = new ChunkSource();

  constructor(address: number, lengthBytes: number) {
    this.address = address;
    this.lengthBytes = lengthBytes;
    this.chunks = new Array<Chunk | undefined>(Math.ceil(lengthBytes / CHUNK_BYTES));
  }

  /** Bytes of real memory behind this buffer. */
  get residentBytes(): number {
    return this.madeChunks * CHUNK_BYTES;
  }

  /** The chunk that holds `offset` as 32-bit words in the machine's order, for writing. */
  wordsForWrite(offset: number): Int32Array {
    const index = offset >>> CHUNK_SHIFT;
    if (this.runs.count > 0) this.settle(index);
    this.toWrite(index);
    return this.lastWords;
  }

  /** The chunk that holds `offset` as 32-bit words, for reading only (one never written is a shared chunk of zeros). */
  wordsForRead(offset: number): Int32Array {
    const index = offset >>> CHUNK_SHIFT;
    if (this.runs.count > 0) this.settle(index);
    if (index === this.lastIndex) return this.lastWords;
    return (this.chunks[index] ?? ZERO_CHUNK).words;
  }

  /** The byte at `offset`. */
  byteAt(offset: number): number {
    const { runs } = this;
    const run = runs.within(offset, offset + 1);
    if (run < runs.count) return byteAt(runs.base(run), offset);
    return (this.chunks[offset >>> CHUNK_SHIFT] ?? ZERO_CHUNK).bytes[offset & (CHUNK_BYTES - 1)]!;
  }

  /** Copies bytes into the buffer. RangeError outside it. */
  write(offset: number, bytes: Uint8Array): void {
    this.check(offset, bytes.length);
    let done = 0;
    while (done < bytes.length) {
      const at = offset + done;
      const part = Math.min(CHUNK_BYTES - (at & (CHUNK_BYTES - 1)), bytes.length - done);
      this.writeInChunk(at, part === bytes.length ? bytes : bytes.subarray(done, done + part));
      done += part;
    }
  }

  /** `write` of bytes that lie in one chunk, unchecked: for DMA, whose bounds are. */
  writeInChunk(offset: number, bytes: Uint8Array): void {
    this.runs.cut(offset, offset + bytes.length);
    this.toWrite(offset >>> CHUNK_SHIFT);
    this.lastBytes.set(bytes, offset & (CHUNK_BYTES - 1));
  }

  /** The same of 32-bit words, words[from, from + count), at a multiple of 4. */
  writeWordsInChunk(offset: number, words: Int32Array, from: number, count: number): void {
    this.runs.cut(offset, offset + 4 * count);
    this.toWrite(offset >>> CHUNK_SHIFT);
    const to = this.lastWords;
    const at = (offset & (CHUNK_BYTES - 1)) >>> 2;
    for (let i = 0; i < count; i++) to[at + i] = words[from + i]!;
  }

  /**
   * Writes `lengthBytes` bytes from a multiple of 4 on: the word `word0`, then the progression that begins with `word1`.
   * The same as writing the bytes, but for its cost. RangeError outside the buffer.
   */
  writeProgression(offset: number, lengthBytes: number, word0: number, word1: number): void {
    this.checkProgression(offset, lengthBytes);
    const head = ((word1 - STEP) | 0) === word0 ? 0 : Math.min(4, lengthBytes);
    const short = lengthBytes < LEAST_RUN_BYTES;
    if (short && !(head === 0 && this.runs.endsAt(offset, baseOf(word0, offset)))) {
      this.writeWords(offset, lengthBytes, word0, word1);
    } else {
      if (head > 0) this.runs.put(offset, offset + head, baseOf(word0, offset));
      this.runs.put(offset + head, offset + lengthBytes, baseOf(head > 0 ? word1 : word0, offset + head));
    }
  }

  /** A copy of bytes of the buffer. RangeError outside it. */
  read(offset: number, lengthBytes: number): Uint8Array {
    const out = new Uint8Array(lengthBytes);
    this.check(offset, lengthBytes);
    let done = 0;
    while (done < lengthBytes) {
      const at = offset + done;
      const part = Math.min(CHUNK_BYTES - (at & (CHUNK_BYTES - 1)), lengthBytes - done);
      out.set(this.readInChunk(at, part), done);
      done += part;
    }
    return out;
  }

  /** Bytes that lie in one chunk, unchecked: for DMA, whose bounds are. Read-only, and valid until the next call. */
  readInChunk(offset: number, lengthBytes: number): Uint8Array {
    const { runs } = this;
    const { bytes } = this.chunks[offset >>> CHUNK_SHIFT] ?? ZERO_CHUNK;
    const at = offset & (CHUNK_BYTES - 1);
    const end = offset + lengthBytes;
    let run = runs.within(offset, end);
    if (run === runs.count) return bytes.subarray(at, at + lengthBytes);
    // A word of the buffer becomes a word here: both begin at the same place modulo 4.
    const shift = offset & ~3;
    if (runs.start(run) > offset || runs.end(run) < end) {
      composed.bytes.set(bytes.subarray(at, at + lengthBytes), offset - shift);
    }
    for (; run < runs.count && runs.start(run) < end; run++) {
      fillBytes(
        composed.bytes,
        composed.words,
        Math.max(offset, runs.start(run)) - shift,
        Math.min(end, runs.end(run)) - shift,
        runs.base(run) + Math.imul(shift >>> 2, STEP),
      );
    }
    const first = offset - shift;
    const { view } = composed;
    if (view.length === lengthBytes && view.byteOffset === first) return view;
    return (composed.view = composed.bytes.subarray(first, first + lengthBytes));
  }

  /**
   * Offset of the first of `lengthBytes` bytes, from a multiple of 4 on, that is not what `writeProgression` would write;
   * -1 when all are right.
   */
  findOther(offset: number, lengthBytes: number, word0: number, word1: number): number {
    this.checkProgression(offset, lengthBytes);
    if (this.isAllBytes(offset, lengthBytes)) {
      // Short messages, whole words in one chunk: most often all is right.
      const { words } = this.chunks[offset >>> CHUNK_SHIFT] ?? ZERO_CHUNK;
      const from = (offset & (CHUNK_BYTES - 1)) >>> 2;
      const to = from + (lengthBytes >>> 2);
      if (words[from] === word0 && wordsMatch(words, from + 1, to, word1) === to) return -1;
    }
    const head = Math.min(4, lengthBytes);
    let other = this.findOtherWithin(offset, offset + head, baseOf(word0, offset));
    if (other < 0) {
      other = this.findOtherWithin(offset + head, offset + lengthBytes, baseOf(word1, offset + 4));
    }
    return other < 0 ? -1 : other - offset;
  }

  /** Makes every byte zero and gives the chunks back. */
  clear(): void {
    this.chunks.fill(undefined);
    this.runs.clear();
    this.lastIndex = -1;
    this.madeChunks = 0;
  }

  /** The first byte of [from, to) that is not what `base` says, -1 without one. */
  private findOtherWithin(from: number, to: number, base: number): number {
    const { runs } = this;
    let at = from;
    for (let run = runs.within(from, to); at < to;) {
      const isRun = run < runs.count && runs.start(run) <= at;
      let end = to;
      if (run < runs.count) end = Math.min(to, isRun ? runs.end(run) : runs.start(run));
      const other = isRun
        ? findOtherInRun(runs.base(run++), at, end, base)
        : this.findOtherByte(at, end, base);
      if (other >= 0) return other;
      at = end;
    }
    return -1;
  }

  /** The same where no byte belongs to a run. */
  private findOtherByte(from: number, to: number, base: number): number {
    for (let at = from; at < to;) {
      const chunk = this.chunks[at >>> CHUNK_SHIFT] ?? ZERO_CHUNK;
      const begin = at & ~(CHUNK_BYTES - 1);
      const end = Math.min(to, begin + CHUNK_BYTES);
      const word = (at - begin) >>> 2;
      const last = (end - begin) >>> 2;
      if ((at & 3) === 0 && word < last) {
        at = begin + 4 * wordsMatch(chunk.words, word, last, (base + Math.imul(at >>> 2, STEP)) | 0);
      }
      for (; at < end; at++) if (chunk.bytes[at - begin] !== byteAt(base, at)) return at;
    }
    return -1;
  }

  /** Whether these are whole words of one chunk, and no part of a run. */
  private isAllBytes(offset: number, lengthBytes: number): boolean {
    const { runs } = this;
    return (
      (lengthBytes & 3) === 0 &&
      lengthBytes > 0 &&
      (offset + lengthBytes - 1) >>> CHUNK_SHIFT === offset >>> CHUNK_SHIFT &&
      runs.within(offset, offset + lengthBytes) === runs.count
    );
  }

  private writeWords(offset: number, lengthBytes: number, word0: number, word1: number): void {
    this.runs.cut(offset, offset + lengthBytes);
    const head = Math.min(4, lengthBytes);
    this.fill(offset, offset + head, baseOf(word0, offset));
    this.fill(offset + head, offset + lengthBytes, baseOf(word1, offset + 4));
  }

  /** Makes bytes [from, to) what `base` says. */
  private fill(from: number, to: number, base: number): void {
    for (let at = from; at < to;) {
      const begin = at & ~(CHUNK_BYTES - 1);
      const end = Math.min(to, begin + CHUNK_BYTES);
      this.toWrite(at >>> CHUNK_SHIFT);
      const base0 = (base + Math.imul(begin >>> 2, STEP)) | 0;
      fillBytes(this.lastBytes, this.lastWords, at - begin, end - begin, base0);
      at = end;
    }
  }

  /** Makes bytes of what runs say about a chunk. */
  private settle(index: number): void {
    const { runs } = this;
    const from = index * CHUNK_BYTES;
    const to = from + CHUNK_BYTES;
    for (let run = runs.within(from, to); run < runs.count && runs.start(run) < to; run++) {
      this.fill(Math.max(from, runs.start(run)), Math.min(to, runs.end(run)), runs.base(run));
    }
    runs.cut(from, to);
  }

  /** Makes the chunk with this number the last one, to be written. */
  private toWrite(index: number): void {
    if (index === this.lastIndex) return;
    let chunk = this.chunks[index];
    if (chunk === undefined) {
      chunk = this.source.take();
      this.chunks[index] = chunk;
      this.madeChunks++;
    }
    this.lastIndex = index;
    this.lastBytes = chunk.bytes;
    this.lastWords = chunk.words;
  }

  private checkProgression(offset: number, lengthBytes: number): void {
    this.check(offset, lengthBytes);
    if ((offset & 3) !== 0) throw new RangeError(`a progression begins at a multiple of 4, not at ${offset}`);
  }

  private check(offset: number, lengthBytes: number): void {
    if (offset < 0 || offset + lengthBytes > this.lengthBytes) {
      throw new RangeError(`bytes ${offset}..${offset + lengthBytes} of a buffer of ${this.lengthBytes}`);
    }
  }
}

/** What word 0 of a memory would be for `word` to lie at byte `position`, a multiple of 4. */
function baseOf(word: number, position: number): number {
  return (word - Math.imul(position >>> 2, STEP)) | 0;
}

/** The first of bytes [from, to), which are what `its` says, that is not what `base` says; -1 without one. */
function findOtherInRun(its: number, from: number, to: number, base: number): number {
  if (its === base) return -1;
  for (let at = from; at < to; at++) if (byteAt(its, at) !== byteAt(base, at)) return at;
  return -1;
}

/** Writes bytes [from, to) of the progression whose word at byte 0 would be `base`. */
function fillBytes(bytes: Uint8Array, words: Int32Array, from: number, to: number, base: number): void {
  let at = from;
  for (; at < to && (at & 3) !== 0; at++) bytes[at] = byteAt(base, at);
  const last = to >>> 2;
  if (at >>> 2 < last) {
    fillWords(words, at >>> 2, last, (base + Math.imul(at >>> 2, STEP)) | 0);
    at = last << 2;
  }
  for (; at < to; at++) bytes[at] = byteAt(base, at);
}
