// SPDX-License-Identifier: Apache-2.0

const SMALL_BYTES = 64;
/** The longest DMA request. */
const LARGE_BYTES = 4096;

/** Records of what is under way on a bus, by number, reused: no allocation once a run is warm. */
export class TransferPool {
  addresses = new Float64Array(64);
  lengths = new Int32Array(64);
  tags = new Int32Array(64);
  /** 1: the card was reset since; the transfer ends without effect */
  private lost = new Uint8Array(64);
  readonly data: Uint8Array[] = [];
  private readonly views: Uint8Array[] = [];
  /** free records of 64 bytes and of a page: apart, so that a record's view seldom changes its length */
  private readonly small: number[] = [];
  private readonly large: number[] = [];
  private used = 0;

  /** Records in use. */
  get inUse(): number {
    return this.used - this.small.length - this.large.length;
  }

  /** A record whose `data` has room for `lengthBytes`, 4,096 at most. */
  take(address: number, lengthBytes: number, tag: number): number {
    const index = (lengthBytes <= SMALL_BYTES ? this.small.pop() : this.large.pop()) ?? this.add(lengthBytes);
    this.addresses[index] = address;
    this.lengths[index] = lengthBytes;
    this.tags[index] = tag;
    this.lost[index] = 0;
    return index;
  }

  /** Every transfer under way is lost. */
  loseAll(): void {
    this.lost.fill(1);
  }

  isLost(index: number): boolean {
    return this.lost[index] === 1;
  }

  give(index: number): void {
    if (this.data[index]!.length === SMALL_BYTES) this.small.push(index);
    else this.large.push(index);
  }

  /** The record's bytes, exactly as long as they are. */
  view(index: number): Uint8Array {
    const length = this.lengths[index]!;
    const whole = this.data[index]!;
    if (whole.length === length) return whole;
    const kept = this.views[index]!;
    if (kept.length === length) return kept;
    return (this.views[index] = whole.subarray(0, length));
  }

  private add(lengthBytes: number): number {
    const index = this.used++;
    if (index === this.lengths.length) {
      const addresses = new Float64Array(2 * index);
      addresses.set(this.addresses);
      this.addresses = addresses;
      const lengths = new Int32Array(2 * index);
      lengths.set(this.lengths);
      this.lengths = lengths;
      const tags = new Int32Array(2 * index);
      tags.set(this.tags);
      this.tags = tags;
      const lost = new Uint8Array(2 * index);
      lost.set(this.lost);
      this.lost = lost;
    }
    const bytes = new Uint8Array(lengthBytes <= SMALL_BYTES ? SMALL_BYTES : LARGE_BYTES);
    this.data.push(bytes);
    this.views.push(bytes);
    return index;
  }
}
