// SPDX-License-Identifier: Apache-2.0
// The simulated echo against the real card's: figures of the real U250 run (n = 1000), not its trace.
import { expect } from 'chai';
import fc from 'fast-check';
import { cycleTables, echoParts, readCycles } from '#src/nic/sim/cycle-table.js';
import { percentileNearestRank } from '#src/stats/percentile.js';
import { cardRows, explainEcho, explainRead, sumPs } from '#src/world/pcie/explain.js';
import { drawTurnaroundPs } from '#src/world/pcie/jitter.js';
import { pcieProfile, pcieProfiles, type PcieProfile } from '#src/world/pcie/profile.js';
import { World } from '#src/world/world.js';
import { simCard } from './sim-card.js';

/** min, p50, p90, p99 of the real card, nanoseconds. */
const REAL = { min: 1010, p50: 1035, p90: 1047, p99: 1063 };

function hostOf(profile: PcieProfile, seed: number, jitter: boolean) {
  const world = new World({ seed, profile, jitter });
  const mac = Uint8Array.of(2, 0, 0, 0, 0, 1);
  const host = world.addHost('host', { mac, loopback: true }, simCard({ cycleTable: profile.cycleTable }));
  world.complete(host, host.probe());
  const user = world.complete(host, host.openUser(1));
  return { world, host, user };
}

function echoes(profile: PcieProfile, seed: number, count: number, jitter = true): Float64Array {
  const { world, host, user } = hostOf(profile, seed, jitter);
  const random = world.random.stream('turnaround');
  const latencies = new Float64Array(count);
  let done = 0;
  let begunPs = 0;
  user.listen({
    onResult(timePs, result) {
      expect(result.failed).to.equal(false);
      latencies[done++] = timePs - begunPs;
      if (done < count) begunPs = user.nop(timePs + drawTurnaroundPs(profile, random), user.takeSlot(), 0);
    },
  });
  begunPs = user.nop(world.nowPs, user.takeSlot(), 0);
  world.runWhile(() => done < count);
  expect(done).to.equal(count);
  expect(host.memory.violations).to.deep.equal([]);
  return latencies;
}

describe('world: echo', () => {
  it('with u250-original lands on the real card within 2 % at min, p50, p90 and p99, for any seed', () => {
    const profile = pcieProfile('u250-original');
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), (seed) => {
        const ns = echoes(profile, seed, 1000)
          .map((ps) => ps / 1000)
          .sort();
        const found = {
          min: ns[0]!,
          p50: percentileNearestRank(ns, 0.5)!,
          p90: percentileNearestRank(ns, 0.9)!,
          p99: percentileNearestRank(ns, 0.99)!,
        };
        for (const [name, real] of Object.entries(REAL)) {
          expect(
            Math.abs(found[name as keyof typeof REAL] / real - 1),
            `${name} of seed ${seed}`,
          ).to.be.below(0.02);
        }
      }),
      { seed: 11, numRuns: 60 },
    );
  });

  it('is made of rows that add up, to the picosecond, to what the world does without jitter', () => {
    for (const profile of pcieProfiles()) {
      const table = cycleTables[profile.cycleTable as keyof typeof cycleTables];
      const source = table.source;
      const card = cardRows(echoParts(table).map((row) => ({ ...row, source })));
      const rows = explainEcho(profile, card);
      for (const latency of echoes(profile, 1, 5, false)) expect(latency).to.equal(sumPs(rows));
      expect(rows.every((row) => row.source.length > 0 && row.timePs > 0)).to.equal(true);
    }
  });

  it('gives the same latencies for the same seed, and others for another', () => {
    const profile = pcieProfile('u250-gen3x16');
    expect(echoes(profile, 5, 200)).to.deep.equal(echoes(profile, 5, 200));
    expect(echoes(profile, 5, 200)).to.not.deep.equal(echoes(profile, 6, 200));
  });
});

describe('world: read', () => {
  it('is made of rows that add up, to the picosecond', () => {
    for (const profile of pcieProfiles()) {
      const table = cycleTables[profile.cycleTable as keyof typeof cycleTables];
      const { world, host } = hostOf(profile, 1, false);
      const begunPs = world.nowPs;
      let seenPs = 0;
      host.load(begunPs, host.identityAddress(1), 64, (timePs, bytes) => {
        seenPs = timePs;
        expect(bytes.length).to.equal(64);
        expect(String.fromCharCode(...bytes.subarray(0, 4))).to.equal('HOMA');
      });
      world.runWhile(() => seenPs === 0);
      const card = cardRows([{ part: 'MMIO read', cycles: readCycles(table), source: table.source }]);
      expect(seenPs - begunPs).to.equal(sumPs(explainRead(profile, card)));
    }
  });
});
