// SPDX-License-Identifier: Apache-2.0
// How fast the simulation runs: node build/bench/world/speed.js [rounds]. Prints figures side by side, asserts nothing.
import { homaModuleDistribution } from '#src/workload/length-distribution.js';
import { loadWorkload } from '#src/data/load-workload.js';
import { createSimNic } from '#src/nic/sim/device.js';
import { pcieProfile } from '#src/world/pcie/profile.js';
import type { ScenarioReport } from '#src/world/scenario/report.js';
import { runScenario } from '#src/world/scenario/runner.js';
import type { Scenario } from '#src/world/scenario/scenario.js';
import type { CardMaker } from '#src/world/scenario/setup.js';
import { World } from '#src/world/world.js';

const ROUNDS = Number(process.argv[2] ?? 3);
const makeCard: CardMaker =
  ({ rpcEntries }) =>
  (outputs) =>
    createSimNic(rpcEntries === undefined ? {} : { rpcEntries }, outputs);

/** Echoes, one after the other, on one host. Returns wall seconds. */
function echoes(count: number): number {
  const world = new World({ seed: 1, profile: pcieProfile('u250-gen3x16') });
  const mac = Uint8Array.of(2, 0, 0, 0, 0, 1);
  const host = world.addHost('host', { mac, loopback: true }, makeCard({ cycleTable: 'u250-gen3x16' }));
  world.complete(host, host.probe());
  const user = world.complete(host, host.openUser(1));
  let done = 0;
  user.listen({
    onResult(timePs) {
      if (++done < count) user.nop(timePs, user.takeSlot(), 0);
    },
  });
  const begun = performance.now();
  user.nop(world.nowPs, user.takeSlot(), 0);
  world.runWhile(() => done < count);
  return (performance.now() - begun) / 1000;
}

interface Timed {
  report: ScenarioReport;
  seconds: number;
  /** processor time: what a busy machine's wall clock does not tell */
  cpuSeconds: number;
  packets: number;
  events: number;
}

async function timed(scenario: Scenario, lengths = {}): Promise<Timed> {
  let world: World | undefined;
  const begun = performance.now();
  const cpu = process.cpuUsage();
  const report = await runScenario({ scenario, makeCard, lengths, onWorld: (made) => (world = made) });
  const used = process.cpuUsage(cpu);
  const cpuSeconds = (used.user + used.system) / 1e6;
  const seconds = (performance.now() - begun) / 1000;
  return { report, seconds, cpuSeconds, packets: report.packets.total, events: world!.eventCount };
}

/**
 * What more traffic costs: a run three times as long, less a short one. Bringing hosts up, and V8's first look at the
 * code, are in both.
 */
async function marginal(make: (factor: number) => Scenario, lengths = {}): Promise<Timed> {
  const short = await timed(make(1), lengths);
  const long = await timed(make(3), lengths);
  return {
    report: long.report,
    seconds: long.seconds - short.seconds,
    cpuSeconds: long.cpuSeconds - short.cpuSeconds,
    packets: long.packets - short.packets,
    events: long.events - short.events,
  };
}

/** 64-byte RPCs between two hosts, `outstanding` at once. */
function smallRpcs(count: number, outstanding: number): Scenario {
  return {
    schemaVersion: 1,
    name: 'small RPCs',
    hosts: [{ name: 'a' }, { name: 'b' }],
    drainUs: 10_000,
    workload: {
      servers: [{ host: 'b', receives: 32, capacityBytes: 64 }],
      clients: [{ host: 'a', to: 'b', count, outstanding, requestBytes: 64 }],
    },
  };
}

