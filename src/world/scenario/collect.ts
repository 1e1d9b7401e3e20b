// SPDX-License-Identifier: Apache-2.0
// From what the threads of a run have seen to the report.
import type { CounterName } from '../../nic/regs.js';
import { nearestRank } from '../../stats/percentile.js';
import type { RunOutcome } from './outcome.js';
import {
  checkExpectations,
  type HostReport,
  type LatencyReport,
  type RpcRow,
  type ScenarioReport,
  type SwitchReport,
} from './report.js';
import type { PacketCounts } from './packet-counter.js';
import { RpcRecord } from './rpc-record.js';
import type { Scenario } from './scenario.js';

/** What of a run all its threads know. */
export interface RunFacts {
  scenario: Scenario;
  seed: number;
  profile: string;
  /** the names of its hosts, in their order */
  hostNames: readonly string[];
  originPs: number;
}

/** Puts the report together; the outcome of the thread with the fabric comes first. */
export function collectReport(facts: RunFacts, outcomes: readonly RunOutcome[]): ScenarioReport {
  const { scenario } = facts;
  const { partial, endPs, switches } = outcomes[0]!;
  const seen: Record<string, HostReport> = Object.assign({}, ...outcomes.map((outcome) => outcome.hosts));
  const hosts = Object.fromEntries(facts.hostNames.map((name) => [name, seen[name]!]));
  const all = Object.values(hosts);
  const total = (name: CounterName): number => all.reduce((sum, host) => sum + (host.counters[name] ?? 0), 0);
  const left = { rpcs: 0, calls: 0, dma: 0, clientSlots: 0 };
  for (const host of all) {
    for (const key of ['rpcs', 'calls', 'dma', 'clientSlots'] as const) left[key] += host.left[key];
  }
  const faults = { dropped: 0, duplicated: 0, delayed: 0, corrupted: 0 };
  for (const outcome of outcomes) {
    for (const key of ['dropped', 'duplicated', 'delayed', 'corrupted'] as const)
      faults[key] += outcome.faults[key];
  }
  const report: ScenarioReport = {
    schemaVersion: 1,
    kind: 'sim',
    scenario: scenario.name,
    simulated: true,
    profile: facts.profile,
    seed: facts.seed,
    partial,
    endNs: Math.max(0, endPs - facts.originPs) / 1000,
    rpcs: rpcsOf(clientsOf(outcomes)),
    packets: {
      ...packetsOf(outcomes),
      lostWhileDown: outcomes.reduce((sum, { lostWhileDown }) => sum + lostWhileDown, 0),
    },
    faults,
    drops: dropsOf(hosts, switches),
    grants: total('grantsSent'),
    retransmissions: total('dataRetransmitted'),
    highWater: {
      switchBytes: Math.max(0, ...Object.values(switches).map((s) => s.maxBufferBytes)),
      poolChunks: Math.max(0, ...all.map((host) => host.counters.poolChunksMax ?? 0)),
      rpcs: Math.max(0, ...all.map((host) => host.counters.rpcsLiveMax ?? 0)),
    },
    violations: all.reduce((sum, host) => sum + host.dmaViolations.length, 0),
    applicationFaults: all.reduce((sum, host) => sum + host.faults.length, 0),
    left,
    idle: all.every((host) => host.idleAfterClose),
    hosts,
    switches,
    expectations: [],
    passed: true,
  };
  report.expectations = checkExpectations(report, scenario.expectations ?? []);
  report.passed = report.expectations.every((expectation) => expectation.ok);
  return report;
}

interface ClientOutcome {
  started: number;
  outcomes: RpcRecord;
}

/** The clients of all threads, in the scenario's order. */
function clientsOf(outcomes: readonly RunOutcome[]): ClientOutcome[] {
  return outcomes
    .flatMap(({ clients }) => [...clients])
    .sort(([a], [b]) => a - b)
    .map(([, { started, outcomes: data }]) => ({ started, outcomes: RpcRecord.from(data) }));
}

function packetsOf(outcomes: readonly RunOutcome[]): PacketCounts {
  const sum: PacketCounts = { total: 0, byType: {}, retransmitted: 0 };
  for (const { packets } of outcomes) {
    sum.total += packets.total;
    sum.retransmitted += packets.retransmitted;
    for (const [type, count] of Object.entries(packets.byType)) {
      sum.byType[type] = (sum.byType[type] ?? 0) + count;
    }
  }
  return { ...sum, byType: sorted(sum.byType) };
}

function rpcsOf(clients: readonly ClientOutcome[]): ScenarioReport['rpcs'] {
  const byOutcome: Record<string, number> = {};
  for (const { outcomes } of clients) outcomes.countOutcomes(byOutcome);
  const started = clients.reduce((sum, client) => sum + client.started, 0);
  const ended = clients.reduce((sum, { outcomes }) => sum + outcomes.count, 0);
  const ok = byOutcome['ok'] ?? 0;
  let list: RpcRow[] | undefined;
  return {
    started,
    ok,
    failed: ended - ok,
    unfinished: started - ended,
    byOutcome: sorted(byOutcome),
    latency: latencyOf(clients, ok),
    get list() {
      return (list ??= clients.flatMap(({ outcomes }) => outcomes.rows()));
    },
  };
}

function latencyOf(clients: readonly ClientOutcome[], count: number): LatencyReport {
  const times = new Float64Array(count);
  clients.reduce((from, { outcomes }) => outcomes.okLatenciesNs(times, from), 0);
  times.sort();
  const at = (p: number): number | null => {
    const rank = nearestRank(count, p);
    return rank === undefined ? null : times[rank - 1]!;
  };
  return {
    count,
    minNs: count === 0 ? null : times[0]!,
    p50Ns: at(0.5),
    p99Ns: at(0.99),
    maxNs: count === 0 ? null : times[count - 1]!,
  };
}

function dropsOf(
  hosts: Readonly<Record<string, HostReport>>,
  switches: Readonly<Record<string, SwitchReport>>,
): Record<string, number> {
  const drops: Record<string, number> = {};
  for (const host of Object.values(hosts)) {
    for (const [name, value] of Object.entries(host.counters)) {
      if (name.startsWith('drop')) drops[name] = (drops[name] ?? 0) + value;
    }
  }
  const full = Object.values(switches).reduce((sum, s) => sum + s.dropped, 0);
  if (full > 0) drops['switchBufferFull'] = full;
  return sorted(drops);
}

function sorted(record: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
