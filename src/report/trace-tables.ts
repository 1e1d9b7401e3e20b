// SPDX-License-Identifier: Apache-2.0
// What a trace says, as tables, CSV, plain JSON and plots. `parse` and `perf --parse` show the same text through these.
import type { EventReport, PairReport, TraceReport } from '../parse/trace-report.js';
import { binCounts } from '../stats/counted-values.js';
import type { Summary } from '../stats/summary.js';
import { formatCsv } from './csv.js';
import { formatCount, formatFigure } from './numbers.js';
import { printable } from './printable.js';
import type { DistributionSeries } from './plot-distribution.js';
import type { PlotSource } from './plot-source.js';
import { SPARKLINE_COLUMNS } from './sparkline.js';
import { formatSummaryTable, type SummaryRow } from './summary-table.js';
import { formatTable } from './table.js';
import type { TextShape } from './text-shape.js';

type Figures = Pick<EventReport, 'name' | 'summary' | 'histogram'>;

/** Right end of the bins: the maximum, or p99 where a long tail would otherwise press all else into one column. */
function binsEnd({ min, p99, max }: Summary): number {
  return p99 !== null && max - min > 2 * (p99 - min) && p99 > min ? p99 : max;
}

function rowOf({ name, summary, histogram }: Figures): SummaryRow {
  const end = binsEnd(summary);
  const bins = binCounts(histogram, SPARKLINE_COLUMNS, end);
  return { name, summary, bins, ...(end < summary.max ? { binsUpTo: end } : {}) };
}

/** `write` for `write request -> write response`: the whole of it would crowd out the figures. */
function shortPairName({ request, response }: PairReport): string {
  const [asks, answers] = [request.replace(/ request$/, ''), response.replace(/ response$/, '')];
  return asks === answers ? asks : `${asks} -> ${answers}`;
}

function partnerNotes({ name, unanswered, unasked }: PairReport): string[] {
  const notes: string[] = [];
  if (unanswered > 0) notes.push(`${name}: ${formatCount(unanswered)} without a response\n`);
  if (unasked > 0) notes.push(`${name}: ${formatCount(unasked)} responses without a request\n`);
  return notes;
}

/** First line over the tables: which trace, whether simulated, with which profile and seed. */
export function traceTitle({ title, simulated, profile, seed }: PlotSource): string {
  const facts = [
    ...(simulated === undefined ? [] : [simulated ? 'simulated' : 'real card']),
    ...(profile ? [`profile ${profile}`] : []),
    ...(seed === null || seed === undefined ? [] : [`seed ${seed}`]),
  ];
  return facts.length === 0 ? title : `${title} (${facts.join(', ')})`;
}

/** Names in a form that a terminal may have. */
function printableReport(report: TraceReport): TraceReport {
  const named = <T extends { name: string }>(one: T): T => ({ ...one, name: printable(one.name) });
  const from = report.from === null ? null : printable(report.from);
  const pairs = report.pairs.map((pair) => ({
    ...named(pair),
    request: printable(pair.request),
    response: printable(pair.response),
  }));
  return { ...report, from, pairs, events: report.events.map(named) };
}

/** The tables: request-to-response latency first where the trace has such pairs, then a row for each event. */
export function formatTraceReport(asRead: TraceReport, source: PlotSource, shape: TextShape): string {
  const report = printableReport(asRead);
  const parts = [`${printable(traceTitle(source))}\n`];
  const { pairs, events, from, quantity } = report;
  if (pairs.length > 0) {
    const rows = pairs.map((pair) => ({ ...rowOf(pair), name: shortPairName(pair) }));
    const table = formatSummaryTable(rows, { title: 'latency', unit: 'ns' }, shape);
    parts.push(`From request to response:\n${table}${pairs.flatMap(partnerNotes).join('')}`);
  }
  if (from !== null) parts.push(sequenceTable(report, shape));
  const [heading, title] =
    quantity === 'since'
      ? [`Time since '${from}':`, 'time']
      : ['Interval since the event before:', 'interval'];
  parts.push(`${heading}\n${formatSummaryTable(events.map(rowOf), { title, unit: 'ns' }, shape)}`);
  return parts.join('\n');
}

/** With `from`: the course of a sequence, in order of time. */
function sequenceTable({ events, from, quantity }: TraceReport, shape: TextShape): string {
  const rows = events.map(({ name, summary, otherP50 }) => {
    const medians = [summary.p50, otherP50 ?? null];
    if (quantity === 'interval') medians.reverse();
    return [name, ...medians.map((value) => formatFigure(value)), String(summary.count)];
  });
  const right = (title: string): { title: string; align: 'right' } => ({ title, align: 'right' });
  return formatTable(
    [`after '${from}' (ns)`, right('since p50'), right('interval p50'), right('count')],
    rows,
    shape,
  );
}

const FIGURES = ['count', 'min', 'p50', 'p90', 'p99', 'p999', 'max', 'mean', 'deviation'] as const;

/** A line for each pair and each event; figures in nanoseconds, empty where n cannot support them. */
export function formatTraceCsv(report: TraceReport): string {
  const line = (kind: string, { name, summary }: Figures, other: number | null | undefined): (string | number | null)[] => [
    kind,
    name,
    ...FIGURES.map((figure) => summary[figure]),
    ...(report.from === null ? [] : [other ?? null]),
  ]; // prettier-ignore
  const other = report.quantity === 'since' ? 'interval_p50_ns' : 'since_p50_ns';
  const titles = [
    'quantity',
    'event',
    ...FIGURES.map((figure) => (figure === 'count' ? figure : `${figure}_ns`)),
    ...(report.from === null ? [] : [other]),
  ];
  return formatCsv(titles, [
    ...report.pairs.map((pair) => line('latency', pair, null)),
    ...report.events.map((event) => line(report.quantity, event, event.otherP50)),
  ]);
}

/** The report as plain JSON: figures and the 40 bins of each distribution. */
export function traceReportJson(report: TraceReport): Record<string, unknown> {
  const figures = (one: Figures): Record<string, unknown> => {
    const { bins } = rowOf(one);
    const binsNs = { from: one.summary.min, to: binsEnd(one.summary), counts: bins };
    return { name: one.name, unit: 'ns', summary: one.summary, binsNs };
  };
  return {
    quantity: report.quantity,
    from: report.from,
    pairs: report.pairs.map((pair) => ({
      ...figures(pair),
      unanswered: pair.unanswered,
      unasked: pair.unasked,
    })),
    events: report.events.map((event) => ({
      ...figures(event),
      ...(event.otherP50 === undefined ? {} : { otherP50Ns: event.otherP50 }),
    })),
    lines: report.lines,
    records: report.records,
    badLines: report.badLines,
    backwards: report.backwards,
  };
}

/** The curves of a plot: pairs where there are any, else events with more than one sample. */
export function traceSeries({ pairs, events }: TraceReport): DistributionSeries[] {
  const several = events.filter(({ summary }) => summary.count > 1);
  const shown: readonly Figures[] = [...pairs, ...(several.length > 0 ? several : events)];
  return shown.map(({ name, histogram, summary }) => ({ name, counted: histogram, summary }));
}
