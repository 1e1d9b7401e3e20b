// SPDX-License-Identifier: Apache-2.0
import { UsageError } from '../errors/errors.js';

/** Smallest and largest message, in bytes. */
export const MIN_SIZE_BYTES = 1;
export const MAX_SIZE_BYTES = 1_000_000;
const MAX_SIZES = 10_000;

const FORMS = '64,1024 or 64..65536 (doubles) or 64..1024:64 (steps)';

function parseSize(text: string, min: number, max: number): number {
  const digits = text.trim().replaceAll('_', '');
  const value = /^[+-]?\d+$/.test(digits) ? Number(digits) : NaN;
  if (Number.isNaN(value)) throw new UsageError(`'${text}' is not a size in bytes; write ${FORMS}`);
  if (value < min || value > max)
    throw new UsageError(`size ${text} is out of range: ${min} to ${max} bytes`);
  return value;
}

function parseRange(text: string, min: number, max: number): number[] {
  const [ends, step, ...more] = text.split(':');
  const [low, high, ...rest] = ends!.split('..');
  if (more.length > 0 || rest.length > 0 || low === undefined || high === undefined) {
    throw new UsageError(`'${text}' is not a range of sizes; write ${FORMS}`);
  }
  const first = parseSize(low, min, max);
  const last = parseSize(high, min, max);
  if (last < first) throw new UsageError(`range ${text} runs backwards; write ${last}..${first}`);
  if (step === undefined && first === 0) throw new UsageError(`range ${text} cannot double from 0`);
  const by = step === undefined ? undefined : parseSize(step, 1, max);
  if (by !== undefined && (last - first) / by >= MAX_SIZES) {
    throw new UsageError(`range ${text} gives more than ${MAX_SIZES} sizes; take a larger step`);
  }
  const sizes: number[] = [];
  for (let size = first; size <= last; size = by === undefined ? size * 2 : size + by) sizes.push(size);
  return sizes;
}

/**
 * Reads a list of sizes: `64,1024`, `64..65536` (doubles, stops at or below the end), `64..1024:64` (steps), or a
 * mixture with commas. The order typed is kept, repeated sizes are given once. Throws a UsageError naming the value
 * and the range.
 */
export function parseSizeList(text: string, min = MIN_SIZE_BYTES, max = MAX_SIZE_BYTES): number[] {
  const sizes = new Set<number>();
  for (const item of text.split(',')) {
    for (const size of item.includes('..') ? parseRange(item, min, max) : [parseSize(item, min, max)])
      sizes.add(size);
    if (sizes.size > MAX_SIZES) throw new UsageError(`'${text}' gives more than ${MAX_SIZES} sizes`);
  }
  return [...sizes];
}
