// SPDX-License-Identifier: Apache-2.0
// Looks at every card after a run, closes what is open, and writes the report.
import type { CounterName } from '../../nic/regs.js';
import { nearestRank } from '../../stats/percentile.js';
import type { RpcClient } from '../apps/rpc-client.js';
import type { RpcPlan } from '../apps/rpc-plan.js';
import * as driver from '../host/driver.js';
import type { ResultHandler } from '../host/host-user.js';
import type { Host } from '../host/host.js';
import type { World } from '../world.js';
import type { BuiltNetwork } from './build-network.js';
import {
  checkExpectations,
  type HostReport,
  type LatencyReport,
  type RpcRow,
  type ScenarioReport,
  type SwitchReport,
} from './report.js';
import type { PacketCounts } from './packet-counter.js';
import type { RpcRecord } from './rpc-record.js';
import type { Scenario } from './scenario.js';
import type { ScenarioMember } from './setup.js';

/** Longer than any timer of a card that has nothing to do. */
const SETTLE_PS = 2e12;
const NOBODY: ResultHandler = { onResult: () => undefined };

export interface ClientRecord {
  name: string;
  host: Host;
  plan: RpcPlan;
  outcomes: RpcRecord;
  app: RpcClient;
}

export interface RunState {
  scenario: Scenario;
  seed: number;
  partial: boolean;
  world: World;
  members: readonly ScenarioMember[];
  clients: readonly ClientRecord[];
  network: BuiltNetwork;
  packets: PacketCounts;
  problems: readonly string[];
  originPs: number;
}

/** Looks at the cards (over the bus, as a driver would) and puts the report together. */
export function collectReport(state: RunState): ScenarioReport {
  const { world, scenario, members, clients, network } = state;
  const endPs = world.nowPs;
  const hosts: Record<string, HostReport> = {};
  for (const member of members) hosts[member.plan.name] = lookAt(state, member);
  // With every user closed a card has nothing to do: its timers may run out, then all must be still.
  world.runWhile(() => true, world.nowPs + SETTLE_PS);
  for (const { plan, host, wasOn } of members) {
    if (!wasOn) continue;
    hosts[plan.name]!.idleAfterClose =
      host.slot.device.nextEventPs() === Infinity && host.slot.transfersInFlight === 0;
  }
  const switches: Record<string, SwitchReport> = {};
  for (const s of network.switches) {
    switches[s.name] = {
      dropped: s.droppedFrames,
      flooded: s.flooded,
      maxBufferBytes: s.maxQueuedBytes,
      ports: s.ports.map((p) => ({
        name: p.name,
        dropped: p.droppedFrames,
        maxBufferBytes: p.maxQueuedBytes,
      })),
    };
  }
  const all = Object.values(hosts);
  const total = (name: CounterName): number => all.reduce((sum, host) => sum + (host.counters[name] ?? 0), 0);
  const left = { rpcs: 0, calls: 0, dma: 0, clientSlots: 0 };
  for (const host of all) {
    for (const key of ['rpcs', 'calls', 'dma', 'clientSlots'] as const) left[key] += host.left[key];
  }
  const faults = { dropped: 0, duplicated: 0, delayed: 0, corrupted: 0 };
  for (const { counts } of network.faults.values()) {
    for (const key of ['dropped', 'duplicated', 'delayed', 'corrupted'] as const) faults[key] += counts[key];
  }
  const report: ScenarioReport = {
    schemaVersion: 1,
    kind: 'sim',
    scenario: scenario.name,
    simulated: true,
    profile: world.profile.name,
    seed: state.seed,
    partial: state.partial,
    endNs: Math.max(0, endPs - state.originPs) / 1000,
    rpcs: rpcsOf(clients),
    packets: {
      ...state.packets,
      byType: sorted(state.packets.byType),
      lostWhileDown: network.directions.reduce((sum, d) => sum + d.counts.lostWhileDown, 0),
    },
    faults,
    drops: dropsOf(hosts, switches),
    grants: total('grantsSent'),
    retransmissions: total('dataRetransmitted'),
    highWater: {
      switchBytes: Math.max(0, ...network.switches.map((s) => s.maxQueuedBytes)),
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

function rpcsOf(clients: readonly ClientRecord[]): ScenarioReport['rpcs'] {
  const byOutcome: Record<string, number> = {};
  for (const { outcomes } of clients) outcomes.countOutcomes(byOutcome);
  const started = clients.reduce((sum, { app }) => sum + app.started, 0);
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

function latencyOf(clients: readonly ClientRecord[], count: number): LatencyReport {
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

function lookAt(state: RunState, member: ScenarioMember): HostReport {
  const { world } = state;
  const { host } = member;
  const faults: string[] = state.problems.filter((problem) => problem.startsWith(`${member.plan.name}: `));
  const report: HostReport = {
    counters: {},
    left: { rpcs: 0, calls: 0, dma: 0, clientSlots: 0 },
    idleAfterClose: true,
    dmaViolations: host.memory.violations,
    faults,
    requestsServed: 0,
  };
  for (const { app } of member.servers) {
    if (app === undefined) continue;
    report.requestsServed += app.requests;
    faults.push(...app.faults);
  }
  const open = host.users.filter((user) => user !== undefined);
  for (const { app, host: own } of state.clients) {
    if (own !== host) continue;
    faults.push(...app.faults);
    if (app.done) report.left.clientSlots += app.slotsHeld;
  }
  if (!member.wasOn) return report;
  try {
    const counters = world.complete(host, driver.readCounters());
    report.left.rpcs = counters.rpcsStarted - counters.rpcsCompleted - counters.rpcsFailed;
    for (const user of open) {
      const found = world.complete(host, driver.readUserState(user.user));
      report.left.calls += found.outstanding;
      report.left.dma += found.dmaInFlight;
    }
    // An RPC that the closing ends had no outcome when the run was over.
    for (const user of open) user.listen(NOBODY);
    for (const user of open) world.complete(host, host.closeUser(user));
    const after = world.complete(host, driver.readCounters());
    for (const [name, value] of Object.entries(after)) {
      if (value !== 0) report.counters[name as CounterName] = value;
    }
    world.complete(host, driver.waitForIdle());
  } catch (error) {
    faults.push(error instanceof Error ? error.message : String(error));
  }
  return report;
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
