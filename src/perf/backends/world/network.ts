// SPDX-License-Identifier: Apache-2.0
// Tests between hosts: a scenario is run, its RPCs become samples.
import { ContentError } from '../../../errors/errors.js';
import { percentileNearestRank } from '../../../stats/percentile.js';
import type { LengthDistribution } from '../../../workload/length-distribution.js';
import { pcieProfile } from '../../../world/pcie/profile.js';
import type { RpcRow, ScenarioReport } from '../../../world/scenario/report.js';
import { runScenario } from '../../../world/scenario/runner.js';
import type { Scenario } from '../../../world/scenario/scenario.js';
import type { CardMaker } from '../../../world/scenario/setup.js';
import type { RunSettings, TestRequest, TestRun, TraceEvent } from '../../backend.js';
import type { TestDefinition } from '../../tests.js';
import { messageCosts } from './network-limits.js';
import { pairScenario, unloadedScenario, workloadScenario, type WorkloadName } from './network-scenario.js';

/** What the network tests need besides their settings. */
export interface NetworkInputs {
  makeCard: CardMaker;
  /** runs a thread's share with the same cards; undefined: one thread */
  shardModule?: URL;
  /** loads the lengths of w1 to w5 */
  loadLengths(workload: string): Promise<LengthDistribution>;
  signal: AbortSignal;
  onProgress: (done: number, total: number) => void;
}

/** One row of the workload test: RPCs of one tenth of the sizes. */
export interface DecileRow {
  decile: number;
  fromBytes: number;
  toBytes: number;
  count: number;
  p50: number | null;
  p99: number | null;
  p999: number | null;
}

/** Runs a network test. */
export async function runNetworkTest(
  test: TestRequest,
  definition: TestDefinition,
  settings: RunSettings,
  inputs: NetworkInputs,
): Promise<TestRun> {
  if (test.name === 'workload') return runWorkload(definition, settings, inputs);
  const report = await run(pairScenario(test, settings), inputs);
  const rows = measured(report, settings.warmup);
  const spanNs = spanOf(rows);
  const out = common(definition, report, rows, (row) => wholeNs(row.endNs) - wholeNs(row.startNs));
  out.trace = test.name === 'rpc' ? traceOf(rows, definition) : [];
  if (test.name !== 'rpc' && rows.length > 1) {
    out.rateGbps = (rows.length * test.sizeBytes * 8) / spanNs;
    out.details = { ...out.details, messagesPerSecond: (rows.length * 1e9) / spanNs };
    // Only the cost that binds stands beside the row: the others are here for whoever asks how far they are.
    if (test.name === 'rate') {
      out.details['messageCosts'] = messageCosts(test, pcieProfile(settings.pcieProfile));
    }
  }
  return out;
}

async function runWorkload(
  definition: TestDefinition,
  settings: RunSettings,
  inputs: NetworkInputs,
): Promise<TestRun> {
  const name = settings.workload as WorkloadName;
  const load = settings.load!;
  const lengths = await inputs.loadLengths(name);
  const distinct = Array.from(lengths.lengthsBytes);
  const silent = { ...inputs, onProgress: (): void => undefined };
  const alone = await run(unloadedScenario(distinct, settings), silent, { [name]: lengths });
  const bestNs = new Map(alone.rpcs.list.map((row) => [row.requestBytes, row.endNs - row.startNs]));
  const report = await run(workloadScenario(lengths, load, settings), inputs, { [name]: lengths });
  const rows = measured(report, settings.warmup);
  const slowdown = (row: RpcRow): number => (row.endNs - row.intendedNs) / bestNs.get(row.requestBytes)!;
  const out = common(definition, report, rows, slowdown);
  out.unit = 'slowdown';
  const bytes = rows.reduce((sum, row) => sum + row.requestBytes + row.responseBytes, 0);
  out.details = {
    ...out.details,
    workload: name,
    load,
    hosts: Object.keys(report.hosts).length,
    payloadGbpsPerHost: (bytes * 8) / spanOf(rows) / Object.keys(report.hosts).length,
    deciles: decileRows(rows, slowdown, lengths),
  };
  return out;
}

/** Rows by tenth of the sizes of the distribution; a tenth whose boundaries are equal is left out. */
export function decileRows(
  rows: readonly RpcRow[],
  value: (row: RpcRow) => number,
  lengths: LengthDistribution,
): DecileRow[] {
  const ends = [...lengths.decileBoundariesBytes(), lengths.lengthsBytes.at(-1)!];
  const out: DecileRow[] = [];
  let below = 0;
  ends.forEach((toBytes, i) => {
    if (toBytes === below) return;
    const values = Float64Array.from(
      rows.filter((row) => row.requestBytes > below && row.requestBytes <= toBytes),
      value,
    ).sort();
    const at = (p: number): number | null => percentileNearestRank(values, p) ?? null;
    const row = {
      fromBytes: below + 1,
      toBytes,
      count: values.length,
      p50: at(0.5),
      p99: at(0.99),
      p999: at(0.999),
    };
    out.push({ decile: i + 1, ...row });
    below = toBytes;
  });
  return out;
}

async function run(scenario: Scenario, inputs: NetworkInputs, lengths = {}): Promise<ScenarioReport> {
  const { signal, onProgress } = inputs;
  const report = await runScenario({ ...inputs, scenario, lengths }, { signal, onProgress });
  if (report.violations > 0 || report.applicationFaults > 0) {
    throw new ContentError(
      `${scenario.name}: ${report.violations} DMA violations, ${report.applicationFaults} faults seen by applications`,
    );
  }
  return report;
}

/** RPCs in the order of their intended start, warm-up left out. */
function measured(report: ScenarioReport, warmup: number): RpcRow[] {
  return report.rpcs.list
    .filter((row) => row.outcome === 'ok')
    .sort((a, b) => a.intendedNs - b.intendedNs || a.index - b.index)
    .slice(warmup);
}

function spanOf(rows: readonly RpcRow[]): number {
  let from = Infinity;
  let to = -Infinity;
  for (const row of rows) {
    from = Math.min(from, row.startNs);
    to = Math.max(to, row.endNs);
  }
  return to - from;
}

function common(
  definition: TestDefinition,
  report: ScenarioReport,
  rows: readonly RpcRow[],
  value: (row: RpcRow) => number,
): TestRun {
  const warnings: string[] = [];
  const failed = report.rpcs.failed + report.rpcs.unfinished;
  if (failed > 0 && !report.partial)
    warnings.push(`${failed} RPCs did not end well: ${JSON.stringify(report.rpcs.byOutcome)}`);
  return {
    samples: Float64Array.from(rows, value),
    unit: 'ns',
    clock: 'simulated, 1 ns',
    span: definition.span,
    trace: [],
    details: {
      packets: report.packets.total,
      packetsByType: report.packets.byType,
      grants: report.grants,
      retransmissions: report.retransmissions,
      drops: report.drops,
    },
    warnings,
    partial: report.partial,
  };
}

function* traceOf(rows: readonly RpcRow[], definition: TestDefinition): Generator<TraceEvent> {
  const epochNs = rows.length > 0 ? wholeNs(rows[0]!.startNs) : 0;
  for (const row of rows) {
    yield { timeNs: wholeNs(row.startNs) - epochNs, name: definition.startEvent };
    yield { timeNs: wholeNs(row.endNs) - epochNs, name: definition.endEvent };
  }
}

function wholeNs(timeNs: number): number {
  return Math.floor(timeNs);
}
