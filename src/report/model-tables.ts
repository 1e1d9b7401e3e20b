// SPDX-License-Identifier: Apache-2.0
import type { Comparison, EntriesNeeded } from '../model/compare.js';
import type { Interval } from '../model/confidence.js';
import type { ModelResult } from '../model/run.js';
import { formatCount, formatFigure, NO_FIGURE } from './numbers.js';
import { formatTable } from './table.js';
import type { TextShape } from './text-shape.js';

const CYCLE_NS = 5.12;

/** `1.234 ± 0.012`, or `-` where there is no interval. */
export function formatInterval(interval: Interval | undefined, shape: TextShape, digits = 3): string {
  if (interval === undefined) return NO_FIGURE;
  const sign = shape.unicode ? '±' : '+-';
  return `${interval.mean.toFixed(digits)} ${sign} ${interval.half.toFixed(digits)}`;
}

/** Entries as people read them. */
export function formatEntries(entries: number | null): string {
  return entries === null ? 'unbounded' : String(entries);
}

/** One run: what it was, its figures, and slowdown by size. */
export function formatModelResult(result: ModelResult, shape: TextShape): string {
  const { settings: s } = result;
  const percent = (share: number): string => `${(100 * share).toFixed(3)} %`;
  const facts: [string, string][] = [
    ['strategy', s.strategy],
    ['entries', formatEntries(s.entries)],
    [
      'workload',
      s.workload === 'arrivals' ? 'from a file' : `${s.workload} at load ${s.load}, seed ${s.seed}`,
    ],
    ['completions', `${formatCount(result.completions)} (after ${formatCount(s.warmup)} of warm-up)`],
    ['packets', formatCount(result.packets)],
    ['cycles', `${formatCount(result.cycles)} of 64 bytes (${CYCLE_NS} ns at 100 Gbit/s)`],
    ['link in use', percent(result.utilization)],
    [
      'mean completion',
      `${result.meanCompletionCycles.toFixed(2)} cycles (${((result.meanCompletionCycles * CYCLE_NS) / 1000).toFixed(2)} us)`,
    ],
    ['inversions', `${formatCount(result.inversions)} (${percent(result.inversionShare)} of packets)`],
    [
      'violation ratio',
      `mean ${formatFigure(result.violationRatio, 3)}, worst ${formatFigure(result.worstViolation, 1)}`,
    ],
    ['underflow', `${formatCount(result.underflowCycles)} cycles idle while work waited`],
    ['high / low water', `${formatCount(result.highWater)} / ${formatCount(result.lowWater)}`],
    ['entries moved', formatCount(result.moves)],
    ['largest queue', formatCount(result.maxSize)],
  ];
  const accounting = s.originalAccounting ? ", the original simulator's accounting" : '';
  const head = `Queue model (simulated${accounting})\n\n`;
  const body = facts.map(([name, value]) => `${name.padEnd(18)}${value}`).join('\n');
  const rows = result.deciles
    .filter((decile) => decile.count > 0)
    .map((decile) => [
      formatCount(decile.upToBytes),
      formatCount(decile.count),
      formatFigure(decile.mean, 3),
      formatFigure(decile.p50, 3),
      formatFigure(decile.p99, 3),
      formatFigure(decile.p999, 3),
    ]);
  const all = result.slowdown;
  rows.push([
    'all',
    formatCount(all.count),
    formatFigure(all.mean, 3),
    formatFigure(all.p50, 3),
    formatFigure(all.p99, 3),
    formatFigure(all.p999, 3),
  ]);
  const right = (title: string): { title: string; align: 'right' } => ({ title, align: 'right' });
  const table = formatTable(
    [right('bytes up to'), right('messages'), right('mean'), right('p50'), right('p99'), right('p99.9')],
    rows,
    shape,
  );
  return `${head}${body}\n\nSlowdown by size, a tenth of the messages each\n\n${table}`;
}

/** Strategies over several seeds, each with its 95 % interval, beside exact SRPT on the same messages. */
export function formatComparisons(comparisons: readonly Comparison[], shape: TextShape): string {
  const rows = comparisons.map((c) => [
    c.workload,
    String(c.load),
    c.strategy,
    c.strategy === 'strict' || c.strategy === 'sp-pifo' ? `${c.levels} levels` : formatEntries(c.entries),
    String(c.seeds),
    formatInterval(c.meanSlowdown, shape),
    formatInterval(c.p99Slowdown, shape),
    formatInterval(c.meanRatio, shape, 4),
    formatInterval(c.p99Ratio, shape, 4),
    c.inversionShare === undefined ? NO_FIGURE : `${(100 * c.inversionShare.mean).toFixed(3)} %`,
  ]);
  const right = (title: string): { title: string; align: 'right' } => ({ title, align: 'right' });
  return formatTable(
    [
      'workload',
      right('load'),
      'strategy',
      right('entries'),
      right('seeds'),
      right('mean slowdown'),
      right('p99 slowdown'),
      right('mean / exact'),
      right('p99 / exact'),
      right('inversions'),
    ],
    rows,
    shape,
  );
}

/** How many entries each strategy needs, one line a workload, load and limit. */
export function formatEntriesNeeded(needed: readonly EntriesNeeded[], shape: TextShape): string {
  const rows = needed.map((n) => [
    n.workload,
    String(n.load),
    n.strategy,
    n.of,
    `${((n.limit - 1) * 100).toFixed(0)} %`,
    n.entries === null ? 'more than tried' : String(n.entries),
    n.ratioUpTo === null ? NO_FIGURE : n.ratioUpTo.toFixed(4),
  ]);
  return formatTable(
    [
      'workload',
      { title: 'load', align: 'right' },
      'strategy',
      'p99 of',
      { title: 'within', align: 'right' },
      { title: 'entries', align: 'right' },
      { title: 'ratio up to', align: 'right' },
    ],
    rows,
    shape,
  );
}
