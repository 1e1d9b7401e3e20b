// SPDX-License-Identifier: Apache-2.0
// The memory of a simulated host, as its card sees it over the bus.
import { byteAt, fillWords, Runs, STEP, wordsMatch } from './progression.js';

const PAGE_BYTES = 4096;
/**
 * Memory is made in chunks of this many bytes, when first written: larger than a page of the bus, because a run that
 * moves gigabytes would else have so many arrays that the garbage collector had most of the work.
 */
export const CHUNK_BYTES = 16_384;
const CHUNK_SHIFT = 14;
/** Every buffer begins at a multiple of this bus address, so an address names its buffer by division. */
const SPACING_BYTES = 0x8000000;
/** Bus addresses begin here: 0 and small numbers are never valid, as on a real machine with an IOMMU. */
const FIRST_ADDRESS = 0x1_0000_0000;

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

/** A DMA that the host's memory refused: a fault of the card (or of its driver). */
export interface DmaViolation {
  timePs: number;
  kind: 'read' | 'write';
  address: number;
  lengthBytes: number;
  reason: string;
}

/** Shorter pieces are kept as bytes: a run costs about as much as this many. */
const LEAST_RUN_BYTES = 256;

/** Where bytes are put together for a reader, and the view of it that was asked for last. */
const composed = { bytes: new Uint8Array(CHUNK_BYTES), words: new Int32Array(0), view: new Uint8Array(0) };
composed.words = new Int32Array(composed.bytes.buffer);

/**
 * One allocation: zeroed, contiguous on the bus, its chunks made when first written. Long arithmetic progressions, which
 * is what test patterns are, are kept as such over the chunk's bytes (progression.ts); a reader sees no difference.
 */
