// SPDX-License-Identifier: Apache-2.0
import type { Summary } from '../stats/summary.js';
import { formatFigure } from './numbers.js';
import { SPARKLINE_COLUMNS, sparkline } from './sparkline.js';
import { type Column, cutText, formatTable, textWidth } from './table.js';
import type { TextShape } from './text-shape.js';

/** One row of figures and, where there are any, the bins of its distribution (equal width, from min to `binsUpTo`). */
export interface SummaryRow {
  name: string;
  summary: Summary;
  /** Samples per bin; 40 of them. */
  bins?: readonly number[];
  /** The value at the right end of the bins when it is not the maximum: the last bin then holds the rest too. */
  binsUpTo?: number;
}

const FIGURES = ['min', 'p50', 'p90', 'p99', 'p999', 'max', 'mean', 'deviation'] as const;
const TITLES: Record<string, string> = { p999: 'p99.9', deviation: 'dev' };

/**
 * The table of figures: count, min, percentiles, max, mean, deviation. The sparklines stand in a last column where the
 * shape is wide enough, below the table where it is not; they are never lost.
 */
export function formatSummaryTable(
  rows: readonly SummaryRow[],
  options: { title: string; unit: string },
  shape: TextShape,
): string {
  const { columns, texts, width } = layOut(rows, options);
  if (
    width > shape.widthColumns &&
    options.unit === 'ns' &&
    rows.some(({ summary }) => summary.max >= LARGE_NS)
  ) {
    return formatSummaryTable(rows.map(inMicroseconds), { ...options, unit: 'us' }, shape);
  }
  const drawn = rows.some((row) => row.bins !== undefined);
  if (!drawn) return formatTable(columns, texts, shape);
  if (width + 2 + SPARKLINE_COLUMNS <= shape.widthColumns) {
    const wide = texts.map((row, i) => [...row, sparkline(rows[i]!.bins ?? [], shape.unicode)]);
    return formatTable([...columns, { title: 'distribution, min to max' }], wide, shape);
  }
  return `${formatTable(columns, texts, shape)}\n${formatSparklines(rows, shape)}`;
}

/** From here on a figure may lose its nanoseconds when room is short. */
const LARGE_NS = 100_000;

/** Four digits are enough where room is short: 111.8 us, 12825 us. */
function microseconds(valueNs: number): number {
  const value = valueNs / 1000;
  return value >= 1000 ? Math.round(value) : value;
}

/** Figures too wide for the shape in nanoseconds are shown in microseconds. */
function inMicroseconds(row: SummaryRow): SummaryRow {
  const summary = { ...row.summary };
  for (const figure of FIGURES) {
    const value = summary[figure];
    if (value !== null) summary[figure] = microseconds(value);
  }
  return { ...row, summary, ...(row.binsUpTo === undefined ? {} : { binsUpTo: microseconds(row.binsUpTo) }) };
}

/** Titles, texts and the width they need. */
function layOut(
  rows: readonly SummaryRow[],
  options: { title: string; unit: string },
): { columns: Column[]; texts: string[][]; width: number } {
  const columns: Column[] = [
    { title: `${options.title} (${options.unit})` },
    { title: 'count', align: 'right' },
    ...FIGURES.map((name): Column => ({ title: TITLES[name] ?? name, align: 'right' })),
  ];
  const texts = rows.map(({ name, summary }) => [
    name,
    String(summary.count),
    ...FIGURES.map((figure) => formatFigure(summary[figure])),
  ]);
  const width = columns.reduce(
    (total, column, i) =>
      total +
      (i === 0 ? 0 : 2) +
      Math.max(textWidth(column.title), ...texts.map((row) => textWidth(row[i]!))),
    0,
  );
  return { columns, texts, width };
}

/** The sparklines below a narrow table: name, left end, bars, right end. */
function formatSparklines(rows: readonly SummaryRow[], shape: TextShape): string {
  const ends = rows.map(({ summary, binsUpTo }) => [
    formatFigure(summary.min),
    binsUpTo === undefined ? formatFigure(summary.max) : `${formatFigure(binsUpTo)}+`,
  ]);
  const left = Math.max(...ends.map(([low]) => textWidth(low!)));
  const right = Math.max(...ends.map(([, high]) => textWidth(high!)));
  const room = shape.widthColumns - SPARKLINE_COLUMNS - left - right - 6;
  const name = Math.max(8, Math.min(room, Math.max(...rows.map((row) => textWidth(row.name)))));
  const bars = Math.max(10, Math.min(SPARKLINE_COLUMNS, shape.widthColumns - name - left - right - 6));
  return rows
    .map((row, i) => {
      const line = sparkline(narrowed(row.bins ?? [], bars), shape.unicode).padEnd(bars);
      const [low, high] = ends[i]!;
      const title = cutText(row.name, name, shape.unicode).padEnd(name);
      return `${title}  ${low!.padStart(left)}  ${line}  ${high!.padStart(right)}\n`;
    })
    .join('');
}

/** Bins put together until there are at most `columns` of them. */
function narrowed(bins: readonly number[], columns: number): number[] {
  if (bins.length <= columns) return [...bins];
  const joined = new Array<number>(columns).fill(0);
  bins.forEach((count, i) => (joined[Math.floor((i * columns) / bins.length)]! += count));
  return joined;
}
