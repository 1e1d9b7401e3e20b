// SPDX-License-Identifier: Apache-2.0
// One piece of memory of a simulated host.
import { CHUNK_BYTES, CHUNK_SHIFT, type Chunk, type ChunkSource, ZERO_CHUNK } from './chunks.js';
import { byteAt, fillWords, STEP, wordsMatch } from './progression.js';
import { Runs } from './runs.js';

/** Shorter pieces are kept as bytes, unless a run goes on with them: a run costs about as much as this many. */
const LEAST_RUN_BYTES = 256;

/** Where bytes are put together for a reader, and the view of it that was asked for last. */
const composed = { bytes: new Uint8Array(CHUNK_BYTES), words: new Int32Array(0), view: new Uint8Array(0) };
composed.words = new Int32Array(composed.bytes.buffer);

/** Of all buffers without a run, which are most; never written. */
const NO_RUNS = new Runs();

/**
 * One allocation: zeroed, contiguous on the bus, its chunks made when first written. Long arithmetic progressions, which
 * is what test patterns are, are kept as such over the chunks' bytes (runs.ts); a reader sees no difference.
 */
export class HostBuffer {
  // In the order of use, as what one short DMA needs is to lie in few lines of the processor's cache.
  readonly lengthBytes: number;
  /** For whoever is told of writes: the user whose results these are, 0 where nobody looks. */
  watchedBy = 0;
  /** what is not in a chunk's bytes but a run */
  private runs = NO_RUNS;
  /** the chunk used last, as most often it is used again: number (-1: none of ours), views, first byte in them */
  private index = -1;
  private slabWords = ZERO_CHUNK.words;
  private at = 0;
  private slabBytes = ZERO_CHUNK.bytes;
  private readonly chunks: (Chunk | undefined)[];
  private readonly source: ChunkSource;
  readonly address: number;

  constructor(address: number, lengthBytes: number, source: ChunkSource) {
    this.address = address;
    this.lengthBytes = lengthBytes;
    this.source = source;
    this.chunks = new Array<Chunk | undefined>(Math.ceil(lengthBytes / CHUNK_BYTES));
  }

  /** Bytes of real memory behind this buffer. */
  get residentBytes(): number {
    let made = 0;
    for (const chunk of this.chunks) if (chunk !== undefined) made++;
    return made * CHUNK_BYTES;
  }

  /** Finds the 32-bit word at `offset`, a multiple of 4: its place in `words`, until the next call of anything here. */
  locate(offset: number): number {
    const index = offset >>> CHUNK_SHIFT;
    if (this.runs.count > 0) this.settle(index);
    this.toWrite(index);
    return (this.at + (offset & (CHUNK_BYTES - 1))) >>> 2;
  }

  /** Where `locate` found a word: words in the machine's order, those of other buffers too. */
  get words(): Int32Array {
    return this.slabWords;
  }

  /** The byte at `offset`. */
  byteAt(offset: number): number {
    const { runs } = this;
    const run = runs.within(offset, offset + 1);
    if (run < runs.count) return byteAt(runs.base(run), offset);
    this.toRead(offset >>> CHUNK_SHIFT);
    const at = this.at + (offset & (CHUNK_BYTES - 1));
    return (this.slabWords[at >>> 2]! >>> (8 * (at & 3))) & 0xff;
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
    this.slabBytes.set(bytes, this.at + (offset & (CHUNK_BYTES - 1)));
  }

  /** The same of 32-bit words, words[from, from + count), at a multiple of 4. */
  writeWordsInChunk(offset: number, words: Int32Array, from: number, count: number): void {
    this.runs.cut(offset, offset + 4 * count);
    this.toWrite(offset >>> CHUNK_SHIFT);
    const to = this.slabWords;
    const at = (this.at + (offset & (CHUNK_BYTES - 1))) >>> 2;
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
      if (this.runs === NO_RUNS) this.runs = new Runs();
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
    this.toRead(offset >>> CHUNK_SHIFT);
    const bytes = this.slabBytes;
    const at = this.at + (offset & (CHUNK_BYTES - 1));
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
      this.toRead(offset >>> CHUNK_SHIFT);
      const words = this.slabWords;
      const from = (this.at + (offset & (CHUNK_BYTES - 1))) >>> 2;
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
    for (const chunk of this.chunks) if (chunk !== undefined) this.source.give(chunk);
    this.chunks.fill(undefined);
    this.runs = NO_RUNS;
    this.use(-1, ZERO_CHUNK);
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
      this.toRead(at >>> CHUNK_SHIFT);
      const begin = at & ~(CHUNK_BYTES - 1);
      const end = Math.min(to, begin + CHUNK_BYTES);
      const last = end & ~3;
      if ((at & 3) === 0 && at < last) {
        const words = this.slabWords;
        const shift = (this.at - begin) >> 2;
        const first = (base + Math.imul(at >>> 2, STEP)) | 0;
        at = (wordsMatch(words, (at >>> 2) + shift, (last >>> 2) + shift, first) - shift) << 2;
      }
      const shift = this.at - begin;
      for (; at < end; at++) if (this.slabBytes[at + shift] !== byteAt(base, at)) return at;
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
      // what word 0 of the slab would be
      const shift = this.at - begin;
      const base0 = (base - Math.imul(shift >> 2, STEP)) | 0;
      fillBytes(this.slabBytes, this.slabWords, at + shift, end + shift, base0);
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

  /** Makes the chunk with this number the one used last, to be written. */
  private toWrite(index: number): void {
    if (index !== this.index) this.use(index, (this.chunks[index] ??= this.source.take()));
  }

  /** The same to be read: zeros, which are not ours, where nothing was written. */
  private toRead(index: number): void {
    if (index === this.index) return;
    const chunk = this.chunks[index];
    if (chunk === undefined) this.use(-1, ZERO_CHUNK);
    else this.use(index, chunk);
  }

  private use(index: number, chunk: Chunk): void {
    this.index = index;
    this.slabWords = chunk.words;
    this.slabBytes = chunk.bytes;
    this.at = chunk.at;
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
