// SPDX-License-Identifier: Apache-2.0
// How fast the simulation runs: node build/bench/world/speed.js [rounds]. Prints figures side by side, asserts nothing.
// Each figure comes from a process of its own, as each command is one: V8 makes code for what it has seen.
import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { homaModuleDistribution } from '#src/workload/length-distribution.js';
import { loadWorkload } from '#src/data/load-workload.js';
import { makeSimCard, simShardModule } from '#src/perf/backends/sim-card-kind.js';
import { pcieProfile } from '#src/world/pcie/profile.js';
import type { ScenarioReport } from '#src/world/scenario/report.js';
import { runScenario } from '#src/world/scenario/runner.js';
import type { Scenario } from '#src/world/scenario/scenario.js';
import { World } from '#src/world/world.js';

/** Runs of one kind in a process that count; one before them, which is V8 getting to know the code, does not. */
const RUNS = 3;

/** Echoes, one after the other, on one host. Returns wall seconds. */
function echoes(count: number): number {
  const world = new World({ seed: 1, profile: pcieProfile('u250-gen3x16') });
  const mac = Uint8Array.of(2, 0, 0, 0, 0, 1);
  const host = world.addHost('host', { mac, loopback: true }, makeSimCard({ cycleTable: 'u250-gen3x16' }));
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

async function timed(scenario: Scenario, threads = 1): Promise<Timed> {
  let world: World | undefined;
  const begun = performance.now();
  const cpu = process.cpuUsage();
  const inputs = { scenario, makeCard: makeSimCard, shardModule: simShardModule, lengths, threads };
  const report = await runScenario({ ...inputs, onWorld: (made) => (world = made) });
  const used = process.cpuUsage(cpu);
  const cpuSeconds = (used.user + used.system) / 1e6;
  const seconds = (performance.now() - begun) / 1000;
  return { report, seconds, cpuSeconds, packets: report.packets.total, events: world!.eventCount };
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

/** `busy` of the hosts make `count` 64-byte RPCs, to all the others or to the next only; the rest stand by. */
function ring(hosts: number, busy: number, count: number, to: 'all' | 'next' = 'all'): Scenario {
  const names = Array.from({ length: busy }, (_, i) => `h${i + 1}`);
  const each = Math.ceil(count / busy);
  return {
    schemaVersion: 1,
    name: `${hosts} hosts, 64 B RPCs`,
    hosts: [{ name: 'h', count: hosts }],
    drainUs: 10_000,
    workload: {
      servers: names.map((host) => ({ host, receives: 16, capacityBytes: 64 })),
      clients: names.map((host, i) => ({
        host,
        to: to === 'next' ? names[(i + 1) % busy]! : names.filter((name) => name !== host),
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

const lengths = { w4: homaModuleDistribution(await loadWorkload('w4')) };
const row = (name: string, text: string): void => console.log(`${name.padEnd(44)} ${text}`);
const number = (value: number): string => Math.round(value).toLocaleString('en');

/** A figure of wall time: what is counted, and how to get it once. Each answers how many a second. */
interface Rate {
  name: string;
  unit: string;
  wanted: number;
  once(): Promise<number>;
}

const rpcs = (outstanding: number): Rate => ({
  name: `64 B RPCs between two hosts, ${outstanding} at once`,
  unit: 'RPCs/s',
  wanted: 100_000,
  async once() {
    const { report, seconds } = await timed(smallRpcs(100_000, outstanding));
    return report.rpcs.ok / seconds;
  },
});

const RATES: Rate[] = [
  {
    name: '64 B echoes',
    unit: 'echoes/s',
    wanted: 300_000,
    once: () => Promise.resolve(300_000 / echoes(300_000)),
  },
  rpcs(1),
  rpcs(4),
  rpcs(16),
  {
    name: '16 hosts, w4 at 80 %',
    unit: 'packets/s',
    wanted: 200_000,
    async once() {
      const { packets, seconds, report } = await timed(cluster(16, 500));
      if (report.rpcs.ok !== report.rpcs.started) throw new Error('an RPC of the benchmark failed');
      return packets / seconds;
    },
  },
];

/** Traffic whose cost an event is looked at as hosts are added; `size` 1 takes a second or less. */
interface Traffic {
  name: string;
  make(hosts: number, size: number): Scenario;
}

const TRAFFIC: Traffic[] = [
  { name: '64 B RPCs, two hosts busy', make: (hosts, size) => ring(hosts, 2, 48_000 * size) },
  {
    name: '64 B RPCs, every host to one other',
    make: (hosts, size) => ring(hosts, hosts, 48_000 * size, 'next'),
  },
  { name: '64 B RPCs, all to all', make: (hosts, size) => ring(hosts, hosts, 48_000 * size) },
  { name: 'w4 at 80 %, all to all', make: (hosts, size) => cluster(hosts, Math.ceil((2400 * size) / hosts)) },
];
const HOSTS = [2, 4, 8, 16, 32, 64];
/** The two rows of threads say so: where there are more cores, more threads are of use. */
const THREADS = Math.min(4, availableParallelism());
/** Fewer hosts a thread mostly wait for each other (scenario/threads.ts). */
const HOSTS_A_THREAD = 8;

interface Cost {
  /** of wall-clock time */
  nsAnEvent: number;
  cpuNsAnEvent: number;
}

/**
 * What one more event costs: a long run less a short one. Bringing hosts up, the first use of their memory, and V8's first
 * look at the code (in each thread) are in both.
 */
async function costOf({ make }: Traffic, hosts: number, threads: number): Promise<Cost> {
  await timed(make(hosts, 1), threads);
  const short = await timed(make(hosts, 2), threads);
  const long = await timed(make(hosts, 5), threads);
  const events = long.events - short.events;
  return {
    nsAnEvent: ((long.seconds - short.seconds) * 1e9) / events,
    cpuNsAnEvent: ((long.cpuSeconds - short.cpuSeconds) * 1e9) / events,
  };
}

/** What this program prints when it is asked for one figure. */
async function one(what: string, which: number, hosts: number, threads: number): Promise<void> {
  if (what === 'cost') {
    console.log(JSON.stringify(await costOf(TRAFFIC[which]!, hosts, threads)));
    return;
  }
  const rate = RATES[which]!;
  await rate.once();
  const values: number[] = [];
  for (let run = 0; run < RUNS; run++) values.push(await rate.once());
  console.log(JSON.stringify(values));
}

function inOwnProcess(what: string, ...which: number[]): string {
  return execFileSync(process.execPath, [fileURLToPath(import.meta.url), what, ...which.map(String)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  }).trim();
}

function all(rounds: number): void {
  row('what', `wall-clock rate: median of ${rounds * RUNS} runs, least to greatest`);
  const values = RATES.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    RATES.forEach((_, which) =>
      values[which]!.push(...(JSON.parse(inOwnProcess('rate', which)) as number[])),
    );
  }
  RATES.forEach(({ name, unit, wanted }, which) => {
    const sorted = values[which]!.sort((a, b) => a - b);
    const median = sorted[sorted.length >> 1]!;
    const verdict = median >= wanted ? 'met' : 'NOT met';
    row(
      name,
      `${number(median)} ${unit}, ${number(sorted[0]!)} to ${number(sorted.at(-1)!)} (wanted ${number(wanted)}: ${verdict})`,
    );
  });
  // The same traffic whatever the number of hosts: what grows shows. With two busy hosts only queues and tables could
  // grow; with all busy, the memory that all the cards touch leaves the processor's nearest caches.
  row(
    'nanoseconds one more event takes, by hosts',
    `${HOSTS.map((hosts) => cell(hosts)).join('')}   64 to 2`,
  );
  TRAFFIC.forEach(({ name }, which) => {
    const alone = HOSTS.map((hosts) => cost(which, hosts, 1));
    row(name, line(alone, alone[0]!, 'nsAnEvent'));
    row('  of them processor time', line(alone, alone[0]!, 'cpuNsAnEvent'));
    if (which === 0) return; // nothing to divide
    const divided = HOSTS.map((hosts) => {
      const threads = Math.min(THREADS, Math.floor(hosts / HOSTS_A_THREAD));
      return threads > 1 ? cost(which, hosts, threads) : undefined;
    });
    row(`  hosts divided among up to ${THREADS} threads`, line(divided, alone[0]!, 'nsAnEvent'));
    row('  of them processor time, waiting included', line(divided, alone[0]!, 'cpuNsAnEvent'));
  });
}

const cell = (value: number | undefined): string => (value === undefined ? '' : value.toFixed(0)).padStart(6);

function cost(which: number, hosts: number, threads: number): Cost {
  return JSON.parse(inOwnProcess('cost', which, hosts, threads)) as Cost;
}

/** A figure by hosts, and what the last is of what two hosts take. */
function line(costs: readonly (Cost | undefined)[], two: Cost, figure: keyof Cost): string {
  const last = costs.at(-1);
  const ratio = last === undefined ? '' : `${(last[figure] / two[figure]).toFixed(2)}x`;
  return `${costs.map((found) => cell(found?.[figure])).join('')} ${ratio.padStart(9)}`;
}

const [first = '3', ...which] = process.argv.slice(2);
if (which.length === 0) all(Number(first));
else await one(first, Number(which[0]), Number(which[1]), Number(which[2]));
