// SPDX-License-Identifier: Apache-2.0
import type { MaskRule } from './number-mask.js';

/**
 * How lines are read. `normal`: strict, any [tag], times in whole nanoseconds. `ttsum` and `ttsum-homa`: what the two
 * tools of that name accept (docs/parse.md#ttsum), times in microseconds as they read them.
 */
export type DialectName = 'normal' | 'ttsum' | 'ttsum-homa';

/** Tail of a line taken apart: the name runs from `nameAt`; a string says why the line is of no use. */
export type TailSplit = { tag: string; nameAt: number } | { reason: string };

export interface Dialect {
  name: DialectName;
  /** Times and deltas of a batch are in this unit. */
  unit: 'ns' | 'us';
  /** May times and deltas be negative? */
  negative: boolean;
  mask: MaskRule;
  /** Are lines that do not fit reported? The two old tools pass over them in silence. */
  reportsBadLines: boolean;
  /** Takes the tail apart, given as one character per byte. */
  split(tail: string): TailSplit;
  /** For a line that is not plainly laid out: its times and tail as the tool's own pattern finds them. */
  pattern?: RegExp;
}

const NUMBER_PAIR = String.raw`(?:^|.* )([0-9.]+) us \(\+ *([0-9.]+) us\) `;

const normal: Dialect = {
  name: 'normal',
  unit: 'ns',
  negative: true,
  mask: 'whole-words',
  reportsBadLines: true,
  split(tail) {
    const close = tail.indexOf(']');
    if (!tail.startsWith('[') || close < 2) return { reason: 'no [tag] after the times' };
    let nameAt = close + 1;
    while (tail[nameAt] === ' ') nameAt++;
    if (nameAt >= tail.length) return { reason: 'no event after the tag' };
    return { tag: tail.slice(1, close), nameAt };
  },
};

const ttsum: Dialect = {
  name: 'ttsum',
  unit: 'us',
  negative: false,
  mask: 'anywhere',
  reportsBadLines: false,
  split: (tail) => (tail === '' ? { reason: 'no event' } : { tag: '', nameAt: 0 }),
  pattern: new RegExp(`^${NUMBER_PAIR}(.+)`, 's'),
};

const ttsumHoma: Dialect = {
  name: 'ttsum-homa',
  unit: 'us',
  negative: false,
  mask: 'whole-words',
  reportsBadLines: false,
  split(tail) {
    const tag = /^\[C([0-9]+)\] ./s.exec(tail);
    return tag ? { tag: String(Number(tag[1])), nameAt: tag[0].length - 1 } : { reason: 'no [C<core>] tag' };
  },
  pattern: new RegExp(`^${NUMBER_PAIR}(\\[C[0-9]+\\] .+)`, 's'),
};

export const DIALECTS: Readonly<Record<DialectName, Dialect>> = { normal, ttsum, 'ttsum-homa': ttsumHoma };
