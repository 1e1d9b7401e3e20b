// SPDX-License-Identifier: Apache-2.0
// The memory of a simulated host, as its card sees it over the bus.
import { ChunkSource } from './chunks.js';
import { HostBuffer } from './host-buffer.js';

const PAGE_BYTES = 4096;
/** Every buffer begins at a multiple of this bus address, so an address names its buffer by division. */
const SPACING_BYTES = 0x8000000;
/** Bus addresses begin here: 0 and small numbers are never valid, as on a real machine with an IOMMU. */
const FIRST_ADDRESS = 0x1_0000_0000;

/** Offset of a bus address in its buffer. Both constants are powers of two: the low bits are all that counts. */
export function offsetOf(address: number): number {
  return (address >>> 0) & (SPACING_BYTES - 1);
}

/** A DMA that the host's memory refused: a fault of the card (or of its driver). */
export interface DmaViolation {
  timePs: number;
  kind: 'read' | 'write';
  address: number;
  lengthBytes: number;
  reason: string;
}

/**
 * The buffers of one host at bus addresses. A DMA outside an allocated buffer, across a 4 KiB boundary or longer than
 * 4,096 bytes is refused and recorded: tests assert that `violations` stays empty.
 */
export class HostMemory {
  readonly violations: DmaViolation[] = [];
  private readonly buffers: (HostBuffer | undefined)[] = [];
  private readonly source = new ChunkSource();

  /** Allocates zeroed memory (at most 128 MiB) at a fresh bus address. */
  allocate(lengthBytes: number): HostBuffer {
    if (lengthBytes < 1 || lengthBytes > SPACING_BYTES) {
      throw new RangeError(`a host buffer has 1 to ${SPACING_BYTES} bytes, not ${lengthBytes}`);
    }
    const buffer = new HostBuffer(
      FIRST_ADDRESS + this.buffers.length * SPACING_BYTES,
      lengthBytes,
      this.source,
    );
    this.buffers.push(buffer);
    return buffer;
  }

  /** Frees a buffer: its bytes are gone, and a DMA to it from now on is a violation. */
  release(buffer: HostBuffer): void {
    buffer.clear();
    this.buffers[(buffer.address - FIRST_ADDRESS) / SPACING_BYTES] = undefined;
  }

  /** The buffer a DMA may touch, or undefined after recording the violation. */
  find(timePs: number, kind: 'read' | 'write', address: number, lengthBytes: number): HostBuffer | undefined {
    const buffer = this.buffers[Math.floor((address - FIRST_ADDRESS) / SPACING_BYTES)];
    let reason: string;
    if (buffer === undefined) reason = 'no buffer there';
    else if (offsetOf(address) + lengthBytes > buffer.lengthBytes) reason = 'past the end of a buffer';
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
