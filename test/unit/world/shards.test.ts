// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { MessageChannel } from 'node:worker_threads';
import { expect } from 'chai';
import fc from 'fast-check';
import type { ScenarioReport } from '#src/world/scenario/report.js';
import { runScenario } from '#src/world/scenario/runner.js';
import type { Scenario } from '#src/world/scenario/scenario.js';
import { threadsWorthIt } from '#src/world/scenario/threads.js';
import { FramesHeld, passageMemory, PassageReader, PassageWriter } from '#src/world/shards/frame-passage.js';
import { homaModuleDistribution } from '#src/workload/length-distribution.js';
import { loadWorkload } from '#src/data/load-workload.js';
import type { World } from '#src/world/world.js';
import { smallScenario } from './any-scenario.js';
import { simCard } from './sim-card.js';

const shardModule = new URL('./shard-of-sim-cards.js', import.meta.url);
const failingModule = new URL('./shard-that-fails.js', import.meta.url);

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `h${i + 1}`);

/** Everybody calls everybody over a faulty network; hosts crash and restart, come late, are off, and a cable is down. */
const MISHAPS: Scenario = {
  schemaVersion: 1,
  name: 'mishaps',
  hosts: [{ name: 'h', count: 7 }, { name: 'off', down: true }, { name: 'silent' }],
  network: { delayNs: 300, switches: [{ name: 's', portBufferBytes: 30_000 }] },
  faults: [
    { random: { drop: 0.01, duplicate: 0.02, reorder: 0.05 } },
    { link: 'h4>s', downFromUs: 30, downToUs: 300 },
  ],
  workload: {
    servers: names(7).map((host, i) => ({
      host,
      receives: 8,
      capacityBytes: 60_000,
      ...(i === 5 ? { startUs: 900 } : {}),
    })),
    clients: names(7).map((host, i) => ({
      host,
      to: i === 0 ? ['h2', 'off', 'silent'] : ('*' as const),
      count: 60,
      outstanding: 6,
      requestBytes: { min: 1, max: 40_000 },
    })),
  },
  events: [
    { atUs: 700, host: 'h2', action: 'restart' },
    { atUs: 1000, host: 'h7', action: 'crash' },
    { atUs: 1500, host: 'off', action: 'restart' },
  ],
  drainUs: 10_000,
};

const fromFile = (name: string): Scenario =>
  JSON.parse(readFileSync(`scenarios/${name}.json`, 'utf8')) as Scenario;

/** All that a run has to say. */
async function textOf(scenario: Scenario, threads: number, seed = scenario.seed ?? 1): Promise<string> {
  const lengths = { w4: homaModuleDistribution(await loadWorkload('w4')) };
  let world: World | undefined;
  const onWorld = (made: World): void => {
    world = made;
  };
  const inputs = { scenario, makeCard: simCard, shardModule, lengths, threads, seed, onWorld };
  const report = await runScenario(inputs);
  return JSON.stringify({ events: world!.eventCount, report }, undefined, 1);
}

const W4: Scenario = {
  schemaVersion: 1,
  name: 'w4',
  hosts: [{ name: 'h', count: 6 }],
  workload: {
    servers: names(6).map((host) => ({
      host,
      receives: 16,
      capacityBytes: 1_000_000,
      responseBytes: 1,
      c2hBytes: 67_108_864,
    })),
    clients: names(6).map((host) => ({
      host,
      to: '*' as const,
      count: 20,
      outstanding: 20,
      requestBytes: { workload: 'w4' as const },
      load: 0.8,
    })),
  },
};

/** The same where cards have to ask for their neighbours, to everybody. */
const ASKING: Scenario = {
  ...MISHAPS,
  name: 'mishaps, no neighbour known',
  network: { neighbours: 'discover', switches: [{ name: 's' }] },
};

const COMPARED: readonly [Scenario, number[]][] = [
  [MISHAPS, [2, 3, 5]],
  [ASKING, [2]],
  [W4, [2, 4]],
  [fromFile('incast'), [2]],
  [fromFile('overcommit'), [2]],
];

