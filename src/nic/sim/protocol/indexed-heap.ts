// SPDX-License-Identifier: Apache-2.0
import { Records } from './records.js';

/**
 * A binary heap of small integers (message or peer numbers) that can also be taken out or moved from the middle.
 *
 * `before(a, b)` is the strict order; after a change that affects an item's place call `update`. Every item knows its
 * position (in a word of its record), so all operations are logarithmic and allocate nothing.
 */
export class IndexedHeap {
  private size = 0;
  /** The item that comes first, -1 when empty. */
  top = -1;
  /** All items, while there is more than one: mostly there is not, and the list is left alone. */
  private readonly items: number[] = [];

  /**
   * `records` are the items', of 2^`bits` words; word `word` of each is this heap's: the item's position + 1, 0 when it
   * is not in. Heaps may share the word if no item is in two of them.
   */
  constructor(
    private readonly before: (a: number, b: number) => boolean,
    private readonly records = new Records(0),
    private readonly bits = 0,
    private readonly word = 0,
  ) {}

  get count(): number {
    return this.size;
  }
  has(item: number): boolean {
    return this.records.has(item) && this.records.words[this.placeOf(item)] !== 0;
  }

  /** Gives back room that is not in use. */
  trim(): void {
    if (this.size < 2) this.items.length = 0;
    else this.items.length = this.size;
  }

  /** Puts the item in, or moves it to its place if it is in already. */
  update(item: number): void {
    this.records.reach(item);
    const { words } = this.records;
    const place = this.placeOf(item);
    if (this.size === 0) {
      this.size = 1;
      this.top = item;
      words[place] = 1;
      return;
    }
    let at = words[place]! - 1;
    if (at < 0) {
      if (this.size === 1) this.items[0] = this.top;
      at = this.size++;
    }
    if (this.size === 1) return;
    this.settle(item, at);
    this.top = this.items[0]!;
  }

  /** Takes the item out; does nothing when it is not in. */
  remove(item: number): void {
    if (!this.has(item)) return;
    const { words } = this.records;
    const place = this.placeOf(item);
    const at = words[place]! - 1;
    words[place] = 0;
    if (--this.size === 0) {
      this.top = -1;
      return;
    }
    const last = this.items[this.size]!;
    if (last !== item) this.settle(last, at);
    this.top = this.items[0]!;
  }

  /** Moves `item` up or down from `start` to where it belongs. */
  private settle(item: number, start: number): void {
    const { items, before, size } = this;
    const { words } = this.records;
    let at = start;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(item, items[parent]!)) break;
      items[at] = items[parent]!;
      words[this.placeOf(items[at]!)] = at + 1;
      at = parent;
    }
    if (at === start) {
      for (let child = 2 * at + 1; child < size; child = 2 * at + 1) {
        if (child + 1 < size && before(items[child + 1]!, items[child]!)) child++;
        if (!before(items[child]!, item)) break;
        items[at] = items[child]!;
        words[this.placeOf(items[at]!)] = at + 1;
        at = child;
      }
    }
    items[at] = item;
    words[this.placeOf(item)] = at + 1;
  }

  private placeOf(item: number): number {
    return (item << this.bits) + this.word;
  }
}
