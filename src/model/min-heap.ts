// SPDX-License-Identifier: Apache-2.0

/** A binary heap of float64 keys, smallest first. */
export class MinHeap {
  private keys = new Float64Array(16);
  size = 0;

  /** The smallest key; Infinity when empty. */
  get min(): number {
    return this.size === 0 ? Infinity : this.keys[0]!;
  }

  push(key: number): void {
    if (this.size === this.keys.length) {
      const larger = new Float64Array(this.keys.length * 2);
      larger.set(this.keys);
      this.keys = larger;
    }
    const keys = this.keys;
    let hole = this.size++;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      const above = keys[parent]!;
      if (above <= key) break;
      keys[hole] = above;
      hole = parent;
    }
    keys[hole] = key;
  }

  /** Lowers the smallest key, in place. */
  lowerMin(key: number): void {
    this.keys[0] = key;
  }

  /** Removes and returns the smallest key; Infinity when empty. */
  pop(): number {
    if (this.size === 0) return Infinity;
    const keys = this.keys;
    const result = keys[0]!;
    const size = --this.size;
    const key = keys[size]!;
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= size) break;
      if (child + 1 < size && keys[child + 1]! < keys[child]!) child++;
      const below = keys[child]!;
      if (below >= key) break;
      keys[hole] = below;
      hole = child;
    }
    keys[hole] = key;
    return result;
  }
}
