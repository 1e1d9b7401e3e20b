// SPDX-License-Identifier: Apache-2.0
import { Chalk } from 'chalk';
import Table from 'cli-table3';
import type { TextShape } from './text-shape.js';

/** A column that is not plain left-aligned text. */
export interface Column {
  title: string;
  /** Numbers stand right. */
  align?: 'left' | 'right';
}

/** cli-table3 without lines: blanks between the columns, the rule under the titles is a row of our own. */
function bareLines(): Record<string, string> {
  const edges = ['top', 'bottom', 'left', 'right', 'mid'].flatMap((edge) => [edge, `${edge}-mid`]);
  const corners = ['top-left', 'top-right', 'bottom-left', 'bottom-right', 'left-mid', 'right-mid'];
  return { ...Object.fromEntries([...edges, ...corners].map((name) => [name, ''])), middle: '  ' };
}

/** Width of a text on the terminal; our texts hold no wide characters, so it is the number of characters. */
export function textWidth(text: string): number {
  return [...text].length;
}

/** Cuts a text to a width, with a mark where something is missing. */
export function cutText(text: string, width: number, unicode: boolean): string {
  if (textWidth(text) <= width) return text;
  const mark = unicode ? '…' : '~';
  return [...text].slice(0, Math.max(0, width - 1)).join('') + mark;
}

/**
 * Lays rows out in columns, two blanks between them and a rule under the titles. Never wider than the shape allows:
 * the widest text column gives way, and what is cut is marked. Ends with a newline.
 */
export function formatTable(
  columns: readonly (string | Column)[],
  rows: readonly (readonly string[])[],
  shape: TextShape,
): string {
  const heads = columns.map((column) => (typeof column === 'string' ? { title: column } : column));
  const widths = heads.map((head, i) =>
    Math.max(textWidth(head.title), ...rows.map((row) => textWidth(row[i] ?? ''))),
  );
  const gaps = 2 * (heads.length - 1);
  for (
    let over = sum(widths) + gaps - shape.widthColumns;
    over > 0;
    over = sum(widths) + gaps - shape.widthColumns
  ) {
    const givers = widths.map((width, i) => (heads[i]!.align === 'right' ? 0 : width));
    const widest = givers.indexOf(Math.max(...givers));
    if (givers[widest]! <= 8) break;
    widths[widest]! -= Math.min(over, givers[widest]! - 8);
  }
  const table = new Table({
    chars: bareLines(),
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    colWidths: widths,
    colAligns: heads.map((head) => head.align ?? 'left'),
  });
  const fit = (row: readonly string[]): string[] =>
    widths.map((width, i) => cutText(row[i] ?? '', width, shape.unicode));
  const titles = fit(heads.map((head) => head.title));
  const lines = [titles, widths.map((width) => (shape.unicode ? '─' : '-').repeat(width)), ...rows.map(fit)];
  for (const line of lines) table.push(line);
  const text = table
    .toString()
    .split('\n')
    .filter((line) => line !== '');
  const shown = text.map((line) => line.trimEnd());
  if (shape.colour) shown[0] = new Chalk({ level: 1 }).bold(shown[0]);
  return `${shown.join('\n')}\n`;
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