/** `busy` of the hosts make `count` 64-byte RPCs to each other in turn; the rest stand by. */
function ring(hosts: number, busy: number, count: number): Scenario {
  const names = Array.from({ length: busy }, (_, i) => `h${i + 1}`);
  const each = Math.ceil(count / busy);
  return {
    schemaVersion: 1,
    name: `${hosts} hosts, 64 B RPCs`,
    hosts: [{ name: 'h', count: hosts }],
    drainUs: 10_000,
    workload: {
      servers: names.map((host) => ({ host, receives: 16, capacityBytes: 64 })),
      clients: names.map((host) => ({
        host,
        to: names.filter((name) => name !== host),
        count: each,
        outstanding: 4,
        requestBytes: 64,
      })),
    },
  };
}

/** Every host sends w4 requests to every other at 80 % of its link; one-byte answers. */
function cluster(hosts: number, each: number): Scenario {
  const names = Array.from({ length: hosts }, (_, i) => `h${i + 1}`);
  return {
    schemaVersion: 1,
    name: `${hosts} hosts, w4 at 80 %`,
    hosts: [{ name: 'h', count: hosts }],
    drainUs: 10_000,
    workload: {
      servers: names.map((host) => ({
        host,
        receives: 16,
        capacityBytes: 1_000_000,
        responseBytes: 1,
        c2hBytes: 67_108_864,
      })),
      clients: names.map((host) => ({
        host,
        to: '*',
        count: each,
        outstanding: 80,
        requestBytes: { workload: 'w4' as const },
        match: 'any' as const,
        load: 0.8,
      })),
    },
  };
}

function perSecond(count: number, seconds: number): string {
  return Math.round(count / seconds).toLocaleString('en');
}

const lengths = { w4: homaModuleDistribution(await loadWorkload('w4')) };
const row = (name: string, text: string): void => console.log(`${name.padEnd(44)} ${text}`);
const verdict = (rate: number, wanted: number): string =>
  `(wanted ${wanted.toLocaleString('en')}: ${rate >= wanted ? 'met' : 'NOT met'})`;
row('what', 'wall-clock rate; the first run of a kind is V8 getting to know the code and is not counted');
await timed(smallRpcs(30_000, 1));
await timed(cluster(16, 60), lengths);
echoes(50_000);
for (let round = 0; round < ROUNDS; round++) {
  const echoCount = 300_000;
  const echoRate = echoCount / echoes(echoCount);
  row('64 B echoes', `${perSecond(echoRate, 1)} echoes/s ${verdict(echoRate, 300_000)}`);
  for (const outstanding of [1, 16]) {
    const { report, seconds } = await timed(smallRpcs(200_000, outstanding));
    row(
      `64 B RPCs between two hosts, ${outstanding} at once`,
      `${perSecond(report.rpcs.ok, seconds)} RPCs/s ${verdict(report.rpcs.ok / seconds, 100_000)}`,
    );
  }
  const { packets, seconds, report } = await timed(cluster(16, 1000), lengths);
  row(
    '16 hosts, w4 at 80 %',
    `${perSecond(packets, seconds)} packets/s ${verdict(packets / seconds, 200_000)}` +
      ` (${packets} packets, ${report.rpcs.ok} of ${report.rpcs.started} RPCs ok)`,
  );
}
// The same traffic whatever the number of hosts: what grows shows. With two busy hosts only queues and tables could
// grow; with all busy, the memory that all the cards touch leaves the processor's nearest cache.
row('marginal processor time, nanoseconds an event', '(and microseconds a packet)');
const cost = ({ cpuSeconds, packets, events }: Timed): string =>
  `${((cpuSeconds * 1e9) / events).toFixed(0).padStart(5)} (${((cpuSeconds * 1e6) / packets).toFixed(1)})`;
for (const hosts of [2, 4, 8, 16, 32, 64]) {
  const few = await marginal((factor) => ring(hosts, 2, 48_000 * factor));
  const small = await marginal((factor) => ring(hosts, hosts, 48_000 * factor));
  const large = await marginal((factor) => cluster(hosts, Math.ceil((2400 * factor) / hosts)), lengths);
  row(
    `${hosts} hosts`,
    `64 B RPCs: 2 hosts busy ${cost(few)}, all busy ${cost(small)}; w4 at 80 %: ${cost(large)}`,
  );
}
