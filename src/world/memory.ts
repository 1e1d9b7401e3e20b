// SPDX-License-Identifier: Apache-2.0
// The memory of a simulated host, as its card sees it over the bus.

export const PAGE_BYTES = 4096;
const PAGE_SHIFT = 12;
/** Every buffer begins at a multiple of this bus address, so an address names its buffer by division. */
const SPACING_BYTES = 0x8000000;
/** Bus addresses begin here: 0 and small numbers are never valid, as on a real machine with an IOMMU. */
const FIRST_ADDRESS = 0x1_0000_0000;

interface Page {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
}

const ZERO_PAGE: Page = { bytes: new Uint8Array(PAGE_BYTES), words: new Int32Array(PAGE_BYTES / 4) };

/** Pages are cut from slabs: one allocation for many, because allocations outside the heap are dear. */
const PAGES_PER_SLAB = 64;

class PageSource {
  private slab = new ArrayBuffer(0);
  private used = PAGES_PER_SLAB;

  take(): Page {
    if (this.used === PAGES_PER_SLAB) {
      this.slab = new ArrayBuffer(PAGES_PER_SLAB * PAGE_BYTES);
      this.used = 0;
    }
    const at = this.used++ * PAGE_BYTES;
    return {
      bytes: new Uint8Array(this.slab, at, PAGE_BYTES),
      words: new Int32Array(this.slab, at, PAGE_BYTES / 4),
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

/** One allocation: zeroed, contiguous on the bus, its pages made when first written. */
export class HostBuffer {
  readonly address: number;
  readonly lengthBytes: number;
  private readonly pages: (Page | undefined)[];
  private madePages = 0;
  private readonly source = new PageSource();

  constructor(address: number, lengthBytes: number) {
    this.address = address;
    this.lengthBytes = lengthBytes;
    this.pages = new Array<Page | undefined>(Math.ceil(lengthBytes / PAGE_BYTES));
  }

  /** Bytes of real memory behind this buffer. */
  get residentBytes(): number {
    return this.madePages * PAGE_BYTES;
  }

  /** The page that holds `offset`, for writing. */
  pageForWrite(offset: number): Uint8Array {
    return this.writable(offset >>> PAGE_SHIFT).bytes;
  }

  /** The page that holds `offset`, for reading only (a page never written is a shared page of zeros). */
  pageForRead(offset: number): Uint8Array {
    return (this.pages[offset >>> PAGE_SHIFT] ?? ZERO_PAGE).bytes;
  }

  /** The page as little 32-bit words in the machine's order, for writing. */
  wordsForWrite(offset: number): Int32Array {
    return this.writable(offset >>> PAGE_SHIFT).words;
  }

  /** The page as 32-bit words, for reading only. */
  wordsForRead(offset: number): Int32Array {
    return (this.pages[offset >>> PAGE_SHIFT] ?? ZERO_PAGE).words;
  }

  /** Copies bytes into the buffer. RangeError outside it. */
  write(offset: number, bytes: Uint8Array): void {
    this.check(offset, bytes.length);
    let done = 0;
    while (done < bytes.length) {
      const at = offset + done;
      const inPage = at & (PAGE_BYTES - 1);
      const part = Math.min(PAGE_BYTES - inPage, bytes.length - done);
      this.pageForWrite(at).set(part === bytes.length ? bytes : bytes.subarray(done, done + part), inPage);
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
      const inPage = at & (PAGE_BYTES - 1);
      const part = Math.min(PAGE_BYTES - inPage, lengthBytes - done);
      out.set(this.pageForRead(at).subarray(inPage, inPage + part), done);
      done += part;
    }
    return out;
  }

  /** Copies bytes from one buffer to another, page by page. */
  copyTo(offset: number, to: HostBuffer, toOffset: number, lengthBytes: number): void {
    this.check(offset, lengthBytes);
    let done = 0;
    while (done < lengthBytes) {
      const at = offset + done;
      const inPage = at & (PAGE_BYTES - 1);
      const part = Math.min(PAGE_BYTES - inPage, lengthBytes - done);
      to.write(toOffset + done, this.pageForRead(at).subarray(inPage, inPage + part));
      done += part;
    }
  }

  /** Makes every byte zero and gives the pages back. */
  clear(): void {
    this.pages.fill(undefined);
    this.madePages = 0;
  }

  private writable(index: number): Page {
    let page = this.pages[index];
    if (page === undefined) {
      page = this.source.take();
      this.pages[index] = page;
      this.madePages++;
    }
    return page;
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
    else if ((address % PAGE_BYTES) + lengthBytes > PAGE_BYTES) reason = 'across a 4 KiB boundary';
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
