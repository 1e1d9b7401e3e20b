// SPDX-License-Identifier: Apache-2.0
import { STRATEGIES } from './catalogue.js';
import { meanInterval, pairedRatio, type Interval } from './confidence.js';
import type { ModelResult } from './run.js';

/** What comparison needs of a result. */
export type Comparable = Omit<ModelResult, 'backlog' | 'histogram'>;

/** One strategy at one setting over several seeds, beside exact SRPT on the same messages. */
export interface Comparison {
  readonly workload: string;
  readonly load: number;
  readonly strategy: string;
  readonly entries: number | null;
  readonly levels: number;
  readonly seeds: number;
  readonly meanSlowdown: Interval | undefined;
  readonly p99Slowdown: Interval | undefined;
  readonly inversionShare: Interval | undefined;
  /** p99 slowdown over that of exact SRPT, seed by seed; undefined without exact runs or with one seed only. */
  readonly p99Ratio: Interval | undefined;
  readonly meanRatio: Interval | undefined;
  /**
   * Of the ten classes' p99 ratios, the one whose interval reaches highest; undefined where a class that is not empty
   * has too few messages for a p99.
   */
  readonly worstDecileRatio: Interval | undefined;
}

const groupOf = (row: Comparable): string => {
  return JSON.stringify({ ...row.settings, seed: 0 });
};
/** What must be equal for two results to have the same messages. */
const messagesOf = ({ settings: s }: Comparable): string =>
  JSON.stringify([s.workload, s.lengthRule, s.load, s.messages, s.warmup, s.seed, s.unitBytes, s.packetUnits, s.originalAccounting, s.windowUnits, s.grantDelayCycles, s.dataDelayCycles]); // prettier-ignore

/** Groups results by everything but the seed and compares each group with exact SRPT on the same messages. */
export function compareResults(results: readonly Comparable[]): Comparison[] {
  const exact = new Map<string, Comparable>();
  for (const row of results) if (row.settings.strategy === 'exact') exact.set(messagesOf(row), row);
  return [...grouped(results).values()].map((rows) => compareGroup(rows, exact));
}

