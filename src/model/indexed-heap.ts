// SPDX-License-Identifier: Apache-2.0

/** A binary heap of items 0, 1, 2... by key, smallest first, whose members can be changed and removed. */
export class IndexedHeap {
  private heap = new Int32Array(16);
  private keys = new Float64Array(16);
  private place = new Int32Array(16).fill(-1);
  size = 0;

  /** The item of the smallest key; -1 when empty. */
  get top(): number {
    return this.size === 0 ? -1 : this.heap[0]!;
  }

  /** Adds `item`, or changes its key. */
  set(item: number, key: number): void {
    if (item >= this.place.length) this.growItems(item);
    if (this.size === this.heap.length) {
      const larger = new Int32Array(this.heap.length * 2);
      larger.set(this.heap);
      this.heap = larger;
    }
    let at = this.place[item]!;
    if (at < 0) at = this.size++;
    else if (key > this.keys[item]!) {
      this.keys[item] = key;
      this.sink(at, item, key);
      return;
    }
    this.keys[item] = key;
    this.rise(at, item, key);
  }

  /** Removes `item`, if it is there. */
  delete(item: number): void {
    const at = item < this.place.length ? this.place[item]! : -1;
    if (at < 0) return;
    this.place[item] = -1;
    const last = this.heap[--this.size]!;
    if (at === this.size) return;
    const key = this.keys[last]!;
    this.rise(at, last, key);
    this.sink(this.place[last]!, last, key);
  }

  private rise(from: number, item: number, key: number): void {
    const { heap, keys, place } = this;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent]!;
      if (keys[above]! <= key) break;
      heap[at] = above;
      place[above] = at;
      at = parent;
    }
    heap[at] = item;
    place[item] = at;
  }

  private sink(from: number, item: number, key: number): void {
    const { heap, keys, place } = this;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.size) break;
      if (child + 1 < this.size && keys[heap[child + 1]!]! < keys[heap[child]!]!) child++;
      const below = heap[child]!;
      if (keys[below]! >= key) break;
      heap[at] = below;
      place[below] = at;
      at = child;
    }
    heap[at] = item;
    place[item] = at;
  }

  private growItems(item: number): void {
    const size = Math.max(item + 1, this.place.length * 2);
    const keys = new Float64Array(size);
    keys.set(this.keys);
    this.keys = keys;
    const place = new Int32Array(size).fill(-1);
    place.set(this.place);
    this.place = place;
  }
}
