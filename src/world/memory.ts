// SPDX-License-Identifier: Apache-2.0
// The memory of a simulated host, as its card sees it over the bus.

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

/** One allocation: zeroed, contiguous on the bus, its chunks made when first written. */
export class HostBuffer {
  readonly address: number;
  readonly lengthBytes: number;
  private readonly chunks: (Chunk | undefined)[];
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

  /** The chunk that holds `offset`, for writing. */
  chunkForWrite(offset: number): Uint8Array {
    return this.writable(offset >>> CHUNK_SHIFT).bytes;
  }

  /** The chunk that holds `offset`, for reading only (a chunk never written is a shared chunk of zeros). */
  chunkForRead(offset: number): Uint8Array {
    return (this.chunks[offset >>> CHUNK_SHIFT] ?? ZERO_CHUNK).bytes;
  }

  /** The chunk as little 32-bit words in the machine's order, for writing. */
  wordsForWrite(offset: number): Int32Array {
    return this.writable(offset >>> CHUNK_SHIFT).words;
  }

  /** The chunk as 32-bit words, for reading only. */
  wordsForRead(offset: number): Int32Array {
    return (this.chunks[offset >>> CHUNK_SHIFT] ?? ZERO_CHUNK).words;
  }

  /** Copies bytes into the buffer. RangeError outside it. */
  write(offset: number, bytes: Uint8Array): void {
    this.check(offset, bytes.length);
    let done = 0;
    while (done < bytes.length) {
      const at = offset + done;
      const inChunk = at & (CHUNK_BYTES - 1);
      const part = Math.min(CHUNK_BYTES - inChunk, bytes.length - done);
      this.chunkForWrite(at).set(part === bytes.length ? bytes : bytes.subarray(done, done + part), inChunk);
      done += part;
    }
  }

  /** A copy of bytes of the buffer. RangeError outside it. */
  read(offset: number, lengthBytes: number): Uint8Array {
    this.check(offset, lengthBytes);
    const out = new Uint8Array(lengthBytes);
    let done = 0;
    while (done < lengthBytes) {
      const at = offset + done;
      const inChunk = at & (CHUNK_BYTES - 1);
      const part = Math.min(CHUNK_BYTES - inChunk, lengthBytes - done);
      out.set(this.chunkForRead(at).subarray(inChunk, inChunk + part), done);
      done += part;
    }
    return out;
  }

  /** Copies bytes from one buffer to another, chunk by chunk. */
  copyTo(offset: number, to: HostBuffer, toOffset: number, lengthBytes: number): void {
    this.check(offset, lengthBytes);
    let done = 0;
    while (done < lengthBytes) {
      const at = offset + done;
      const inChunk = at & (CHUNK_BYTES - 1);
      const part = Math.min(CHUNK_BYTES - inChunk, lengthBytes - done);
      to.write(toOffset + done, this.chunkForRead(at).subarray(inChunk, inChunk + part));
      done += part;
    }
  }

  /** Makes every byte zero and gives the chunks back. */
  clear(): void {
    this.chunks.fill(undefined);
    this.madeChunks = 0;
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

  private check(offset: number, lengthBytes: number): void {
    if (offset < 0 || offset + lengthBytes > this.lengthBytes) {
      throw new RangeError(`bytes ${offset}..${offset + lengthBytes} of a buffer of ${this.lengthBytes}`);
    }
  }
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