describe('world: hosts divided among threads', () => {
  for (const [scenario, threads] of COMPARED) {
    it(`changes nothing but the speed: ${scenario.name}, ${threads.join(', ')} threads`, async function () {
      this.timeout(120_000);
      for (const seed of [1, 77]) {
        const one = await textOf(scenario, 1, seed);
        for (const count of threads)
          expect(await textOf(scenario, count, seed), `seed ${seed}`).to.equal(one);
      }
    });
  }

  it('changes nothing but the speed: any small scenario', async function () {
    this.timeout(600_000);
    await fc.assert(
      fc.asyncProperty(smallScenario, fc.integer({ min: 2, max: 4 }), async (scenario, threads) => {
        expect(await textOf(scenario, threads)).to.equal(await textOf(scenario, 1));
      }),
      {
        seed: Number(process.env['HOMA_NIC_SHARDS_SEED'] ?? 5),
        numRuns: process.env['HOMA_NIC_LONG'] === '1' ? 200 : 15,
      },
    );
  });

  it('has failures, crashes and drops to compare', async () => {
    const { report } = JSON.parse(await textOf(MISHAPS, 2)) as { report: ScenarioReport };
    expect(report.rpcs.ok).to.be.above(150);
    expect(Object.keys(report.rpcs.byOutcome)).to.include.members(['ok', 'hostCrashed']);
    expect(report.faults.dropped).to.be.above(20);
    expect(report.drops['switchBufferFull']).to.be.above(0);
    expect(report.packets.lostWhileDown).to.be.above(0);
    expect(report.violations).to.equal(0);
  });

  it('one thread where hosts have a cable between them, or for two hosts: the same as ever', async () => {
    const scenario = fromFile('rpc');
    expect(await textOf(scenario, 2)).to.equal(await textOf(scenario, 1));
  });

  it('tells of all threads how far it is, and is ended by its signal in all', async function () {
    this.timeout(60_000);
    const controller = new AbortController();
    const told: [number, number][] = [];
    const report = await runScenario(
      { scenario: MISHAPS, makeCard: simCard, shardModule, threads: 3 },
      {
        signal: controller.signal,
        onProgress: (done, total) => {
          told.push([done, total]);
          if (done > 40) controller.abort();
        },
      },
    );
    expect(told.at(-1)![0]).to.be.within(41, 419);
    expect(new Set(told.map(([, total]) => total))).to.deep.equal(new Set([420]));
    expect(report.partial).to.equal(true);
    expect(Object.keys(report.hosts)).to.deep.equal([...names(7), 'off', 'silent']);
    expect(report.rpcs.started).to.be.below(420);
  });

  for (const how of ['throws', 'exits'] as const) {
    it(`a thread that ${how} ends the run with its cause`, async function () {
      this.timeout(60_000);
      const scenario: Scenario = { ...W4, name: how };
      const lengths = { w4: homaModuleDistribution(await loadWorkload('w4')) };
      const inputs = { scenario, makeCard: simCard, lengths, shardModule: failingModule, threads: 3 };
      const error = await runScenario(inputs).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect((error as Error).message).to.match(how === 'throws' ? /card .* is broken/ : /ended with code 3/);
    });
  }

  it('a thread that cannot begin ends the run', async function () {
    this.timeout(60_000);
    const missing = new URL('./no-such-module.js', import.meta.url);
    const error = await runScenario({
      scenario: MISHAPS,
      makeCard: simCard,
      shardModule: missing,
      threads: 2,
    }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect((error as Error).message).to.match(/no-such-module/);
  });

  it('a crash at the very instant at which a card sends: the frame leaves, as with one thread', async () => {
    const frames: { timePs: number; from: number }[] = [];
    const calm: Scenario = {
      schemaVersion: 1,
      name: 'to the picosecond',
      hosts: [{ name: 'h', count: 4 }],
      endUs: 30_000,
      workload: {
        servers: [{ host: 'h1', receives: 8, capacityBytes: 60_000 }],
        clients: [{ host: 'h4', to: 'h1', count: 1, requestBytes: 64 }],
      },
    };
    await runScenario({
      scenario: calm,
      makeCard: simCard,
      onFrame: (timePs, frame) => frames.push({ timePs, from: frame[11]! }),
    });
    for (const { timePs, from } of frames.slice(0, 3)) {
      const atUs = (timePs % 1e9) / 1e6;
      const scenario: Scenario = { ...calm, events: [{ atUs, host: `h${from}`, action: 'crash' }] };
      const one = await textOf(scenario, 1);
      for (const threads of [2, 4]) expect(await textOf(scenario, threads)).to.equal(one);
    }
    expect(frames.length).to.be.above(2);
  });

  it('two hosts and an empty list of switches have a cable between them', async () => {
    const scenario: Scenario = { ...fromFile('rpc'), network: { switches: [] } };
    expect(await textOf(scenario, 2)).to.equal(await textOf(scenario, 1));
  });

  it('a scenario that does not fit is refused as with one thread', async () => {
    const scenario: Scenario = {
      ...W4,
      workload: { ...W4.workload!, clients: [{ host: 'nobody', to: '*', count: 1 }] },
    };
    const error = await runScenario({ scenario, makeCard: simCard, shardModule, threads: 2 }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect((error as Error).message).to.equal("client on 'nobody', which is no host");
  });

  it('takes threads for long runs of many hosts only', async () => {
    const lengths = { w4: homaModuleDistribution(await loadWorkload('w4')) };
    const of = (hosts: number, count: number, requestBytes: 64 | { workload: 'w4' }): Scenario => ({
      ...W4,
      hosts: [{ name: 'h', count: hosts }],
      workload: {
        servers: names(hosts).map((host) => ({ host })),
        clients: names(hosts).map((host) => ({ host, to: '*', count, requestBytes })),
      },
    });
    expect(threadsWorthIt(of(64, 100, 64), lengths, 8)).to.equal(1);
    expect(threadsWorthIt(of(64, 100_000, 64), lengths, 8)).to.equal(8);
    expect(threadsWorthIt(of(64, 100_000, 64), lengths, 2)).to.equal(2);
    expect(threadsWorthIt(of(20, 1_000_000, 64), lengths, 8)).to.equal(2);
    expect(threadsWorthIt(of(2, 10_000_000, 64), lengths, 8)).to.equal(1);
    expect(threadsWorthIt(of(64, 100, { workload: 'w4' }), lengths, 8)).to.equal(1);
    expect(threadsWorthIt(of(64, 4000, { workload: 'w4' }), lengths, 8)).to.equal(8);
  });
});

describe('world: frames from one thread to another', () => {
  const frame = fc.uint8Array({ minLength: 0, maxLength: 3000 });
  const stretches = fc.array(fc.array(fc.tuple(fc.integer({ min: 0, max: 2 ** 40 }), fc.nat(5000), frame)));

  it('come out as they were put in, however many there are', () => {
    fc.assert(
      fc.property(stretches, (all) => {
        const { port1, port2 } = new MessageChannel();
        const memory = passageMemory(4096);
        const writer = new PassageWriter(memory, port1);
        const reader = new PassageReader(memory, port2);
        try {
          for (const stretch of all) {
            const seen: [number, number, string][] = [];
            for (const [timePs, direction, bytes] of stretch) writer.put(timePs, direction, bytes.slice());
            const arrivals = {
              frameArrives: (timePs: number, direction: number, bytes: Uint8Array) => {
                seen.push([timePs, direction, Buffer.from(bytes).toString('hex')]);
              },
            };
            reader.takeAll(arrivals);
            expect(seen).to.deep.equal(
              stretch.map(([t, d, bytes]) => [t, d, Buffer.from(bytes).toString('hex')]),
            );
            seen.length = 0;
            reader.takeAll(arrivals);
            expect(seen).to.deep.equal([]);
          }
        } finally {
          port1.close();
        }
      }),
      { seed: 20261127, numRuns: 150 },
    );
  });

  it('stay in their thread in the same order', () => {
    const held = new FramesHeld();
    const seen: number[] = [];
    const arrivals = { frameArrives: (timePs: number) => seen.push(timePs) };
    for (const timePs of [5, 3, 9]) held.put(timePs, 0, new Uint8Array(1));
    held.takeAll(arrivals);
    held.takeAll(arrivals);
    expect(seen).to.deep.equal([5, 3, 9]);
  });
});
