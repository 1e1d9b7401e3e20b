// SPDX-License-Identifier: Apache-2.0
import type { ScenarioReport } from '../world/scenario/report.js';
import { printable } from './printable.js';
import { formatTable } from './table.js';
import type { TextShape } from './text-shape.js';

const SHOWN_RPCS = 10;

function ns(value: number | null): string {
  return value === null ? '-' : value.toFixed(0);
}

function counted(record: Readonly<Record<string, number>>): string {
  const parts = Object.entries(record).map(([name, value]) => `${name} ${value}`);
  return parts.length === 0 ? 'none' : parts.join(', ');
}

/** A scenario's report as people read it: RPCs, packets, drops, marks, expectations. */
export function formatScenarioReport(report: ScenarioReport, shape: TextShape): string {
  const { rpcs, packets } = report;
  const title = `${printable(report.scenario)}: simulated, ${report.profile}, seed ${report.seed}${report.partial ? ', ended early' : ''}`;
  const latency = rpcs.latency;
  const facts: [string, string][] = [
    ['RPCs', `${rpcs.started} started, ${rpcs.ok} ok, ${rpcs.failed} failed, ${rpcs.unfinished} unfinished`],
    ['outcomes', counted(rpcs.byOutcome)],
    [
      'latency',
      `min ${ns(latency.minNs)}, p50 ${ns(latency.p50Ns)}, p99 ${ns(latency.p99Ns)}, max ${ns(latency.maxNs)} ns`,
    ],
    ['packets', String(packets.total)],
    ...Object.entries(packets.byType).map(([name, count]): [string, string] => [`  ${name}`, String(count)]),
    ['faults', counted(report.faults)],
    ['drops', counted(report.drops)],
    ['grants', String(report.grants)],
    ['retransmissions', String(report.retransmissions)],
    [
      'high-water',
      `switch buffer ${report.highWater.switchBytes} B, pool ${report.highWater.poolChunks} chunks, ${report.highWater.rpcs} RPCs`,
    ],
    ['left behind', `${counted(report.left)}; cards ${report.idle ? 'idle' : 'NOT idle'}`],
    ['DMA violations', String(report.violations)],
    ['simulated time', `${(report.endNs / 1000).toFixed(3)} us`],
  ];
  let text = `${title}\n\n${formatTable(['', 'value'], facts, shape)}`;
  const shown = rpcs.list.length <= SHOWN_RPCS ? rpcs.list : rpcs.list.filter((row) => row.outcome !== 'ok');
  if (shown.length > 0) {
    const rows = shown
      .slice(0, SHOWN_RPCS)
      .map((row) => [
        row.client,
        String(row.index),
        row.server,
        String(row.requestBytes),
        String(row.responseBytes),
        ns(row.startNs),
        ns(row.endNs - row.startNs),
        row.outcome,
      ]);
    const right = (name: string): { title: string; align: 'right' } => ({ title: name, align: 'right' });
    text += `\n${formatTable(
      [
        'client',
        right('RPC'),
        'server',
        right('request B'),
        right('response B'),
        right('start ns'),
        right('took ns'),
        'outcome',
      ],
      rows,
      shape,
    )}`;
    if (shown.length > SHOWN_RPCS) text += `and ${shown.length - SHOWN_RPCS} more: --json lists them all\n`;
  }
  const faults = Object.entries(report.hosts).flatMap(([name, host]) =>
    host.faults.map((f) => `${name}: ${f}`),
  );
  for (const fault of faults.slice(0, SHOWN_RPCS)) text += `${fault}\n`;
  if (report.expectations.length > 0) {
    text += `\n${formatTable(
      ['expectation', 'wanted', 'found', ''],
      report.expectations.map((e) => [
        printable(e.path),
        printable(wanted(e)),
        String(e.actual),
        e.ok ? 'ok' : 'FAILED',
      ]),
      shape,
    )}`;
  }
  return text;
}

function wanted(e: { equals?: unknown; atLeast?: number; atMost?: number }): string {
  const parts: string[] = [];
  if (e.equals !== undefined) parts.push(String(e.equals));
  if (e.atLeast !== undefined) parts.push(`>= ${e.atLeast}`);
  if (e.atMost !== undefined) parts.push(`<= ${e.atMost}`);
  return parts.join(' and ');
}
