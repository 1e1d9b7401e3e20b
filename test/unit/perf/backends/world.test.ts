// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import fc from 'fast-check';
import { cycleTables } from '#src/nic/sim/cycle-table.js';
import { simCardKind } from '#src/perf/backends/sim-card-kind.js';
import { makeLoop, WorldBackend } from '#src/perf/backends/world.js';
import { Instants } from '#src/perf/backends/world/measured.js';
import { percentileNearestRank } from '#src/stats/percentile.js';

const kind = simCardKind('0');
const settings = { count: 1000, warmup: 100, seed: 1, pcieProfile: 'u250-gen3x16' };
const forever = new AbortController().signal;
const quiet = (): void => undefined;

/** The latency of each iteration with jitter off, picoseconds. */
function bare(profile: string, name: string, sizeBytes: number): number[] {
  const bench = new WorldBackend(kind, profile).benchHost(1, false);
  const instants = new Instants(0, 5);
  makeLoop({ name, sizeBytes }, bench, instants).begin();
  bench.world.runWhile(() => !instants.complete);
  expect(instants.complete).to.equal(true);
  return Array.from(instants.endPs, (endPs, i) => endPs - instants.startPs[i]!);
}

describe('world backend', () => {
  for (const profile of Object.keys(cycleTables)) {
    for (const name of ['echo', 'read']) {
      it(`explains ${name} with ${profile} by rows that sum to what the world does, to the picosecond`, () => {
        const explanation = new WorldBackend(kind, profile).explain({ name, sizeBytes: 64 }, settings)!;
        const sum = explanation.rows.reduce((total, row) => total + row.timePs, 0);
        expect(explanation.basePs).to.equal(sum);
        expect(bare(profile, name, 64)).to.deep.equal(new Array(5).fill(sum));
        for (const row of explanation.rows) {
          if (row.cycles !== undefined) expect(row.timePs).to.equal(row.cycles * 4000);
        }
      });
    }
  }

  for (const [profile, sizes] of [
    ['u250-gen3x16', [1, 64, 65, 512]],
    ['u250-original', [1, 64, 512]],
  ] as const) {
    for (const sizeBytes of sizes) {
      it(`explains a loopback of ${sizeBytes} B with ${profile} without any rest`, () => {
        const explanation = new WorldBackend(kind, profile).explain(
          { name: 'loopback', sizeBytes },
          settings,
        )!;
        expect(explanation.rows.map((row) => row.part).join()).to.not.match(/rest of the message/);
        expect(bare(profile, 'loopback', sizeBytes).slice(1)).to.deep.equal(
          new Array(4).fill(explanation.basePs),
        );
      });
    }
  }

  it('names the rest of a message of many packets, and sums to what the world does', () => {
    const explanation = new WorldBackend(kind, 'u250-gen3x16').explain(
      { name: 'loopback', sizeBytes: 100_000 },
      settings,
    )!;
    expect(explanation.rows.at(-1)!.part).to.match(/rest of the message/);
    expect(explanation.basePs).to.equal(explanation.rows.reduce((total, row) => total + row.timePs, 0));
    expect(bare('u250-gen3x16', 'loopback', 100_000)[1]).to.equal(explanation.basePs);
  });

  it('checks every byte of a loopback, in one packet and in many, and leaves no DMA outside memory', async () => {
    const backend = new WorldBackend(kind, 'u250-gen3x16');
    for (const sizeBytes of [1, 63, 64, 65, 1404, 1405, 4096, 99_999, 1_000_000]) {
      const run = await backend.run(
        { name: 'loopback', sizeBytes },
        { ...settings, count: 3, warmup: 1 },
        forever,
        quiet,
      );
      expect(run.samples.length).to.equal(3);
      expect(run.warnings).to.deep.equal([]);
    }
  });

  it('lands within 2 % of the real card at min, p50, p90 and p99, whatever the seed', async function () {
    this.timeout(60_000);
    const real = { min: 1010, p50: 1035, p90: 1047, p99: 1063 };
    const backend = new WorldBackend(kind, 'u250-original');
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 0xffffffff }), async (seed) => {
        const run = await backend.run({ name: 'echo', sizeBytes: 64 }, { ...settings, seed }, forever, quiet);
        const sorted = run.samples.slice().sort();
        const got = { min: sorted[0]!, ...percentiles(sorted) };
        for (const [name, value] of Object.entries(real)) {
          expect(got[name as keyof typeof got], `${name}, seed ${seed}`).to.be.within(
            value * 0.98,
            value * 1.02,
          );
        }
      }),
      { numRuns: 60 },
    );
  });

  it('gives the same samples and trace for the same seed, others for another', async () => {
    const backend = new WorldBackend(kind, 'u250-gen3x16');
    const once = async (seed: number): Promise<string> => {
      const run = await backend.run({ name: 'echo', sizeBytes: 64 }, { ...settings, seed }, forever, quiet);
      return JSON.stringify([[...run.samples], [...run.trace]]);
    };
    expect(await once(7)).to.equal(await once(7));
    expect(await once(7)).to.not.equal(await once(8));
  });

  it('leaves the warm-up out of samples and trace', async () => {
    const backend = new WorldBackend(kind, 'u250-gen3x16');
    const run = await backend.run(
      { name: 'read', sizeBytes: 64 },
      { ...settings, count: 10, warmup: 5 },
      forever,
      quiet,
    );
    const trace = [...run.trace];
    expect(run.samples.length).to.equal(10);
    expect(trace.length).to.equal(20);
    expect(trace[0]).to.deep.equal({ timeNs: 0, name: 'read request' });
    expect(run.warnings).to.deep.equal([]);
  });

  it('keeps what was measured when it is interrupted', async () => {
    const abort = new AbortController();
    const backend = new WorldBackend(kind, 'u250-gen3x16');
    const many = { ...settings, count: 1_000_000 };
    const run = await backend.run({ name: 'echo', sizeBytes: 64 }, many, abort.signal, (done) => {
      if (done > 500) abort.abort();
    });
    expect(run.partial).to.equal(true);
    expect(run.samples.length).to.be.within(1, 999_999);
  });

  it('refuses a profile that is not there and names those that are', () => {
    expect(() => new WorldBackend(kind, 'gen9')).to.throw(
      /unknown PCIe profile 'gen9': the profiles are u250-original/,
    );
  });
});

function percentiles(sorted: Float64Array): { p50: number; p90: number; p99: number } {
  const at = (p: number): number => percentileNearestRank(sorted, p)!;
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99) };
}