function grouped(results: readonly Comparable[]): Map<string, Comparable[]> {
  const groups = new Map<string, Comparable[]>();
  for (const row of results) {
    const key = groupOf(row);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return groups;
}

function compareGroup(rows: readonly Comparable[], exact: ReadonlyMap<string, Comparable>): Comparison {
  const { workload, load, strategy, entries, levels } = rows[0]!.settings;
  const known = (pick: (row: Comparable) => number | null): Interval | undefined => {
    const values = rows.map(pick);
    return values.some((value) => value === null) ? undefined : meanInterval(values as number[]);
  };
  const ratio = (pick: (row: Comparable) => number | null): Interval | undefined => {
    const bases = rows.map((row) => exact.get(messagesOf(row)));
    if (bases.some((base) => base === undefined)) return undefined;
    const above = rows.map(pick);
    const below = bases.map((base) => pick(base!));
    if ([...above, ...below].some((value) => value === null)) return undefined;
    return pairedRatio(above as number[], below as number[]);
  };
  const used = Array.from({ length: 10 }, (_, i) => i).filter((i) =>
    rows.some((row) => (row.deciles[i]?.count ?? 0) > 0),
  );
  const deciles = used.map((i) => ratio((row) => row.deciles[i]?.p99 ?? null));
  return {
    workload,
    load,
    strategy,
    entries,
    levels,
    seeds: rows.length,
    meanSlowdown: known((row) => row.slowdown.mean),
    p99Slowdown: known((row) => row.slowdown.p99),
    inversionShare: known((row) => row.inversionShare),
    p99Ratio: ratio((row) => row.slowdown.p99),
    meanRatio: ratio((row) => row.slowdown.mean),
    worstDecileRatio: highest(deciles),
  };
}

/** The interval that reaches highest; none when one is missing. */
function highest(intervals: readonly (Interval | undefined)[]): Interval | undefined {
  let worst: Interval | undefined;
  for (const interval of intervals) {
    if (interval === undefined) return undefined;
    if (worst === undefined || interval.mean + interval.half > worst.mean + worst.half) worst = interval;
  }
  return worst;
}

/** What a curve of a plot belongs to. */
export interface CurveName {
  readonly workload: string;
  readonly load: number;
  readonly strategy: string;
  readonly entries: number | null;
  readonly levels: number;
}

/** p99 slowdown of one tenth of the messages by size; half is 0 where there is one seed only. */
export interface SizeSlowdown extends CurveName {
  readonly upToBytes: number;
  readonly p99: Interval;
}

/** Share of the time in which a sorted slot is in use, 1 the first; half is 0 where there is one seed only. */
export interface SlotShare extends CurveName {
  readonly slot: number;
  readonly share: Interval;
}

/** p99 slowdown by size of each group of results; classes too small for a p99 are left out. */
export function slowdownBySize(results: readonly Comparable[]): SizeSlowdown[] {
  return [...grouped(results).values()].flatMap((rows) => {
    const name = curveName(rows);
    return rows[0]!.deciles.flatMap(({ upToBytes }, i) => {
      const values = rows.map((row) => row.deciles[i]?.p99).filter((value) => typeof value === 'number');
      if (values.length < rows.length) return [];
      return [{ ...name, upToBytes, p99: intervalOrPoint(values) }];
    });
  });
}

/** How often each sorted slot is in use, over the seeds of each group of results; slots never used are left out. */
export function slotShares(results: readonly Comparable[]): SlotShare[] {
  return [...grouped(results).values()].flatMap((rows) => {
    const slots = Math.max(...rows.map((row) => row.slotOccupancy.length));
    return Array.from({ length: slots }, (_, i) => ({
      ...curveName(rows),
      slot: i + 1,
      share: intervalOrPoint(rows.map((row) => row.slotOccupancy[i] ?? 0)),
    })).filter(({ share }) => share.mean > 0);
  });
}

function curveName(rows: readonly Comparable[]): CurveName {
  const { workload, load, strategy, entries, levels } = rows[0]!.settings;
  return { workload, load, strategy, entries, levels };
}

function intervalOrPoint(values: readonly number[]): Interval {
  return meanInterval(values) ?? { mean: values[0]!, half: 0, seeds: 1 };
}

/**
 * The results that may stand beside each other: where a workload and load have several curves, those of one seed, which
 * have no interval, are left out.
 */
export function comparable<T extends Comparable>(results: readonly T[]): T[] {
  const curves = new Map<string, Set<string>>(); // by workload and load
  const seeds = new Map<string, number>(); // by curve
  const panelOf = ({ settings: s }: Comparable): string => JSON.stringify([s.workload, s.load]);
  for (const row of results) {
    const panel = panelOf(row);
    curves.set(panel, (curves.get(panel) ?? new Set()).add(groupOf(row)));
    seeds.set(groupOf(row), (seeds.get(groupOf(row)) ?? 0) + 1);
  }
  return results.filter((row) => curves.get(panelOf(row))!.size === 1 || seeds.get(groupOf(row))! > 1);
}

/** Names of settings in which results differ although plots give them the same name: more than one sweep in one file. */
export function mixedSettings(results: readonly Comparable[]): string[] {
  const first = new Map<string, Record<string, unknown>>();
  const mixed = new Set<string>();
  for (const row of results) {
    const name = JSON.stringify(curveName([row]));
    const settings = { ...row.settings, seed: 0 } as Record<string, unknown>;
    const other = first.get(name) ?? settings;
    first.set(name, other);
    for (const key of Object.keys(settings)) if (settings[key] !== other[key]) mixed.add(key);
  }
  return [...mixed];
}

/** Results in an order that does not depend on which was finished first: as the catalogue has the strategies. */
export function inOrder<T extends Comparable>(results: readonly T[]): T[] {
  const place = new Map(STRATEGIES.map(({ name }, i) => [name, i]));
  return [...results].sort(
    ({ settings: a }, { settings: b }) =>
      a.workload.localeCompare(b.workload) ||
      a.load - b.load ||
      place.get(a.strategy)! - place.get(b.strategy)! ||
      (a.entries ?? Infinity) - (b.entries ?? Infinity) ||
      a.levels - b.levels ||
      a.seed - b.seed,
  );
}

/** Fewest entries that stay within a limit. */
export interface EntriesNeeded {
  readonly workload: string;
  readonly load: number;
  readonly strategy: string;
  readonly limit: number;
  /** Which messages: all together, or every tenth by size for itself. */
  readonly of: 'all' | 'every tenth';
  /** Fewest entries from which on every larger number tried also stays within; null when none does. */
  readonly entries: number | null;
  /** Upper end of the ratio's interval at that number of entries. */
  readonly ratioUpTo: number | null;
}

/**
 * For each workload, load and strategy: the fewest entries from which on the upper end of the 95 % interval of the
 * ratio of p99 slowdown to exact SRPT is at most `limit`, over all messages or in the worst tenth by size.
 */
export function entriesNeeded(
  comparisons: readonly Comparison[],
  limit: number,
  of: EntriesNeeded['of'] = 'all',
): EntriesNeeded[] {
  const pick = (c: Comparison): Interval | undefined => (of === 'all' ? c.p99Ratio : c.worstDecileRatio);
  const groups = new Map<string, Comparison[]>();
  for (const c of comparisons) {
    if (c.entries === null) continue;
    const key = JSON.stringify([c.workload, c.load, c.strategy]);
    groups.set(key, [...(groups.get(key) ?? []), c]);
  }
  return [...groups.values()].map((group) => {
    const { workload, load, strategy } = group[0]!;
    let entries: number | null = null;
    let ratioUpTo: number | null = null;
    for (const c of [...group].sort((a, b) => b.entries! - a.entries!)) {
      const interval = pick(c);
      if (interval === undefined || interval.mean + interval.half > limit) break;
      entries = c.entries;
      ratioUpTo = interval.mean + interval.half;
    }
    return { workload, load, strategy, limit, of, entries, ratioUpTo };
  });
}
