// SPDX-License-Identifier: Apache-2.0

/**
 * A double-ended priority queue of distinct float64 keys (a min-max heap): the sorted slots of a PIFO, of which only
 * the two ends are ever touched. Even levels hold minima of what is below them, odd levels maxima.
 */
export class DoubleHeap {
  private keys = new Float64Array(16);
  size = 0;

  /** The smallest key; Infinity when empty. */
  get min(): number {
    return this.size === 0 ? Infinity : this.keys[0]!;
  }

  /** The largest key; -Infinity when empty. */
  get max(): number {
    return this.size === 0 ? -Infinity : this.keys[this.maxIndex()]!;
  }

  push(key: number): void {
    if (this.size === this.keys.length) {
      const larger = new Float64Array(this.keys.length * 2);
      larger.set(this.keys);
      this.keys = larger;
    }
    const keys = this.keys;
    const at = this.size++;
    keys[at] = key;
    if (at === 0) return;
    const parent = (at - 1) >> 1;
    const minLevel = isMinLevel(at);
    if (minLevel ? key > keys[parent]! : key < keys[parent]!) {
      keys[at] = keys[parent]!;
      keys[parent] = key;
      this.rise(parent, !minLevel);
    } else this.rise(at, minLevel);
  }

  /** Lowers the smallest key, in place. */
  lowerMin(key: number): void {
    this.keys[0] = key;
  }

  popMin(): number {
    return this.size === 0 ? Infinity : this.remove(0);
  }

  popMax(): number {
    return this.size === 0 ? -Infinity : this.remove(this.maxIndex());
  }

  private maxIndex(): number {
    if (this.size < 3) return this.size - 1;
    return this.keys[1]! > this.keys[2]! ? 1 : 2;
  }

  private remove(at: number): number {
    const keys = this.keys;
    const result = keys[at]!;
    this.size--;
    if (at < this.size) {
      keys[at] = keys[this.size]!;
      this.sink(at, isMinLevel(at));
    }
    return result;
  }

  private rise(from: number, minLevel: boolean): void {
    const keys = this.keys;
    const key = keys[from]!;
    let at = from;
    while (at > 2) {
      const grandparent = (((at - 1) >> 1) - 1) >> 1;
      const above = keys[grandparent]!;
      if (minLevel ? above <= key : above >= key) break;
      keys[at] = above;
      at = grandparent;
    }
    keys[at] = key;
  }

  private sink(from: number, minLevel: boolean): void {
    const keys = this.keys;
    let at = from;
    for (;;) {
      // The best of the children and grandchildren.
      let best = -1;
      const firstChild = 2 * at + 1;
      const firstGrandchild = 4 * at + 3;
      for (let i = firstChild; i < Math.min(firstChild + 2, this.size); i++) {
        if (best < 0 || (minLevel ? keys[i]! < keys[best]! : keys[i]! > keys[best]!)) best = i;
      }
      for (let i = firstGrandchild; i < Math.min(firstGrandchild + 4, this.size); i++) {
        if (minLevel ? keys[i]! < keys[best]! : keys[i]! > keys[best]!) best = i;
      }
      if (best < 0 || (minLevel ? keys[best]! >= keys[at]! : keys[best]! <= keys[at]!)) return;
      this.swap(best, at);
      if (best < firstGrandchild) return;
      const parent = (best - 1) >> 1;
      if (minLevel ? keys[best]! > keys[parent]! : keys[best]! < keys[parent]!) this.swap(best, parent);
      at = best;
    }
  }

  private swap(i: number, j: number): void {
    const key = this.keys[i]!;
    this.keys[i] = this.keys[j]!;
    this.keys[j] = key;
  }
}

function isMinLevel(index: number): boolean {
  return ((31 - Math.clz32(index + 1)) & 1) === 0;
}
