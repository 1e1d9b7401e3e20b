// SPDX-License-Identifier: Apache-2.0
// The text of `homa-nic perf`: title, table, limits beside the figures, where the files are. Renders, computes nothing.
import type { Explanation } from '../perf/backend.js';
import type { RunResult, TestResult } from '../perf/result.js';
import type { SizeSweepFit } from '../perf/run.js';
import { formatFigure, NO_FIGURE } from './numbers.js';
import { formatSummaryTable, type SummaryRow } from './summary-table.js';
import { formatTable } from './table.js';
import { wrap } from './wrap.js';
import type { TextShape } from './text-shape.js';

const UNIT_TEXT: Record<string, string> = {
  ns: 'ns',
  Gbps: 'Gbit/s',
  'messages/s': 'messages/s',
  slowdown: 'slowdown',
};

/** Limits of more rows than this are a table. */
const MOST_LIMIT_LINES = 6;

const LIMIT_KINDS = ['at least', 'at most'] as const;
type LimitKind = (typeof LIMIT_KINDS)[number];

/** Times have a floor, rates a ceiling. */
function limitKind(unit: string): LimitKind {
  return unit === 'ns' ? 'at least' : 'at most';
}

/** A row's name: the test and the size, where size means something. */
export function rowName(test: { name: string; sizeBytes: number }): string {
  if (test.sizeBytes === 0) return test.name;
  return `${test.name} ${test.sizeBytes} B`;
}

/** Title of a run: what was measured, and whether it is simulated. */
export function runTitle(result: RunResult): string {
  const facts = [
    ...(result.profile === null ? [] : [`PCIe profile ${result.profile}`]),
    ...(result.seed === null ? [] : [`seed ${result.seed}`]),
  ];
  const what = [`${result.simulated ? 'SIMULATED NIC' : 'NIC'} '${result.nic}'`, ...facts].join(', ');
  return result.partial ? `${what} (interrupted: partial results)` : what;
}

/** What the table of a run shows in a row: the figures as parsed back from the trace, with their distribution. */
export interface PerfRow extends SummaryRow {
  test: TestResult;
}

/** The report of `perf --parse`. */
export function formatPerfReport(
  result: RunResult,
  rows: readonly PerfRow[],
  extra: { fits: readonly { test: string; fit: SizeSweepFit }[]; folder: string; choice: string },
  shape: TextShape,
): string {
  const parts = [`${runTitle(result)}\n${extra.choice}\n`];
  for (const unit of new Set(rows.map((row) => row.test.unit))) {
    const ofUnit = rows.filter((row) => row.test.unit === unit);
    parts.push(formatSummaryTable(ofUnit, { title: 'test', unit: UNIT_TEXT[unit] ?? unit }, shape));
  }
  parts.push(ratesText(rows, shape), decilesText(rows, shape));
  parts.push(limitsText(rows, shape));
  for (const { test, fit } of extra.fits) {
    parts.push(
      `${test}: bytes over median time rise with ${formatFigure(fit.slopeGbps, 2)} Gbit/s (r2 ${formatFigure(fit.r2, 4)})\n`,
    );
  }
  parts.push(
    `spans: ${[...new Map(rows.map(({ test }) => [test.name, test.span]))].map(([n, s]) => `${n} = ${s}`).join('; ')}`,
  );
  parts[parts.length - 1] = `${wrap(parts.at(-1)!, shape.widthColumns, '  ')}\n`;
  parts.push(`files: ${extra.folder}/\n`);
  return parts.filter((part) => part !== '').join('\n');
}

/** Payload rates, and messages a second, beside what the wire allows. */
function ratesText(rows: readonly PerfRow[], shape: TextShape): string {
  const rated = rows.filter((row) => row.test.rateGbps !== undefined);
  if (rated.length === 0) return '';
  const cells = rated.map(({ name, test }) => {
    const wire = test.ceilings?.find((c) => c.unit === 'Gbps');
    const messages = test.details?.['messagesPerSecond'];
    return [
      name,
      formatFigure(test.rateGbps, 3),
      formatFigure(wire?.value, 3),
      typeof messages === 'number' ? formatFigure(messages / 1e6, 3) : '-',
    ];
  });
  const right = (title: string) => ({ title, align: 'right' }) as const;
  return formatTable(
    ['payload rate', right('Gbit/s'), right('wire limit'), right('million messages/s')],
    cells,
    shape,
  );
}

interface DecileShown {
  fromBytes: number;
  toBytes: number;
  count: number;
  p50: number | null;
  p99: number | null;
  p999: number | null;
}

/** Slowdown by tenth of the message sizes. */
function decilesText(rows: readonly PerfRow[], shape: TextShape): string {
  const texts = rows.flatMap(({ test }) => {
    const details = test.details as
      { deciles?: DecileShown[]; workload?: string; load?: number; hosts?: number } | undefined;
    if (!details?.deciles) return [];
    const right = (title: string) => ({ title, align: 'right' }) as const;
    const table = formatTable(
      [right('from B'), right('to B'), right('RPCs'), right('p50'), right('p99'), right('p99.9')],
      details.deciles.map((d) => [
        String(d.fromBytes),
        String(d.toBytes),
        String(d.count),
        ...[d.p50, d.p99, d.p999].map((value) => formatFigure(value, 2)),
      ]),
      shape,
    );
    const title = `slowdown by tenth of the sizes of ${details.workload ?? '-'}, ${details.hosts ?? '-'} hosts at load ${details.load ?? '-'}`;
    return [`${title}\n${table}`];
  });
  return texts.join('\n');
}

