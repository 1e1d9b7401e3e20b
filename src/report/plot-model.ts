// SPDX-License-Identifier: Apache-2.0
// Plots of the queue model. They draw what they are given; the figures are made in src/model.
import type { Comparison, SizeSlowdown } from '../model/compare.js';
import type { ModelResult } from '../model/run.js';
import type { PlotSpec } from './vega.js';

const SCHEMA = 'https://vega.github.io/schema/vega-lite/v5.json';
const CYCLE_US = 0.00512;
const CAPTION = '95 % confidence intervals over seeds';

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
const BY_STRATEGY = {
  field: 'label',
  type: 'nominal',
  title: null,
  sort: null,
  legend: { symbolOpacity: 1 },
};

function lines(x: object, y: object): object {
  const band = {
    x,
    y: { ...y, field: 'low' },
    y2: { field: 'high' },
    color: BY_STRATEGY,
  };
  return {
    layer: [
      { mark: { type: 'area', opacity: 0.18 }, encoding: band },
      { mark: { type: 'line', strokeWidth: 1.6 }, encoding: { x, y, color: BY_STRATEGY } },
      { mark: { type: 'point', filled: true, size: 30 }, encoding: { x, y, color: BY_STRATEGY } },
    ],
  };
}

/** p99 slowdown of each tenth of the messages by size. */
export function slowdownPlot(sizes: readonly SizeSlowdown[]): ModelPlot {
  const values = sizes.map((size) => ({
    panel: panel(size),
    label: labelOf(size),
    x: size.upToBytes,
    y: size.p99.mean,
    low: Math.max(0.9, size.p99.mean - size.p99.half),
    high: size.p99.mean + size.p99.half,
  }));
  const y = { field: 'y', type: 'quantitative', title: 'p99 slowdown', scale: { type: 'log' }, axis: { tickCount: 6, gridOpacity: 0.4 } }; // prettier-ignore
  const seeds = sizes.some((size) => size.p99.half > 0) ? [CAPTION] : ['one seed: no intervals'];
  return {
    name: 'slowdown',
    spec: panels('Slowdown against message length', seeds, values, lines(LOG_BYTES, y)),
  };
}

/** Share of packets sent while a shorter rest waited, against entries. */
export function inversionPlot(comparisons: readonly Comparison[]): ModelPlot | undefined {
  const rows = comparisons.filter((c) => c.entries !== null && c.inversionShare !== undefined);
  if (new Set(rows.map((c) => c.entries)).size < 2) return undefined;
  const floor = 1e-6;
  const values = rows.map((c) => ({
    panel: panel(c),
    label: c.strategy,
    x: c.entries,
    y: Math.max(floor, c.inversionShare!.mean),
    low: Math.max(floor, c.inversionShare!.mean - c.inversionShare!.half),
    high: Math.max(floor, c.inversionShare!.mean + c.inversionShare!.half),
  }));
  const y = { field: 'y', type: 'quantitative', title: 'inverted packets (share)', scale: { type: 'log', domain: [floor, 1] }, axis: { format: '.0e', tickCount: 6, gridOpacity: 0.4 } }; // prettier-ignore
  return {
    name: 'inversions',
    spec: panels('Packet inversions against sorted entries', [CAPTION, 'no inversion at all is drawn at the lower edge'], values, lines(ENTRIES, y)),
  }; // prettier-ignore
}

/** How far the p99 slowdown lies above exact SRPT's on the same messages, against entries. */
export function ratioPlot(comparisons: readonly Comparison[]): ModelPlot | undefined {
  const rows = comparisons.filter((c) => c.entries !== null && c.p99Ratio !== undefined);
  if (new Set(rows.map((c) => c.entries)).size < 2) return undefined;
  const floor = 1e-4;
  const above = (ratio: number): number => Math.max(floor, ratio - 1);
  const values = rows.map((c) => ({
    panel: panel(c),
    label: c.strategy,
    x: c.entries,
    y: above(c.p99Ratio!.mean),
    low: above(c.p99Ratio!.mean - c.p99Ratio!.half),
    high: above(c.p99Ratio!.mean + c.p99Ratio!.half),
  }));
  const y = {
    field: 'y',
    type: 'quantitative',
    title: 'p99 slowdown above exact',
    scale: { type: 'log', domainMin: floor },
    axis: { tickCount: 6, format: '~%', gridOpacity: 0.4 },
  };
  const shape = lines(ENTRIES, y) as { layer: object[] };
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
export function occupancyPlot(
  results: readonly Pick<ModelResult, 'settings' | 'slotOccupancy'>[],
): ModelPlot | undefined {
  const seen = new Set<string>();
  const values: Row[] = [];
  for (const { settings, slotOccupancy } of results) {
    const label = labelOf(settings);
    if (seen.has(`${panel(settings)} ${label}`)) continue;
    seen.add(`${panel(settings)} ${label}`);
    slotOccupancy.slice(0, 64).forEach((y, i) => {
      if (y > 0) values.push({ panel: panel(settings), label, x: i + 1, y: Math.max(1e-7, y) });
    });
  }
  if (values.length === 0) return undefined;
  const x = { field: 'x', type: 'quantitative', title: 'slot, head first', axis: { format: 'd', tickMinStep: 1 }, scale: { zero: false } }; // prettier-ignore
  const y = { field: 'y', type: 'quantitative', title: 'share of the time in use', scale: { type: 'log' }, axis: { format: '.0e', tickCount: 6, gridOpacity: 0.4 } }; // prettier-ignore
  return {
    name: 'occupancy',
    spec: panels('Occupancy of the sorted slots', ['first seed'], values, {
      layer: [
        {
          mark: { type: 'line', interpolate: 'step', strokeWidth: 1.6 },
          encoding: { x, y, color: BY_STRATEGY },
        },
        { mark: { type: 'point', filled: true, size: 26 }, encoding: { x, y, color: BY_STRATEGY } },
      ],
    }),
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
      encoding: { x, y, color: BY_STRATEGY },
    }),
  };
}