export class HostBuffer {
  readonly address: number;
  readonly lengthBytes: number;
  /** For whoever is told of writes: the user whose results these are, 0 where nobody looks. */
  watchedBy = 0;
  private readonly chunks: (Chunk | undefined)[];
  /** what of each chunk is not in its bytes but a run; undefined while nothing is */
  private runs: (Runs | undefined)[] | undefined;
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
    if (this.runs?.[index] !== undefined) this.settle(index, 0, CHUNK_BYTES);
    return this.writable(index).words;
  }

  /** The chunk that holds `offset` as 32-bit words, for reading only (one never written is a shared chunk of zeros). */
  wordsForRead(offset: number): Int32Array {
    const index = offset >>> CHUNK_SHIFT;
    if (this.runs?.[index] !== undefined) this.settle(index, 0, CHUNK_BYTES);
    return (this.chunks[index] ?? ZERO_CHUNK).words;
  }

  /** The byte at `offset`. */
  byteAt(offset: number): number {
    const index = offset >>> CHUNK_SHIFT;
    const at = offset & (CHUNK_BYTES - 1);
    const runs = this.runs?.[index];
    if (runs !== undefined) {
      const run = runs.find(at);
      if (run < runs.count && runs.start(run) <= at) return byteAt(runs.base(run), at);
    }
    return (this.chunks[index] ?? ZERO_CHUNK).bytes[at]!;
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
    const index = offset >>> CHUNK_SHIFT;
    const at = offset & (CHUNK_BYTES - 1);
    this.runs?.[index]?.cut(at, at + bytes.length);
    this.writable(index).bytes.set(bytes, at);
  }

  /** The same of 32-bit words, words[from, from + count), at a multiple of 4. */
  writeWordsInChunk(offset: number, words: Int32Array, from: number, count: number): void {
    const index = offset >>> CHUNK_SHIFT;
    const at = offset & (CHUNK_BYTES - 1);
    this.runs?.[index]?.cut(at, at + 4 * count);
    const to = this.writable(index).words;
    for (let i = 0; i < count; i++) to[(at >>> 2) + i] = words[from + i]!;
  }

  /**
   * Writes `lengthBytes` bytes from a multiple of 4 on: the word `word0`, then the progression that begins with `word1`.
   * The same as writing the bytes, but for its cost. RangeError outside the buffer.
   */
  writeProgression(offset: number, lengthBytes: number, word0: number, word1: number): void {
    this.checkProgression(offset, lengthBytes);
    const head = ((word1 - STEP) | 0) === word0 ? 0 : Math.min(4, lengthBytes);
    if (lengthBytes < LEAST_RUN_BYTES) this.writeWords(offset, lengthBytes, word0, word1);
    else {
      if (head > 0) this.writeRun(offset, head, word0);
      this.writeRun(offset + head, lengthBytes - head, head > 0 ? word1 : word0);
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
    const index = offset >>> CHUNK_SHIFT;
    const at = offset & (CHUNK_BYTES - 1);
    const { bytes } = this.chunks[index] ?? ZERO_CHUNK;
    const runs = this.runs?.[index];
    let run = runs?.find(at) ?? 0;
    const end = at + lengthBytes;
    if (runs === undefined || run === runs.count || runs.start(run) >= end) return bytes.subarray(at, end);
    // A word of the chunk becomes a word here: both begin at the same place modulo 4.
    const shift = at & ~3;
    if (runs.start(run) > at || runs.end(run) < end) composed.bytes.set(bytes.subarray(at, end), at - shift);
    for (; run < runs.count && runs.start(run) < end; run++) {
      const from = Math.max(at, runs.start(run));
      fillBytes(
        composed,
        from - shift,
        Math.min(end, runs.end(run)) - shift,
        runs.base(run) + Math.imul(shift >>> 2, STEP),
      );
    }
    const first = at - shift;
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
    let done = 0;
    while (done < lengthBytes) {
      const at = offset + done;
      const inChunk = at & (CHUNK_BYTES - 1);
      const end = done === 0 ? Math.min(4, lengthBytes) : Math.min(lengthBytes, done + CHUNK_BYTES - inChunk);
      const first = done === 0 ? word0 : (word1 + Math.imul((done >>> 2) - 1, STEP)) | 0;
      const base = (first - Math.imul(inChunk >>> 2, STEP)) | 0;
      const other = this.findOtherInChunk(at >>> CHUNK_SHIFT, inChunk, inChunk + end - done, base);
      if (other >= 0) return done + other - inChunk;
      done = end;
    }
    return -1;
  }

  /** Makes every byte zero and gives the chunks back. */
  clear(): void {
    this.chunks.fill(undefined);
    this.runs = undefined;
    this.madeChunks = 0;
  }

  /** Position of the first byte of a chunk's [from, to) that is not what `base` says, -1 without one. */
  private findOtherInChunk(index: number, from: number, to: number, base: number): number {
    const runs = this.runs?.[index];
    const chunk = this.chunks[index] ?? ZERO_CHUNK;
    let at = from;
    let run = runs?.find(from) ?? 0;
    while (at < to) {
      const inRun = runs !== undefined && run < runs.count && runs.start(run) <= at;
      let end = to;
      if (runs !== undefined && run < runs.count) end = Math.min(to, inRun ? runs.end(run) : runs.start(run));
      if (inRun) {
        const its = runs.base(run++);
        for (; its !== base && at < end; at++) if (byteAt(its, at) !== byteAt(base, at)) return at;
      } else {
        const word = at >>> 2;
        const last = end >>> 2;
        if ((at & 3) === 0 && word < last) {
          at = 4 * wordsMatch(chunk.words, word, last, (base + Math.imul(word, STEP)) | 0);
        }
        for (; at < end; at++) if (chunk.bytes[at] !== byteAt(base, at)) return at;
      }
      at = end;
    }
    return -1;
  }

  /** Whether these are whole words of one chunk that knows no runs. */
  private isAllBytes(offset: number, lengthBytes: number): boolean {
    const index = offset >>> CHUNK_SHIFT;
    return (
      (lengthBytes & 3) === 0 &&
      lengthBytes > 0 &&
      (offset + lengthBytes - 1) >>> CHUNK_SHIFT === index &&
      this.runs?.[index] === undefined
    );
  }

  private writeWords(offset: number, lengthBytes: number, word0: number, word1: number): void {
    let done = 0;
    while (done < lengthBytes) {
      const at = offset + done;
      const inChunk = at & (CHUNK_BYTES - 1);
      const end = done === 0 ? Math.min(4, lengthBytes) : Math.min(lengthBytes, done + CHUNK_BYTES - inChunk);
      const first = done === 0 ? word0 : (word1 + Math.imul((done >>> 2) - 1, STEP)) | 0;
      const index = at >>> CHUNK_SHIFT;
      this.runs?.[index]?.cut(inChunk, inChunk + end - done);
      fillBytes(
        this.writable(index),
        inChunk,
        inChunk + end - done,
        (first - Math.imul(inChunk >>> 2, STEP)) | 0,
      );
      done = end;
    }
  }

  private writeRun(offset: number, lengthBytes: number, first: number): void {
    const all = (this.runs ??= new Array<Runs | undefined>(this.chunks.length));
    let done = 0;
    while (done < lengthBytes) {
      const at = offset + done;
      const index = at >>> CHUNK_SHIFT;
      const inChunk = at & (CHUNK_BYTES - 1);
      const part = Math.min(CHUNK_BYTES - inChunk, lengthBytes - done);
      const runs = (all[index] ??= new Runs());
      runs.put(inChunk, inChunk + part, (first + Math.imul((done >>> 2) - (inChunk >>> 2), STEP)) | 0);
      done += part;
    }
  }

  /** Makes bytes of what runs say about [from, to) of a chunk. */
  private settle(index: number, from: number, to: number): void {
    const runs = this.runs![index]!;
    const chunk = this.writable(index);
    for (let run = runs.find(from); run < runs.count && runs.start(run) < to; run++) {
      fillBytes(chunk, Math.max(from, runs.start(run)), Math.min(to, runs.end(run)), runs.base(run));
    }
    runs.cut(from, to);
  }

  private writable(index: number): Chunk {
    let chunk = this.chunks[index];
    if (chunk === undefined) {
      chunk = this.source.take();
      this.chunks[index] = chunk;
      this.madeChunks++;
    }
    return chunk;
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

/** Writes bytes [from, to) of the progression whose word at byte 0 of `chunk` would be `base`. */
function fillBytes(chunk: Chunk, from: number, to: number, base: number): void {
  let at = from;
  for (; at < to && (at & 3) !== 0; at++) chunk.bytes[at] = byteAt(base, at);
  const last = to >>> 2;
  if (at >>> 2 < last) {
    fillWords(chunk.words, at >>> 2, last, (base + Math.imul(at >>> 2, STEP)) | 0);
    at = last << 2;
  }
  for (; at < to; at++) chunk.bytes[at] = byteAt(base, at);
}

/**
 * The buffers of one host at bus addresses. A DMA outside an allocated buffer, across a 4 KiB boundary or longer than
 * 4,096 bytes is refused and recorded: tests assert that `violations` stays empty.
 */
export class HostMemory {
  readonly violations: DmaViolation[] = [];
  private readonly buffers: (HostBuffer | undefined)[] = [];

  /** Allocates zeroed memory (at most 128 MiB) at a fresh bus address. */
  allocate(lengthBytes: number): HostBuffer {
    if (lengthBytes < 1 || lengthBytes > SPACING_BYTES) {
      throw new RangeError(`a host buffer has 1 to ${SPACING_BYTES} bytes, not ${lengthBytes}`);
    }
    const buffer = new HostBuffer(FIRST_ADDRESS + this.buffers.length * SPACING_BYTES, lengthBytes);
    this.buffers.push(buffer);
    return buffer;
  }

  /** Frees a buffer: a DMA to it from now on is a violation. */
  release(buffer: HostBuffer): void {
    this.buffers[(buffer.address - FIRST_ADDRESS) / SPACING_BYTES] = undefined;
  }

  /** The buffer a DMA may touch, or undefined after recording the violation. */
  find(timePs: number, kind: 'read' | 'write', address: number, lengthBytes: number): HostBuffer | undefined {
    const buffer = this.buffers[Math.floor((address - FIRST_ADDRESS) / SPACING_BYTES)];
    let reason: string;
    if (buffer === undefined) reason = 'no buffer there';
    else if (address + lengthBytes > buffer.address + buffer.lengthBytes) reason = 'past the end of a buffer';
    else if (lengthBytes < 1 || lengthBytes > PAGE_BYTES) reason = 'not 1 to 4,096 bytes';
    else if (((address >>> 0) & (PAGE_BYTES - 1)) + lengthBytes > PAGE_BYTES)
      reason = 'across a 4 KiB boundary';
    else return buffer;
    this.violations.push({ timePs, kind, address, lengthBytes, reason });
    return undefined;
  }

  /** Bytes of real memory in use. */
  get residentBytes(): number {
    let sum = 0;
    for (const buffer of this.buffers) sum += buffer?.residentBytes ?? 0;
    return sum;
  }
}
