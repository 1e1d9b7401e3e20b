// SPDX-License-Identifier: Apache-2.0
/**
 * A binary heap of small integers (message or peer numbers) that can also be taken out or moved from the middle.
 *
 * `before(a, b)` is the strict order; after a change that affects an item's place call `update`. Every item knows its
 * position (an array as long as the highest item), so all operations are logarithmic and allocate nothing.
 */
export class IndexedHeap {
  private readonly items: number[] = [];
  /** Position + 1 of each item, 0 when it is not in the heap. */
  private places: Int32Array;
  private size = 0;

  constructor(
    capacity: number,
    private readonly before: (a: number, b: number) => boolean,
  ) {
    this.places = new Int32Array(capacity);
  }

  get count(): number {
    return this.size;
  }
  /** The item that comes first, -1 when empty. */
  get top(): number {
    return this.size === 0 ? -1 : this.items[0]!;
  }
  has(item: number): boolean {
    return item < this.places.length && this.places[item] !== 0;
  }

  /** Puts the item in, or moves it to its place if it is in already. */
  update(item: number): void {
    if (item >= this.places.length) this.grow(item);
    let at = this.places[item]! - 1;
    if (at < 0) at = this.size++;
    this.settle(item, at);
  }

  /** Takes the item out; does nothing when it is not in. */
  remove(item: number): void {
    if (!this.has(item)) return;
    const at = this.places[item]! - 1;
    this.places[item] = 0;
    const last = this.items[--this.size]!;
    if (last !== item) this.settle(last, at);
  }

  /** Every item, in no particular order. */
  forEach(visit: (item: number) => void): void {
    for (let i = 0; i < this.size; i++) visit(this.items[i]!);
  }

  private grow(item: number): void {
    const wider = new Int32Array(Math.max(item + 1, 2 * this.places.length, 16));
    wider.set(this.places);
    this.places = wider;
  }

  /** Moves `item` up or down from `start` to where it belongs. */
  private settle(item: number, start: number): void {
    const { items, places, before, size } = this;
    let at = start;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(item, items[parent]!)) break;
      items[at] = items[parent]!;
      places[items[at]!] = at + 1;
      at = parent;
    }
    if (at === start) {
      for (let child = 2 * at + 1; child < size; child = 2 * at + 1) {
        if (child + 1 < size && before(items[child + 1]!, items[child]!)) child++;
        if (!before(items[child]!, item)) break;
        items[at] = items[child]!;
        places[items[at]!] = at + 1;
        at = child;
      }
    }
    items[at] = item;
    places[item] = at + 1;
  }
}
