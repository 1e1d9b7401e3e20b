// SPDX-License-Identifier: Apache-2.0
import type { LinearFit } from '../stats/regression.js';
import { formatFigure } from './numbers.js';
import { type PlotSource, titleOf } from './plot-source.js';
import { type PlotSpec, renderVegaLiteToSvg } from './vega.js';

/** One size of a sweep. */
export interface SweepPoint {
  sizeBytes: number;
  medianNs: number;
  p99Ns: number | null;
}

/** The line through the medians: nanoseconds per byte, and what its slope is in Gbit/s. */
export interface SweepFit extends LinearFit {
  rateGbps: number;
}

const FIT_POINTS = 80;

/** Points along the fitted line, evenly spread on a logarithmic axis. */
function fitLine(
  fit: SweepFit,
  low: number,
  high: number,
): { sizeBytes: number; timeNs: number; what: string }[] {
  const steps = Array.from({ length: FIT_POINTS + 1 }, (_, i) => low * (high / low) ** (i / FIT_POINTS));
  return steps
    .map((sizeBytes) => ({ sizeBytes, timeNs: fit.intercept + fit.slope * sizeBytes, what: 'fit' }))
    .filter(({ timeNs }) => timeNs > 0);
}

/** As many labels as stand side by side on the axis. */
const MOST_SIZE_LABELS = 9;

/** The measured sizes that get a tick and a label: the largest always, then those that leave room for it. */
function labelledSizes(sizes: readonly number[]): number[] {
  const falling = [...new Set(sizes)].sort((a, b) => b - a);
  const room = Math.log2(falling[0]! / falling.at(-1)!) / MOST_SIZE_LABELS;
  const labelled: number[] = [];
  for (const size of falling) {
    const last = labelled.at(-1);
    if (last === undefined || Math.log2(last / size) >= room) labelled.push(size);
  }
  return labelled.reverse();
}

/** What is drawn, with its colour; what is not there is not in the legend. */
function legendScale(
  dots: readonly { what: string }[],
  fitted: boolean,
): { domain: string[]; range: string[] } {
  const all: [string, string, boolean][] = [
    ['median', '#0072b2', true],
    ['p99', '#d55e00', dots.some((dot) => dot.what === 'p99')],
    ['fit', '#666666', fitted],
  ];
  const drawn = all.filter(([, , there]) => there);
  return { domain: drawn.map(([what]) => what), range: drawn.map(([, colour]) => colour) };
}

/** The specification of the plot of message size against time, with the fitted line if there is one. */
export function sizeSweepSpec(source: PlotSource, points: readonly SweepPoint[], fit?: SweepFit): PlotSpec {
  const sizes = points.map((point) => point.sizeBytes);
  const low = Math.min(...sizes);
  const high = Math.max(...sizes);
  const dots = points.flatMap(({ sizeBytes, medianNs, p99Ns }) => [
    { sizeBytes, timeNs: medianNs, what: 'median' },
    ...(p99Ns === null ? [] : [{ sizeBytes, timeNs: p99Ns, what: 'p99' }]),
  ]);
  const words = fit
    ? [
        `fit: ${formatFigure(fit.intercept)} ns + bytes at ${formatFigure(fit.rateGbps, 2)} Gbit/s (r2 ${formatFigure(fit.r2, 4)})`,
      ]
    : [];
  const x = {
    field: 'sizeBytes',
    type: 'quantitative',
    title: 'message size (bytes)',
    scale: { type: 'log', base: 2, domain: [low, high], nice: false },
    axis: { format: ',d', values: labelledSizes(sizes), labelOverlap: false, labelFlush: false },
  };
  const y = {
    field: 'timeNs',
    type: 'quantitative',
    title: 'time (ns)',
    scale: { type: 'log', nice: true },
    axis: { format: ',d', tickCount: 8 },
  };
  const color = {
    field: 'what',
    type: 'nominal',
    title: null,
    sort: null,
    scale: legendScale(dots, fit !== undefined),
    legend: { orient: 'top-left', offset: 8, fillColor: 'white', padding: 6 },
  };
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
    title: titleOf(source, words),
    width: 640,
    height: 380,
    layer: [
      {
        data: { values: fit && low < high ? fitLine(fit, low, high) : [] },
        mark: { type: 'line', strokeDash: [6, 4], strokeWidth: 1.5 },
        encoding: { x, y, color },
      },
      {
        data: { values: dots },
        mark: { type: 'point', filled: true, size: 55, opacity: 0.9 },
        encoding: { x, y, color, shape: { field: 'what', type: 'nominal', legend: null } },
      },
    ],
  } as unknown as PlotSpec;
}

/** Draws message size against time to SVG. */
export async function plotSizeSweep(
  source: PlotSource,
  points: readonly SweepPoint[],
  fit?: SweepFit,
): Promise<string> {
  return renderVegaLiteToSvg(sizeSweepSpec(source, points, fit));
}
