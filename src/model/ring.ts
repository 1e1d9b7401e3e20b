// SPDX-License-Identifier: Apache-2.0

/** A first-in first-out queue of numbers that grows as needed. */
export class Ring {
  private items = new Float64Array(16);
  private first = 0;
  size = 0;

  push(item: number): void {
    if (this.size === this.items.length) {
      const larger = new Float64Array(this.items.length * 2);
      for (let i = 0; i < this.size; i++) larger[i] = this.at(i);
      this.items = larger;
      this.first = 0;
    }
    this.items[(this.first + this.size) & (this.items.length - 1)] = item;
    this.size++;
  }

  /** Item `index` from the front, which must exist. */
  at(index: number): number {
    return this.items[(this.first + index) & (this.items.length - 1)]!;
  }

  /** Removes and returns the front item; -1 when empty. */
  shift(): number {
    if (this.size === 0) return -1;
    const item = this.items[this.first]!;
    this.first = (this.first + 1) & (this.items.length - 1);
    this.size--;
    return item;
  }
}
