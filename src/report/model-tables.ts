// SPDX-License-Identifier: Apache-2.0
import type { Comparison, EntriesNeeded } from '../model/compare.js';
import type { Interval } from '../model/confidence.js';
import type { ModelResult } from '../model/run.js';
import { strategyEntry, type ModelSettings } from '../model/settings.js';
import { formatCount, formatFigure, NO_FIGURE } from './numbers.js';
import { formatTable, textWidth } from './table.js';
import type { TextShape } from './text-shape.js';

const CYCLE_NS = 5.12;

/** `1.234 ± 0.012`, or `-` where there is no interval. Large figures have fewer decimals, very large ones an exponent. */
export function formatInterval(interval: Interval | undefined, shape: TextShape, digits = 3): string {
  if (interval === undefined) return NO_FIGURE;
  const decimals = interval.mean >= 1000 ? 0 : interval.mean >= 100 ? 1 : digits;
  const text = (value: number): string =>
    interval.mean >= 1e5 ? value.toExponential(2).replace('e+', 'e') : value.toFixed(decimals);
  return `${text(interval.mean)} ${shape.unicode ? '±' : '+-'} ${text(interval.half)}`;
}

/** Entries as people read them. */
export function formatEntries(entries: number | null): string {
  return entries === null ? 'unbounded' : String(entries);
}

const hasLevels = (strategy: string): boolean => strategy === 'strict' || strategy === 'sp-pifo';

/** What operations cost and what messages wait for. */
function conditions(s: ModelSettings): [string, string][] {
  const { uses } = strategyEntry(s.strategy);
  const refill = uses.includes('refill') ? `, refill ${s.refillCycles}` : '';
  const waits = [
    ...(s.windowUnits > 0
      ? [
          `a grant each ${formatCount(s.windowUnits * s.unitBytes)} bytes, ${formatCount(s.grantDelayCycles)} cycles`,
        ]
      : []),
    ...(s.dataDelayCycles > 0 ? [`data, ${formatCount(s.dataDelayCycles)} cycles`] : []),
  ];
  return [
    ['operations', `insert ${s.insertCycles}, pop ${s.popCycles}${refill} cycles`],
    ...(waits.length > 0 ? [['waiting', waits.join('; ')] as [string, string]] : []),
  ];
}

/** How much of the time each of the first sorted slots was in use, head first. */
function slotsInUse({ settings, slotOccupancy }: ModelResult): [string, string][] {
  if (!strategyEntry(settings.strategy).uses.includes('entries') || slotOccupancy.length === 0) return [];
  const shown = slotOccupancy.slice(0, 8).map((share) => `${formatFigure(100 * share, 1)} %`);
  return [['slots in use', [...shown, ...(slotOccupancy.length > 8 ? ['...'] : [])].join(' ')]];
}

/** That figures are simulated, and how they are counted. */
export function simulatedAs(settings: ModelSettings): string {
  return `simulated${settings.originalAccounting ? ", the original simulator's accounting" : ''}`;
}

/** One run: what it was, its figures, and slowdown by size. */
export function formatModelResult(result: ModelResult, shape: TextShape): string {
  const { settings: s } = result;
  const percent = (share: number): string => `${(100 * share).toFixed(3)} %`;
  const facts: [string, string][] = [
    ['strategy', s.strategy],
    hasLevels(s.strategy) ? ['levels', String(s.levels)] : ['entries', formatEntries(s.entries)],
    [
      'workload',
      s.workload === 'arrivals' ? 'from a file' : `${s.workload} at load ${s.load}, seed ${s.seed}`,
    ],
    ...conditions(s),
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
    ...slotsInUse(result),
    ['high / low water', `${formatCount(result.highWater)} / ${formatCount(result.lowWater)}`],
    ['entries moved', formatCount(result.moves)],
    ['largest queue', formatCount(result.maxSize)],
  ];
  const head = `Queue model (${simulatedAs(s)})\n\n`;
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
  const table = formatTable(
    [right('bytes up to'), right('messages'), right('mean'), right('p50'), right('p99'), right('p99.9')],
    rows,
    shape,
  );
  return `${head}${body}\n\nSlowdown by size, a tenth of the messages each\n\n${table}`;
}

const right = (title: string): { title: string; align: 'right' } => ({ title, align: 'right' });

/**
 * Strategies over several seeds, each figure with its 95 % interval, beside exact SRPT on the same messages: a table for
 * each workload and load, in two parts where one would be too wide.
 */
export function formatComparisons(comparisons: readonly Comparison[], shape: TextShape): string {
  const groups = new Map<string, Comparison[]>();
  for (const c of comparisons) {
    const title = `${c.workload} at load ${c.load}, ${c.seeds} seeds`;
    groups.set(title, [...(groups.get(title) ?? []), c]);
  }
  return [...groups].map(([title, group]) => `${title}\n\n${formatGroup(group, shape)}`).join('\n');
}

function formatGroup(group: readonly Comparison[], shape: TextShape): string {
  const percent = (share: Interval | undefined): string =>
    share === undefined
      ? NO_FIGURE
      : `${formatInterval({ ...share, mean: 100 * share.mean, half: 100 * share.half }, shape)} %`;
  const names = (c: Comparison): string[] => [
    c.strategy,
    hasLevels(c.strategy) ? `${c.levels} levels` : formatEntries(c.entries),
  ];
  const figures = (c: Comparison): string[] => [
    formatInterval(c.meanSlowdown, shape),
    formatInterval(c.p99Slowdown, shape),
    percent(c.inversionShare),
  ];
  const ratios = (c: Comparison): string[] => [
    formatInterval(c.meanRatio, shape, 4),
    formatInterval(c.p99Ratio, shape, 4),
  ];
  const heads = ['strategy', right('entries')];
  const figureHeads = ['mean slowdown', 'p99 slowdown', 'inversions'].map(right);
  const ratioHeads = ['mean / exact', 'p99 / exact'].map(right);
  const whole = formatTable(
    [...heads, ...figureHeads, ...ratioHeads],
    group.map((c) => [...names(c), ...figures(c), ...ratios(c)]),
    { ...shape, widthColumns: Infinity },
  );
  if (whole.split('\n').every((line) => textWidth(line) <= shape.widthColumns)) return whole;
  const table = (columns: typeof figureHeads, cells: (c: Comparison) => string[]): string =>
    formatTable(
      [...heads, ...columns],
      group.map((c) => [...names(c), ...cells(c)]),
      shape,
    );
  return `${table(figureHeads, figures)}\n${table(ratioHeads, ratios)}`;
}

/** How many entries each strategy needs: a line for each workload, load and strategy, a column for each question. */
export function formatEntriesNeeded(needed: readonly EntriesNeeded[], shape: TextShape): string {
  const question = (n: EntriesNeeded): string =>
    `${n.of === 'all' ? 'all' : 'each tenth'}, ${((n.limit - 1) * 100).toFixed(0)} %`;
  const questions = [...new Set(needed.map(question))];
  const lines = new Map<string, Map<string, string>>();
  for (const n of needed) {
    const line = JSON.stringify([n.workload, String(n.load), n.strategy]);
    const cells = lines.get(line) ?? new Map<string, string>();
    lines.set(line, cells.set(question(n), n.entries === null ? 'more' : String(n.entries)));
  }
  return formatTable(
    ['workload', right('load'), 'strategy', ...questions.map(right)],
    [...lines].map(([line, cells]) => [
      ...(JSON.parse(line) as string[]),
      ...questions.map((name) => cells.get(name) ?? NO_FIGURE),
    ]),
    shape,
  );
}
