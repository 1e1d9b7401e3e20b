// SPDX-License-Identifier: Apache-2.0
// Plots of the queue model. They draw what they are given; the figures are made in src/model.
import { STRATEGIES } from '../model/catalogue.js';
import type { Comparison, CurveName, SizeSlowdown, SlotShare } from '../model/compare.js';
import type { ModelResult } from '../model/run.js';
import { PLOT_CONFIG, type PlotSpec } from './vega.js';

const SCHEMA = 'https://vega.github.io/schema/vega-lite/v5.json';
const CYCLE_US = 0.00512;
const CAPTION = '95 % confidence intervals over seeds';
const COLOURS = PLOT_CONFIG.range.category;
const ONE_SEED = 'one seed: no intervals';

/** A plot with the name its file gets. */
export interface ModelPlot {
  readonly name: string;
  readonly spec: PlotSpec;
}

type Row = Record<string, string | number | null>;

const panel = (c: { workload: string; load: number }): string =>
  c.workload === 'arrivals' ? 'arrivals from a file' : `${c.workload}, load ${c.load}`;
const labelOf = (c: { strategy: string; entries: number | null; levels: number }): string => {
  if (c.strategy === 'strict' || c.strategy === 'sp-pifo') return `${c.strategy}, ${c.levels} levels`;
  return c.entries === null ? c.strategy : `${c.strategy}, ${c.entries}`;
};

/** Small panels, one a workload and load, each with lines, points and intervals. */
function panels(title: string, subtitle: string[], values: Row[], shape: object): PlotSpec {
  const names = [...new Set(values.map((row) => row['panel']))];
  const columns = names.length === 1 ? 1 : 2;
  const size = columns === 1 ? { width: 640, height: 380 } : { width: 360, height: 230 };
  return {
    $schema: SCHEMA,
    title: { text: `${title} (simulated)`, subtitle },
    data: { values },
    facet: { field: 'panel', type: 'nominal', title: null, sort: names, header: { labelFontSize: 13 } },
    columns,
    spec: { ...size, ...shape },
    resolve: { scale: { x: 'independent', y: 'independent' }, axis: { x: 'independent', y: 'independent' } },
  } as unknown as PlotSpec;
}

const LOG_BYTES = {
  field: 'x',
  type: 'quantitative',
  title: 'message length (bytes, upper end of each tenth)',
  scale: { type: 'log', nice: false, padding: 10 },
  axis: { format: '~s', labelOverlap: 'greedy', tickCount: 8, grid: false },
};
const ENTRIES = {
  field: 'x',
  type: 'quantitative',
  title: 'sorted entries',
  scale: { type: 'log', base: 2, nice: false, padding: 10 },
  axis: { format: 'd', labelOverlap: 'greedy' },
};
const LABELS = { field: 'label', type: 'nominal', title: null, sort: null, legend: { symbolOpacity: 1 } };

/** A strategy has the same colour in all plots, as long as it has one curve in each. */
function byStrategy(list: readonly { label: string; strategy: string }[]): object {
  const strategies = new Map(list.map(({ label, strategy }) => [label, strategy]));
  const used = [...strategies.values()];
  if (new Set(used).size < used.length) return LABELS;
  const range = used.map((name) => COLOURS[STRATEGIES.findIndex((known) => known.name === name)]);
  return { ...LABELS, scale: { domain: [...strategies.keys()], range } };
}
/** Where curves also differ in entries these make the dashes, so that colours need not be told apart by the dozen. */
const BY_ENTRIES = {
  field: 'entries',
  type: 'nominal',
  title: 'sorted entries',
  sort: null,
  scale: { range: [[1, 0], [7, 3], [2, 3], [9, 3, 2, 3]] },
  legend: { symbolStrokeColor: '#444444', symbolSize: 600 },
}; // prettier-ignore

/** How a curve is told from the others: colour and name, and dashes where some differ in nothing but entries. */
function curves<T extends CurveName>(
  list: readonly T[],
): { keys: (curve: T) => Row; marks: { color: object; strokeDash?: object } } {
  const entries = new Map<string, Set<number | null>>();
  for (const c of list) entries.set(c.strategy, (entries.get(c.strategy) ?? new Set()).add(c.entries));
  const dashed = [...entries.values()].some((set) => set.size > 1);
  const label = (c: T): string => labelOf(dashed ? { ...c, entries: null } : c);
  return {
    keys: (curve) => ({
      panel: panel(curve),
      label: label(curve),
      entries: curve.entries === null ? 'unbounded' : String(curve.entries),
    }),
    marks: {
      color: byStrategy(list.map((c) => ({ label: label(c), strategy: c.strategy }))),
      ...(dashed ? { strokeDash: BY_ENTRIES } : {}),
    },
  };
}

function lines(
  x: object,
  y: object,
  marks: { color: object; strokeDash?: object },
  interpolate = 'linear',
): object {
  const { color, strokeDash } = marks;
  const apart = strokeDash === undefined ? {} : { detail: { field: 'entries', type: 'nominal' } };
  const band = { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color, ...apart };
  return {
    layer: [
      { mark: { type: 'area', opacity: 0.18, interpolate }, encoding: band },
      { mark: { type: 'line', strokeWidth: 1.6, interpolate }, encoding: { x, y, ...marks } },
      { mark: { type: 'point', filled: true, size: 30 }, encoding: { x, y, color } },
    ],
  };
}

