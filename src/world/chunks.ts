// SPDX-License-Identifier: Apache-2.0
// What host memory is made of.

/**
 * Memory is made in chunks of this many bytes, when first written: larger than a page of the bus, because a run that
 * moves gigabytes would else have so many chunks that the garbage collector had most of the work.
 */
export const CHUNK_BYTES = 16_384;
export const CHUNK_SHIFT = 14;

/** The two views of a slab are those of all its chunks: a view is two lines of the processor's cache. */
export interface Chunk {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  /** the chunk's first byte in `bytes` */
  readonly at: number;
}

/** Chunks are cut from slabs: one allocation for many, because allocations outside the heap are dear. */
const CHUNKS_PER_SLAB = 64;

function makeChunk(slab: ArrayBuffer, at: number, like?: Chunk): Chunk {
  return { bytes: like?.bytes ?? new Uint8Array(slab), words: like?.words ?? new Int32Array(slab), at };
}

/** What is read where nothing was written. */
export const ZERO_CHUNK = makeChunk(new ArrayBuffer(CHUNK_BYTES), 0);

/** The chunk cut last, for all hosts of the process. A slab is given back once no memory has a chunk of it. */
let last: Chunk | undefined;

function cut(): Chunk {
  const at = last === undefined ? 0 : last.at + CHUNK_BYTES;
  if (last === undefined || at === last.bytes.length) {
    last = makeChunk(new ArrayBuffer(CHUNKS_PER_SLAB * CHUNK_BYTES), 0);
  } else last = makeChunk(last.bytes.buffer as ArrayBuffer, at, last);
  return last;
}

/** The chunks of one host: those given back are used first, and none is kept once all have been. */
export class ChunkSource {
  private readonly free: Chunk[] = [];
  private used = 0;

  /** A chunk of zeros. */
  take(): Chunk {
    this.used++;
    const chunk = this.free.pop();
    if (chunk === undefined) return cut();
    chunk.bytes.fill(0, chunk.at, chunk.at + CHUNK_BYTES);
    return chunk;
  }

  give(chunk: Chunk): void {
    this.used--;
    if (this.used === 0) this.free.length = 0;
    else this.free.push(chunk);
  }
}
