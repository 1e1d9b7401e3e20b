// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import fc from 'fast-check';
import type { TestRun } from '#src/perf/backend.js';
import { simCardKind } from '#src/perf/backends/sim-card-kind.js';
import { WorldBackend } from '#src/perf/backends/world.js';
import type { DecileRow } from '#src/perf/backends/world/network.js';
import { bindingCost, messageCosts } from '#src/perf/backends/world/network-limits.js';
import { wireGoodputGbps } from '#src/perf/ceilings.js';
import type { TestResult } from '#src/perf/result.js';
import { testResult } from '#src/perf/run.js';
import { pcieProfile } from '#src/world/pcie/profile.js';

const backend = new WorldBackend(simCardKind('0'), 'u250-gen3x16');
const signal = new AbortController().signal;
const quiet = (): void => undefined;
const settings = { count: 200, warmup: 20, seed: 3, pcieProfile: 'u250-gen3x16' };
const run = (name: string, sizeBytes: number, more = {}): Promise<TestRun> =>
  backend.run({ name, sizeBytes }, { ...settings, ...more }, signal, quiet);

describe('tests between simulated hosts', () => {
  it('rpc: a trace of pairs whose differences are the samples', async () => {
    const result = await run('rpc', 64);
    const events = [...result.trace];
    expect(result.samples.length).to.equal(200);
    expect(events.length).to.equal(400);
    result.samples.forEach((sample, i) => {
      expect(events[2 * i + 1]!.timeNs - events[2 * i]!.timeNs).to.equal(sample);
    });
    expect(result.details).to.include({ retransmissions: 0 });
    expect(result.warnings).to.deep.equal([]);
  });

  it('rpc: takes two crossings of the wire, so more than a loopback and less than two', async () => {
    const median = (samples: Float64Array): number => samples.slice().sort()[samples.length / 2]!;
    const rpc = median((await run('rpc', 64)).samples);
    const loopback = median((await run('loopback', 64)).samples);
    expect(rpc).to.be.within(loopback, 2.2 * loopback);
  });

  it('throughput: rises with size and stays below what the wire allows', async () => {
    let before = 0;
    for (const sizeBytes of [1024, 4096, 65_536]) {
      const { rateGbps } = await run('throughput', sizeBytes);
      expect(rateGbps).to.be.within(before, wireGoodputGbps(sizeBytes));
      before = rateGbps!;
    }
    expect(before).to.be.greaterThan(80);
  });

  it('rate: messages a second agree with the payload rate', async () => {
    const { rateGbps, details } = await run('rate', 64, { count: 1000 });
    expect(Number(details!['messagesPerSecond']) * 64 * 8).to.be.closeTo(rateGbps! * 1e9, 1);
    expect(Number(details!['messagesPerSecond'])).to.be.within(1e6, 63.2e6);
  });

  it('rate: takes messages of every size, though 120 receive buffers of a million bytes would not fit', async () => {
    for (const sizeBytes of [1, 262_145, 1_000_000]) {
      const { samples, warnings } = await run('rate', sizeBytes, { count: 40, warmup: 0 });
      expect([samples.length, warnings]).to.deep.equal([40, []]);
    }
  });

  it('workload: every RPC in one decile, no slowdown below 1 but for jitter, the same for the same seed', async () => {
    const more = { workload: 'w3', load: 0.5, count: 600 };
    const result = await run('workload', 0, more);
    const deciles = result.details!['deciles'] as DecileRow[];
    expect(deciles.reduce((sum, row) => sum + row.count, 0)).to.equal(result.samples.length);
    expect(Math.min(...result.samples)).to.be.greaterThan(0.95);
    expect(result.unit).to.equal('slowdown');
    expect([...(await run('workload', 0, more)).samples]).to.deep.equal([...result.samples]);
  }).timeout(60_000);
});

