// SPDX-License-Identifier: Apache-2.0
/**
 * Sorted, disjoint, half-open byte ranges: the gaps of a message being received, the parts of one to be sent again.
 * Few ranges are expected; positions are found by bisection and neighbours shifted.
 */

/** A list of ranges that is filled, read and cleared without giving its memory back. */
export class RangeList {
  count = 0;
  private readonly bounds: number[] = [];

  clear(): void {
    this.count = 0;
  }
  push(start: number, end: number): void {
    this.bounds[2 * this.count] = start;
    this.bounds[2 * this.count + 1] = end;
    this.count++;
  }
  start(index: number): number {
    return this.bounds[2 * index]!;
  }
  end(index: number): number {
    return this.bounds[2 * index + 1]!;
  }
}

export class IntervalSet {
  /** start, end, start, end ... in rising order; neighbours never touch. */
  private readonly bounds: number[] = [];

  get count(): number {
    return this.bounds.length >> 1;
  }
  start(index: number): number {
    return this.bounds[2 * index]!;
  }
  end(index: number): number {
    return this.bounds[2 * index + 1]!;
  }
  clear(): void {
    this.bounds.length = 0;
  }

  /** Index of the first range whose end is above `at` (or the count). */
  private firstEndAbove(at: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.bounds[2 * middle + 1]! > at) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Adds [start, end), joining ranges it overlaps or touches. An empty range changes nothing. */
  add(start: number, end: number): void {
    if (start >= end) return;
    const first = this.firstEndAbove(start - 1);
    let last = first;
    let from = start;
    let to = end;
    while (last < this.count && this.bounds[2 * last]! <= end) {
      from = Math.min(from, this.bounds[2 * last]!);
      to = Math.max(to, this.bounds[2 * last + 1]!);
      last++;
    }
    if (last === first + 1) {
      this.bounds[2 * first] = from;
      this.bounds[2 * first + 1] = to;
    } else this.bounds.splice(2 * first, 2 * (last - first), from, to);
  }

  /** Takes [start, end) out; what was in the set is appended to `removed`. Answers the number of bytes taken. */
  remove(start: number, end: number, removed: RangeList | null): number {
    if (start >= end) return 0;
    const { bounds } = this;
    const first = this.firstEndAbove(start);
    let last = first;
    let bytes = 0;
    while (last < this.count && bounds[2 * last]! < end) {
      const from = Math.max(start, bounds[2 * last]!);
      const to = Math.min(end, bounds[2 * last + 1]!);
      bytes += to - from;
      removed?.push(from, to);
      last++;
    }
    if (bytes === 0) return 0;
    const left = bounds[2 * first]!;
    const right = bounds[2 * last - 1]!;
    if (left < start && right > end) bounds.splice(2 * first, 2 * (last - first), left, start, end, right);
    else if (left < start) bounds.splice(2 * first, 2 * (last - first), left, start);
    else if (right > end) bounds.splice(2 * first, 2 * (last - first), end, right);
    else bounds.splice(2 * first, 2 * (last - first));
    return bytes;
  }
}