/** p99 slowdown of each tenth of the messages by size; nothing where no tenth has enough messages for it. */
export function slowdownPlot(sizes: readonly SizeSlowdown[]): ModelPlot | undefined {
  if (sizes.length === 0) return undefined;
  const { keys, marks } = curves(sizes);
  const values = sizes.map((size) => ({
    ...keys(size),
    x: size.upToBytes,
    ...around(size.p99, 1),
  }));
  const y = { field: 'y', type: 'quantitative', title: 'p99 slowdown', scale: { type: 'log' }, axis: { tickCount: 6, gridOpacity: 0.4 } }; // prettier-ignore
  const seeds = sizes.some((size) => size.p99.seeds > 1) ? CAPTION : ONE_SEED;
  return {
    name: 'slowdown',
    spec: panels('Slowdown against message length', [seeds], values, lines(LOG_BYTES, y, marks)),
  };
}

/** An interval as a row's figures, none below `floor`, the lower edge of a logarithmic axis. */
function around({ mean, half }: { mean: number; half: number }, floor: number): Row {
  const at = (value: number): number => Math.max(floor, value);
  return { y: at(mean), low: at(mean - half), high: at(mean + half) };
}

/** Share of packets sent while a shorter rest waited, against entries. */
export function inversionPlot(comparisons: readonly Comparison[]): ModelPlot | undefined {
  const rows = comparisons.filter((c) => c.entries !== null && c.inversionShare !== undefined);
  if (new Set(rows.map((c) => c.entries)).size < 2) return undefined;
  const floor = 1e-6;
  const values = rows.map((c) => ({
    panel: panel(c),
    label: c.strategy,
    strategy: c.strategy,
    x: c.entries,
    ...around(c.inversionShare!, floor),
  }));
  const y = { field: 'y', type: 'quantitative', title: 'inverted packets (share)', scale: { type: 'log', domain: [floor, 1] }, axis: { format: '.0e', tickCount: 6, gridOpacity: 0.4 } }; // prettier-ignore
  return {
    name: 'inversions',
    spec: panels('Packet inversions against sorted entries', [CAPTION, 'no inversion at all is drawn at the lower edge'], values, lines(ENTRIES, y, { color: byStrategy(values) })),
  }; // prettier-ignore
}

/** How far the p99 slowdown lies above exact SRPT's on the same messages, against entries. */
export function ratioPlot(comparisons: readonly Comparison[]): ModelPlot | undefined {
  const rows = comparisons.filter((c) => c.entries !== null && c.p99Ratio !== undefined);
  if (new Set(rows.map((c) => c.entries)).size < 2) return undefined;
  const floor = 1e-4;
  const values = rows.map((c) => ({
    panel: panel(c),
    label: c.strategy,
    strategy: c.strategy,
    x: c.entries,
    ...around({ mean: c.p99Ratio!.mean - 1, half: c.p99Ratio!.half }, floor),
  }));
  const y = {
    field: 'y',
    type: 'quantitative',
    title: 'p99 slowdown above exact',
    scale: { type: 'log', domainMin: floor },
    axis: { tickCount: 6, format: '~%', gridOpacity: 0.4 },
  };
  const shape = lines(ENTRIES, y, { color: byStrategy(values) }) as { layer: object[] };
  const limits = [0.01, 0.05].map((limit) => ({
    mark: { type: 'rule', strokeDash: [5, 4], color: '#888888' },
    encoding: { y: { datum: limit, type: 'quantitative' } },
  }));
  const subtitle = [
    `${CAPTION}; dashed: 1 % and 5 %`,
    'equal to exact, or below, is drawn at the lower edge',
  ];
  return {
    name: 'ratio',
    spec: panels('p99 slowdown above exact SRPT', subtitle, values, { layer: [...limits, ...shape.layer] }),
  };
}

/** How often each sorted slot is in use. */
export function occupancyPlot(shares: readonly SlotShare[]): ModelPlot | undefined {
  const shown = shares.filter(({ slot }) => slot <= 64);
  if (shown.length === 0) return undefined;
  const { keys, marks } = curves(shown);
  const values = shown.map((one) => ({ ...keys(one), x: one.slot, ...around(one.share, 1e-7) }));
  const x = { field: 'x', type: 'quantitative', title: 'slot, head first', axis: { format: 'd', tickMinStep: 1 }, scale: { zero: false, nice: false, padding: 10 } }; // prettier-ignore
  const y = { field: 'y', type: 'quantitative', title: 'share of the time in use', scale: { type: 'log' }, axis: { format: '.0e', tickCount: 6, gridOpacity: 0.4 } }; // prettier-ignore
  const seeds = shown.some(({ share }) => share.seeds > 1) ? CAPTION : ONE_SEED;
  return {
    name: 'occupancy',
    spec: panels('Occupancy of the sorted slots', [seeds], values, lines(x, y, marks, 'step')),
  };
}

/** The queue over time: how it fills, and how it drains once arrivals stop. */
export function drainPlot(results: readonly ModelResult[]): ModelPlot | undefined {
  const values = results.flatMap((result) =>
    result.backlog.flatMap(({ cycle, sorted, behind }) => [
      { panel: `${labelOf(result.settings)}, ${panel(result.settings)}`, label: 'in sorted slots', x: cycle * CYCLE_US, y: sorted },
      { panel: `${labelOf(result.settings)}, ${panel(result.settings)}`, label: 'behind them', x: cycle * CYCLE_US, y: behind },
    ]),
  ); // prettier-ignore
  if (values.length === 0) return undefined;
  const x = { field: 'x', type: 'quantitative', title: 'time (us at 100 Gbit/s)' };
  const y = { field: 'y', type: 'quantitative', title: 'messages waiting' };
  return {
    name: 'drain',
    spec: panels('The queue over time', ['sampled'], values, {
      mark: { type: 'area', interpolate: 'step-after', opacity: 0.85 },
      encoding: { x, y, color: LABELS },
    }),
  };
}
