// SPDX-License-Identifier: Apache-2.0

/** Records of what is under way on a bus, by number, reused: no allocation once a run is warm. */
export class TransferPool {
  addresses = new Float64Array(64);
  lengths = new Int32Array(64);
  tags = new Int32Array(64);
  /** 1: the card was reset since; the transfer ends without effect */
  private lost = new Uint8Array(64);
  readonly data: Uint8Array[] = [];
  private readonly views: Uint8Array[] = [];
  private readonly free: number[] = [];
  private used = 0;

  /** Records in use. */
  get inUse(): number {
    return this.used - this.free.length;
  }

  /** A record whose `data` has room for `lengthBytes`. */
  take(address: number, lengthBytes: number, tag: number): number {
    const index = this.free.pop() ?? this.add();
    this.addresses[index] = address;
    this.lengths[index] = lengthBytes;
    this.tags[index] = tag;
    this.lost[index] = 0;
    if (this.data[index]!.length < lengthBytes) {
      const grown = new Uint8Array(lengthBytes <= 256 ? 256 : 4096 * Math.ceil(lengthBytes / 4096));
      this.data[index] = grown;
      this.views[index] = grown;
    }
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
    this.free.push(index);
  }

  /** The record's bytes, exactly as long as they are. */
  view(index: number): Uint8Array {
    const length = this.lengths[index]!;
    const kept = this.views[index]!;
    if (kept.length === length) return kept;
    return (this.views[index] = this.data[index]!.subarray(0, length));
  }

  private add(): number {
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
    const bytes = new Uint8Array(64);
    this.data.push(bytes);
    this.views.push(bytes);
    return index;
  }
}