/**
 * What bus and wire allow, with numbered sources below: a line a test, or a table where one test has so many sizes that
 * lines would hide the figures.
 */
function limitsText(rows: readonly PerfRow[], shape: TextShape): string {
  const notes = new Footnotes();
  const limited = rows.filter(({ test }) => (test.ceilings?.length ?? 0) > 0);
  if (limited.length === 0) return '';
  const text =
    limited.length > MOST_LIMIT_LINES
      ? limitsTable(limited, notes, shape)
      : limited.map((row) => `${limitsLine(row, notes, shape)}\n`).join('');
  return `${text}${notes.text(shape)}`;
}

/** The limits of a row of one kind, each with the mark of its source. */
function limitTexts({ test }: PerfRow, notes: Footnotes, kind?: LimitKind): string[] {
  return test
    .ceilings!.filter(({ unit }) => kind === undefined || limitKind(unit) === kind)
    .map(({ what, value, unit, source }) => {
      const figure = `${formatFigure(value, value < 10 ? 3 : undefined)} ${UNIT_TEXT[unit] ?? unit} ${notes.mark(`${what}: ${source}`)}`;
      return kind === undefined ? `${limitKind(unit)} ${figure}` : figure;
    });
}

function limitsLine(row: PerfRow, notes: Footnotes, shape: TextShape): string {
  return wrap(`limits of ${row.name}: ${limitTexts(row, notes).join(', ')}`, shape.widthColumns, '  ');
}

function limitsTable(rows: readonly PerfRow[], notes: Footnotes, shape: TextShape): string {
  const cells = rows.map((row) => [
    row.name,
    ...LIMIT_KINDS.map((kind) => limitTexts(row, notes, kind).join(', ') || NO_FIGURE),
  ]);
  const titles = LIMIT_KINDS.map((title) => ({ title, align: 'right' }) as const);
  return `${formatTable(['limits', ...titles], cells, shape)}\n`;
}

/** Numbered notes below a table: the same text has the same number. */
class Footnotes {
  private readonly texts: string[] = [];

  /** The mark of a note. */
  mark(text: string): string {
    let index = this.texts.indexOf(text);
    if (index < 0) index = this.texts.push(text) - 1;
    return `[${index + 1}]`;
  }

  /** The notes, a paragraph each. */
  text(shape: TextShape): string {
    return this.texts
      .map((text, i) => `${wrap(`[${i + 1}] ${text}`, shape.widthColumns, '    ')}\n`)
      .join('');
  }
}

/** The table of `--explain`: rows that sum to the deterministic base, the jitter apart. */
export function formatExplanation(explanation: Explanation, shape: TextShape): string {
  const notes = new Footnotes();
  const rows = explanation.rows.map(({ part, timePs, cycles, source }) => [
    part,
    formatFigure(timePs / 1000, 3),
    cycles === undefined ? '' : String(cycles),
    notes.mark(source),
  ]);
  const { distribution, parameters, source } = explanation.jitter;
  const settings = Object.entries(parameters).map(([name, value]) => `${name} ${value}`);
  const table = formatTable(
    [
      `${explanation.test}: where the time goes`,
      { title: 'ns', align: 'right' },
      { title: 'cycles', align: 'right' },
      'source',
    ],
    [
      ...rows,
      ['base (sum of the rows above, exact)', formatFigure(explanation.basePs / 1000, 3), '', ''],
      [
        'jitter, on top of the base',
        'drawn',
        '',
        notes.mark(`${source}: ${distribution}: ${settings.join(', ')}`),
      ],
    ],
    shape,
  );
  return `${table}\n${notes.text(shape)}`;
}

/** What `perf` without --parse says: where the traces are, and what to type next. */
export function formatRecorded(
  result: RunResult,
  choice: string,
  traces: readonly string[],
  folder: string,
): string {
  const lines = [runTitle(result), choice, ''];
  for (const trace of traces) lines.push(`  ${folder}/${trace}`);
  lines.push(`  ${folder}/result.json`, '', 'next, for the figures:', '');
  const first = traces[0];
  // Without a trace the figures are in the run alone; `perf --parse` by itself would be another one.
  lines.push(first === undefined ? '  the same command with --parse' : `  homa-nic parse ${folder}/${first}`);
  return `${lines.join('\n')}\n`;
}

/** The text of `perf --list`. */
export function formatTestList(
  tests: readonly { name: string; text: string; sized: boolean }[],
  profiles: readonly { name: string; text: string }[],
  shape: TextShape,
): string {
  const width = Math.max(...[...tests, ...profiles].map(({ name }) => name.length)) + 2;
  const entry = (name: string, text: string): string =>
    `  ${name.padEnd(width)}${wrap(text, shape.widthColumns, ' '.repeat(width + 2), width + 2)}\n`;
  const testLines = tests.map(({ name, text, sized }) =>
    entry(name, `${text} (${sized ? '--size' : '64 bytes'})`),
  );
  const profileLines = profiles.map(({ name, text }) => entry(name, text));
  return `tests (--test)\n${testLines.join('')}\nPCIe profiles (--pcie-profile)\n${profileLines.join('')}`;
}
