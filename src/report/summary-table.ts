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
  const drawn = rows.some((row) => row.bins !== undefined);
  if (!drawn) return formatTable(columns, texts, shape);
  const width = columns.reduce(
    (total, column, i) =>
      total + 2 + Math.max(textWidth(column.title), ...texts.map((row) => textWidth(row[i]!))),
    0,
  );
  if (width + SPARKLINE_COLUMNS <= shape.widthColumns) {
    const wide = texts.map((row, i) => [...row, sparkline(rows[i]!.bins ?? [], shape.unicode)]);
    return formatTable([...columns, { title: 'distribution, min to max' }], wide, shape);
  }
  return `${formatTable(columns, texts, shape)}\n${formatSparklines(rows, shape)}`;
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
