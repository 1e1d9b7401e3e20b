// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import type { TestRun } from '#src/perf/backend.js';
import { simCardKind } from '#src/perf/backends/sim-card-kind.js';
import { WorldBackend } from '#src/perf/backends/world.js';
import type { DecileRow } from '#src/perf/backends/world/network.js';
import { wireGoodputGbps } from '#src/perf/ceilings.js';

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
