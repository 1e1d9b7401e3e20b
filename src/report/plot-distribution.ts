// SPDX-License-Identifier: Apache-2.0
import type { CountedValues } from '../stats/counted-values.js';
import type { Summary } from '../stats/summary.js';
import { formatCount, formatFigure } from './numbers.js';
import { type PlotSource, titleOf } from './plot-source.js';
import { PLOT_CONFIG, type PlotSpec, renderVegaLiteToSvg } from './vega.js';

/** One curve: an event, its exact counts per value, its figures. */
export interface DistributionSeries {
  name: string;
  counted: CountedValues;
  summary: Summary;
}

const WIDTH = 640;
/** More distinct values than this are drawn by every n-th of them: the eye sees no difference, the file does. */
const MAX_POINTS = 2000;
const BINS = 60;

interface Point {
  event: string;
  value: number;
  count: number;
}

/** The counts as points; thinned ones carry the counts of those left out, so that the curve still ends at 1. */
function pointsOf({ name, counted }: DistributionSeries): Point[] {
  const { values, counts } = counted;
  const stride = Math.ceil(values.length / MAX_POINTS);
  const points: Point[] = [];
  let pending = 0;
  for (let i = 0; i < values.length; i++) {
    pending += counts[i]!;
    const isLast = i === values.length - 1;
    if (i % stride !== 0 && !isLast) continue;
    points.push({ event: name, value: values[i]!, count: pending });
    pending = 0;
  }
  return points;
}

function marksOf({ name, summary }: DistributionSeries): Record<string, unknown>[] {
  const marks: [string, number | null, number][] = [
    ['p50', summary.p50, 0.5],
    ['p90', summary.p90, 0.9],
    ['p99', summary.p99, 0.99],
    ['p99.9', summary.p999, 0.999],
  ];
  return marks
    .filter(([, value]) => value !== null)
    .map(([mark, value, share]) => ({ event: name, value, share, text: `${mark} ${formatFigure(value)}` }));
}

/**
 * Where the drawing of an event ends. A few far samples would squeeze all others into a corner; then it ends a little
 * beyond the 99th percentile, and the title says what lies further.
 */
function drawnUpTo({ summary: { min, p50, p99, max } }: DistributionSeries): number {
  if (p50 === null || p99 === null || max - min <= 4 * (p99 - min)) return max;
  return Math.ceil(p99 + (p99 - p50));
}

function farSamples({ counted: { values, counts } }: DistributionSeries, limit: number): number {
  let far = 0;
  for (let i = values.length - 1; i >= 0 && values[i]! > limit; i--) far += counts[i]!;
  return far;
}

function ecdfPanel(series: readonly DistributionSeries[], unit: string): unknown {
  const colour = {
    field: 'event',
    type: 'nominal',
    sort: null,
    legend: series.length > 1 ? { title: null, orient: 'top' } : null,
  };
  const low = Math.min(...series.map(({ summary }) => summary.min));
  const high = Math.max(...series.map(drawnUpTo));
  const cut = series.some(({ summary }) => summary.max > high);
  const scale = cut ? { domain: [low, high], nice: false } : { zero: false, nice: true };
  const x = { field: 'value', type: 'quantitative', title: `time (${unit})`, scale };
  return {
    width: WIDTH,
    height: 260,
    layer: [
      {
        data: { values: series.flatMap(pointsOf) },
        transform: [
          {
            window: [{ op: 'sum', field: 'count', as: 'below' }],
            groupby: ['event'],
            sort: [{ field: 'value' }],
          },
          { joinaggregate: [{ op: 'sum', field: 'count', as: 'all' }], groupby: ['event'] },
          { calculate: 'datum.below / datum.all', as: 'share' },
        ],
        mark: { type: 'line', interpolate: 'step-after', strokeWidth: 2, clip: true },
        encoding: {
          x,
          y: {
            field: 'share',
            type: 'quantitative',
            title: 'share of samples at or below',
            scale: { domain: [0, 1] },
            axis: { format: '.0%' },
          },
          color: colour,
        },
      },
      {
        data: { values: series.flatMap(marksOf) },
        mark: { type: 'point', filled: true, size: 50, clip: true },
        encoding: { x, y: { field: 'share', type: 'quantitative' }, color: colour },
      },
      {
        data: {
          values:
            series.length === 1
              ? series.flatMap(marksOf).filter((mark) => Number(mark['value']) <= high)
              : [],
        },
        mark: { type: 'text', align: 'left', baseline: 'top', dx: 7, dy: 4, fontSize: 11 },
        encoding: { x, y: { field: 'share', type: 'quantitative' }, text: { field: 'text' } },
      },
    ],
  };
}

function histogramPanel(one: DistributionSeries, color: string, unit: string): unknown {
  const limit = drawnUpTo(one);
  const far = farSamples(one, limit);
  const { max } = one.summary;
  const notDrawn =
    far > 0
      ? [`${formatCount(far)} beyond ${formatFigure(limit)} ${unit} not drawn, max ${formatFigure(max)}`]
      : [];
  return {
    title: {
      text: `${one.name}: ${formatCount(one.summary.count)} sample${one.summary.count === 1 ? '' : 's'}, mean ${formatFigure(one.summary.mean)} ${unit}`,
      subtitle: notDrawn,
      fontSize: 12,
      fontWeight: 'normal',
      offset: 6,
    },
    width: WIDTH,
    height: 150,
    data: { values: pointsOf(one).filter(({ value }) => value <= limit) },
    transform: [
      { bin: { maxbins: BINS }, field: 'value', as: ['from', 'to'] },
      { aggregate: [{ op: 'sum', field: 'count', as: 'samples' }], groupby: ['from', 'to'] },
    ],
    mark: { type: 'rect', color, stroke: 'white', strokeWidth: 0.5 },
    encoding: {
      x: {
        field: 'from',
        type: 'quantitative',
        title: `time (${unit})`,
        scale: { zero: false, nice: true },
        axis: { tickCount: 8 },
      },
      x2: { field: 'to' },
      y: { field: 'samples', type: 'quantitative', title: 'samples' },
      y2: { datum: 0 },
    },
  };
}

/** The specification of the plot: the share of samples at or below each time, and a histogram per event below it. */
export function distributionSpec(
  source: PlotSource,
  series: readonly DistributionSeries[],
  unit = 'ns',
): PlotSpec {
  const colours = PLOT_CONFIG.range.category;
  const histograms = series.map((one, i) => histogramPanel(one, colours[i % colours.length]!, unit));
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
    title: titleOf(source),
    vconcat: [ecdfPanel(series, unit), ...histograms],
    spacing: 28,
  } as unknown as PlotSpec;
}

/** Draws the distribution of each event to SVG. */
export async function plotDistribution(
  source: PlotSource,
  series: readonly DistributionSeries[],
  unit = 'ns',
): Promise<string> {
  return renderVegaLiteToSvg(distributionSpec(source, series, unit));
}