describe('limits of tests between simulated hosts', () => {
  const profile = pcieProfile('u250-gen3x16');
  const rate = (sizeBytes: number) => ({ name: 'rate', sizeBytes });

  async function row(name: string, sizeBytes: number, more = {}, of = backend): Promise<TestResult> {
    const request = { name, sizeBytes };
    const used = { ...settings, ...more };
    return testResult(of, request, used, await of.run(request, used, signal, quiet));
  }

  /** Every limit of the row with the figure it limits. */
  function compared({ ceilings, summary, rateGbps, details }: TestResult): string[] {
    return ceilings!.map(({ unit, value }) => {
      const figures: Record<string, number> = {
        ns: summary.min!,
        Gbps: rateGbps ?? 0,
        'million/s': Number(details!['messagesPerSecond'] ?? 0) / 1e6,
      };
      // Samples are differences of whole nanoseconds.
      const held = unit === 'ns' ? figures[unit]! + 1 > value : figures[unit]! <= value;
      return held ? unit : `${unit}: ${figures[unit]} against ${value}`;
    });
  }

  it('rpc has a least time; throughput and rate have that and a greatest payload rate, rate also one of messages', async () => {
    expect(compared(await row('rpc', 64))).to.deep.equal(['ns']);
    expect(compared(await row('throughput', 16_384))).to.deep.equal(['ns', 'Gbps']);
    expect(compared(await row('rate', 64))).to.deep.equal(['ns', 'Gbps', 'million/s']);
    expect(backend.limits({ name: 'workload', sizeBytes: 0 }, settings)).to.deep.equal([]);
  });

  it('short messages, eight at a time, are limited by the time of one, longer ones by the wire alone', async () => {
    const { ceilings, rateGbps } = await row('throughput', 1024);
    expect(ceilings!.map(({ unit }) => unit)).to.deep.equal(['ns', 'Gbps', 'Gbps']);
    const [least, wire, window] = ceilings!;
    expect(window!.value)
      .to.be.closeTo((8 * 1024 * 8) / least!.value, 1e-9)
      .and.within(rateGbps!, wire!.value);
    expect(window!.what).to.equal('8 RPCs at a time');
  });

  for (const profileName of ['u250-gen3x16', 'u250-original']) {
    it(`are never passed: sizes from one byte to a million, ${profileName}`, async () => {
      const of = new WorldBackend(simCardKind('0'), profileName);
      const more = { count: 150, pcieProfile: profileName };
      for (const name of ['rpc', 'throughput', 'rate']) {
        for (const sizeBytes of [1, 64, 65, 1404, 1405, 9000, 40_001, 262_144]) {
          const units = compared(await row(name, sizeBytes, more, of));
          expect(units.join(), `${name} ${sizeBytes} B`).to.match(/^ns(,Gbps)*(,million\/s)?$/);
        }
      }
      const million = await row('throughput', 1_000_000, { ...more, count: 10, warmup: 2 }, of);
      expect(compared(million)).to.deep.equal(['ns', 'Gbps']);
    }).timeout(60_000);
  }

  it('are never passed: any count, warm-up and seed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('rpc', 'throughput', 'rate'),
        fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 6000 })),
        fc.record({
          count: fc.oneof(fc.integer({ min: 1, max: 130 }), fc.integer({ min: 1, max: 600 })),
          warmup: fc.integer({ min: 0, max: 130 }),
          seed: fc.nat(),
        }),
        async (name, sizeBytes, more) => {
          const units = compared(await row(name, sizeBytes, more));
          expect(units.join()).to.match(/^ns(,Gbps)*(,million\/s)?$/);
        },
      ),
      { numRuns: 40 },
    );
  }).timeout(60_000);

  it('says which cost of a message binds: stores of a core, the wire, on a slow bus the bus', () => {
    const binding = (sizeBytes: number, of = profile) => bindingCost(messageCosts(rate(sizeBytes), of)).what;
    expect(binding(64)).to.equal('3 stores of one core, 25.6 ns each');
    expect(binding(826)).to.equal('3 stores of one core, 25.6 ns each');
    expect(binding(827)).to.equal('the wire');
    expect(binding(64, { ...profile, lineMbps: 16_000 })).to.equal('the bus to the card');
    expect(binding(2000, { ...profile, lineMbps: 16_000 })).to.equal('the bus from the card');
  });

  it('counts what docs/performance.md says a message of 64 and of 512 bytes costs', async () => {
    const amounts = (sizeBytes: number) =>
      messageCosts(rate(sizeBytes), profile).map(({ amount, unit }) => `${amount} ${unit}`);
    expect(amounts(64)).to.deep.equal(['3 stores', '264 bytes', '264 bytes', '198 bytes']);
    expect(amounts(512)).to.deep.equal(['3 stores', '728 bytes', '736 bytes', '646 bytes']);
    const { details } = await row('rate', 64);
    expect(details!['messageCosts']).to.deep.equal(messageCosts(rate(64), profile));
  });
});
