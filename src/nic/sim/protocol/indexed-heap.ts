// SPDX-License-Identifier: Apache-2.0
/** Position + 1 of each item in its heap, 0 when it is in none. */
export class HeapPlaces {
  of: Int32Array<ArrayBuffer>;

  constructor(capacity: number) {
    this.of = new Int32Array(capacity);
  }

  resize(capacity: number): void {
    this.of = resized(this.of, capacity);
  }
}

/** The array with another length: longer with zeros, or cut. */
export function resized<T extends Int32Array | Uint8Array | Float64Array>(from: T, length: number): T {
  const to = new (from.constructor as new (length: number) => T)(length);
  to.set(length < from.length ? from.subarray(0, length) : from);
  return to;
}

/**
 * A binary heap of small integers (message or peer numbers) that can also be taken out or moved from the middle.
 *
 * `before(a, b)` is the strict order; after a change that affects an item's place call `update`. Every item knows its
 * position (an array as long as the highest item), so all operations are logarithmic and allocate nothing.
 */
export class IndexedHeap {
  private readonly items: number[] = [];
  private size = 0;

  /** `places` is given where items are in one of several heaps, never in two. */
  constructor(
    capacity: number,
    private readonly before: (a: number, b: number) => boolean,
    private readonly places = new HeapPlaces(capacity),
  ) {}

  get count(): number {
    return this.size;
  }
  /** The item that comes first, -1 when empty. */
  get top(): number {
    return this.size === 0 ? -1 : this.items[0]!;
  }
  has(item: number): boolean {
    const { of } = this.places;
    return item < of.length && of[item] !== 0;
  }

  /** Makes room for items below `capacity`, or gives back the room above, where no item may be. */
  resize(capacity: number): void {
    this.places.resize(capacity);
    this.items.length = this.size;
  }

  /** Puts the item in, or moves it to its place if it is in already. */
  update(item: number): void {
    const { places } = this;
    if (item >= places.of.length) places.resize(Math.max(item + 1, 2 * places.of.length, 16));
    let at = places.of[item]! - 1;
    if (at < 0) at = this.size++;
    this.settle(item, at);
  }

  /** Takes the item out; does nothing when it is not in. */
  remove(item: number): void {
    if (!this.has(item)) return;
    const { of } = this.places;
    const at = of[item]! - 1;
    of[item] = 0;
    const last = this.items[--this.size]!;
    if (last !== item) this.settle(last, at);
  }

  /** Every item, in no particular order. */
  forEach(visit: (item: number) => void): void {
    for (let i = 0; i < this.size; i++) visit(this.items[i]!);
  }

  /** Moves `item` up or down from `start` to where it belongs. */
  private settle(item: number, start: number): void {
    const { items, before, size } = this;
    const places = this.places.of;
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
