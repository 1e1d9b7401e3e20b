// SPDX-License-Identifier: Apache-2.0

/** Exact counts per value: `counts[i]` samples had the value `values[i]`; values ascend, none is repeated. */
export interface CountedValues {
  values: ArrayLike<number>;
  counts: ArrayLike<number>;
}

/** Below this an integer has its own array cell, so that the common case costs one increment. */
const DENSE_LIMIT = 1 << 16;

/**
 * Counts integers exactly. Memory follows the number of distinct values and the largest small one, never the
 * number of samples: the small values sit in an array that grows as they do, the rest (and negatives) in a map.
 */
export class IntegerCounter {
  count = 0;
  private dense = new Uint32Array(64);
  private readonly sparse = new Map<number, number>();

  /** Counts one integer (any safe integer, negative too). */
  add(value: number): void {
    this.count++;
    // As an int32 the cell is found without a conversion from double, which is most of the cost of counting.
    const cell = value | 0;
    if (cell === value && cell >= 0 && cell < this.dense.length) this.dense[cell]!++;
    else this.addSlow(value);
  }

  private addSlow(value: number): void {
    if (value < 0 || value >= DENSE_LIMIT) {
      this.sparse.set(value, (this.sparse.get(value) ?? 0) + 1);
      return;
    }
    let length = this.dense.length;
    while (length <= value) length *= 2;
    const grown = new Uint32Array(length);
    grown.set(this.dense);
    grown[value]!++;
    this.dense = grown;
  }

  /** The counts so far, values ascending. */
  toCounted(): CountedValues {
    const far = [...this.sparse.keys()].sort((a, b) => a - b);
    const values: number[] = [];
    const counts: number[] = [];
    const put = (value: number, count: number): void => {
      values.push(value);
      counts.push(count);
    };
    for (const value of far) if (value < 0) put(value, this.sparse.get(value)!);
    for (let value = 0; value < this.dense.length; value++) {
      if (this.dense[value]! > 0) put(value, this.dense[value]!);
    }
    for (const value of far) if (value >= 0) put(value, this.sparse.get(value)!);
    return { values: Float64Array.from(values), counts: Float64Array.from(counts) };
  }
}

/** Exact counts per value of samples in any order. */
export function countValues(samples: ArrayLike<number>): CountedValues {
  const sorted = Float64Array.from(samples).sort();
  const values: number[] = [];
  const counts: number[] = [];
  for (const value of sorted) {
    if (values.length > 0 && values[values.length - 1] === value) counts[counts.length - 1]!++;
    else {
      values.push(value);
      counts.push(1);
    }
  }
  return { values: Float64Array.from(values), counts: Float64Array.from(counts) };
}

/**
 * Sorts counted values into `columns` bins of equal width from the smallest value to `upTo` (by default the
 * largest). What lies above `upTo` is added to the last bin, so that no sample is lost and a long tail does not
 * flatten the rest. Returns the samples per bin.
 */
export function binCounts({ values, counts }: CountedValues, columns: number, upTo?: number): number[] {
  const bins = new Array<number>(columns).fill(0);
  if (values.length === 0) return bins;
  const low = values[0]!;
  const width = ((upTo ?? values[values.length - 1]!) - low) / columns;
  for (let i = 0; i < values.length; i++) {
    const column = width > 0 ? Math.floor((values[i]! - low) / width) : 0;
    bins[Math.min(columns - 1, column)]! += counts[i]!;
  }
  return bins;
}
