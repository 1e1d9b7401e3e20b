// SPDX-License-Identifier: Apache-2.0
// Looks at the cards of a thread after a run and closes what is open.
import type { CounterName } from '../../nic/regs.js';
import type { RpcClient } from '../apps/rpc-client.js';
import * as driver from '../host/driver.js';
import type { ResultHandler } from '../host/host-user.js';
import type { Host } from '../host/host.js';
import type { World } from '../world.js';
import type { BuiltNetwork } from './build-network.js';
import type { PacketCounts } from './packet-counter.js';
import type { HostReport, SwitchReport } from './report.js';
import type { RpcRecord, RpcRecordData } from './rpc-record.js';
import type { ScenarioMember } from './setup.js';

/** Longer than any timer of a card that has nothing to do. */
const SETTLE_PS = 2e12;
const NOBODY: ResultHandler = { onResult: () => undefined };

export interface ClientRecord {
  host: Host;
  outcomes: RpcRecord;
  app: RpcClient;
}

export interface RunState {
  partial: boolean;
  world: World;
  members: readonly ScenarioMember[];
  /** of this thread's hosts, by their number in the scenario */
  clients: ReadonlyMap<number, ClientRecord>;
  network: BuiltNetwork;
  packets: PacketCounts;
  problems: readonly string[];
}

/** What a thread of a run has seen, as plain data: threads send it to the first one. */
export interface RunOutcome {
  partial: boolean;
  endPs: number;
  /** of this thread's hosts */
  hosts: Record<string, HostReport>;
  /** of this thread's clients, by their number in the scenario */
  clients: Map<number, { started: number; outcomes: RpcRecordData }>;
  packets: PacketCounts;
  lostWhileDown: number;
  faults: { dropped: number; duplicated: number; delayed: number; corrupted: number };
  switches: Record<string, SwitchReport>;
}

/** Looks at the cards (over the bus, as a driver would). All threads of a divided world make this call. */
export function collectOutcome(state: RunState): RunOutcome {
  const { world, members, network } = state;
  const endPs = world.nowPs;
  const hosts: Record<string, HostReport> = {};
  for (const member of members) {
    const report = lookAt(state, member);
    if (world.owns(member.host)) hosts[member.plan.name] = report;
  }
  // With every user closed a card has nothing to do: its timers may run out, then all must be still.
  world.runWhile(() => true, world.nowPs + SETTLE_PS);
  for (const { plan, host, wasOn } of members) {
    const report = hosts[plan.name];
    if (report === undefined || !wasOn) continue;
    report.idleAfterClose = host.slot.device.nextEventPs() === Infinity && host.slot.transfersInFlight === 0;
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
  const faults = { dropped: 0, duplicated: 0, delayed: 0, corrupted: 0 };
  for (const { counts } of network.faults.values()) {
    for (const key of ['dropped', 'duplicated', 'delayed', 'corrupted'] as const) faults[key] += counts[key];
  }
  return {
    partial: state.partial,
    endPs,
    hosts,
    clients: new Map(
      [...state.clients].map(([number, { app, outcomes }]) => [
        number,
        { started: app.started, outcomes: outcomes.data },
      ]),
    ),
    packets: state.packets,
    lostWhileDown: network.directions.reduce((sum, d) => sum + d.counts.lostWhileDown, 0),
    faults,
    switches,
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
  for (const { app, host: own } of state.clients.values()) {
    if (own !== host) continue;
    faults.push(...app.faults);
    if (app.done) report.left.clientSlots += app.slotsHeld;
  }
  try {
    world.completeAnywhere(host, closeAll(member, report));
  } catch (error) {
    faults.push(error instanceof Error ? error.message : String(error));
  }
  return report;
}

/** Reads a card's counters, closes its users, and reads them again. */
function* closeAll({ host, wasOn }: ScenarioMember, report: HostReport): driver.Routine<void> {
  if (!wasOn) return;
  const counters = yield* driver.readCounters();
  report.left.rpcs = counters.rpcsStarted - counters.rpcsCompleted - counters.rpcsFailed;
  const open = host.users.filter((user) => user !== undefined);
  for (const user of open) {
    const found = yield* driver.readUserState(user.user);
    report.left.calls += found.outstanding;
    report.left.dma += found.dmaInFlight;
  }
  // An RPC that the closing ends had no outcome when the run was over.
  for (const user of open) user.listen(NOBODY);
  for (const user of open) yield* host.closeUser(user);
  const after = yield* driver.readCounters();
  for (const [name, value] of Object.entries(after)) {
    if (value !== 0) report.counters[name as CounterName] = value;
  }
  yield* driver.waitForIdle();
}
