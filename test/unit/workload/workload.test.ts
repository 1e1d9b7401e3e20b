// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import fc from 'fast-check';
import { listWorkloads, loadWorkload } from '#src/data/load-workload.js';
import { stream } from '#src/random/random.js';
import {
  LengthDistribution,
  cutDistribution,
  homaModuleDistribution,
  rawDistribution,
} from '#src/workload/length-distribution.js';
import { WorkloadError, parseWorkloadTable } from '#src/workload/workload-table.js';

// Means of the fact sheet (section 10): full tables, then ours where the carried table is a reduced one (w3, w4).
const MEANS = {
  w1: { raw: 189.17, cut: 189.17, homa: 192.81, points: 157 },
  w2: { raw: 441.6, cut: 433.32, homa: 440.81, points: 96 },
  w3: { raw: 2966.71, cut: 2434.91, homa: 2561.73, points: 115 },
  w4: { raw: 127961.7, cut: 60248.32, homa: 61026.3, points: 222 },
  w5: { raw: 2564689.68, cut: 385315.51, homa: 386161.45, points: 110 },
};

describe('workload', () => {
  for (const [name, mean] of Object.entries(MEANS)) {
    it(`${name} has its means, raw, cut and by HomaModule's rule`, async () => {
      const table = await loadWorkload(name);
      expect(rawDistribution(table).meanBytes).to.be.closeTo(mean.raw, 0.005);
      expect(cutDistribution(table).meanBytes).to.be.closeTo(mean.cut, 0.005);
      const homa = homaModuleDistribution(table);
      expect(homa.meanBytes).to.be.closeTo(mean.homa, 0.005);
      expect(homa.lengthsBytes.length + 1).to.equal(mean.points); // HomaModule also counts its (0, 0)
      expect(homa.fractions.at(-1)).to.equal(1);
      expect(homa.lengthsBytes.at(-1)).to.be.at.most(1_000_000);
    });
  }

  it('stays within 0.25 % of the full tables where only reduced ones are carried', async () => {
    const w3 = homaModuleDistribution(await loadWorkload('w3')).meanBytes;
    const w4 = homaModuleDistribution(await loadWorkload('W4')).meanBytes;
    expect(Math.abs(w3 / 2567.71 - 1)).to.be.below(0.0025);
    expect(Math.abs(w4 / 61008.15 - 1)).to.be.below(0.0005);
  });

  it('draws the first point whose fraction is u or more', () => {
    const points = fc
      .uniqueArray(fc.integer({ min: 1, max: 1e6 }), { minLength: 1, maxLength: 40 })
      .map((lengths) => lengths.sort((a, b) => a - b).map((l, i) => [l, (i + 1) / lengths.length] as const));
    fc.assert(
      fc.property(points, fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), (list, u) => {
        const linear = list.find(([, fraction]) => fraction >= u)![0];
        return new LengthDistribution('test', list).lengthBytes(u) === linear;
      }),
      { seed: 1 },
    );
  });

  it('draws lengths whose mean is the mean', async () => {
    const distribution = homaModuleDistribution(await loadWorkload('w2'));
    const random = stream(4, 'lengths');
    let sum = 0;
    let squares = 0;
    const n = 200000;
    for (let i = 0; i < n; i++) {
      const length = distribution.lengthBytes(random.nextUnit());
      sum += length;
      squares += length * length;
    }
    const error = Math.sqrt((squares / n - (sum / n) ** 2) / n);
    expect(Math.abs(sum / n - distribution.meanBytes)).to.be.below(4 * error);
    expect(distribution.probabilities().reduce((a, b) => a + b)).to.be.closeTo(1, 1e-12);
  });

  it('cuts the messages into ten classes', async () => {
    const distribution = homaModuleDistribution(await loadWorkload('w4'));
    const boundaries = distribution.decileBoundariesBytes();
    expect(boundaries).to.have.length(9);
    boundaries.forEach((boundary, i) => {
      const index = distribution.lengthsBytes.indexOf(boundary);
      expect(distribution.fractions[index]).to.be.at.least((i + 1) / 10);
      if (index > 0) expect(distribution.fractions[index - 1]).to.be.below((i + 1) / 10);
    });
  });

  it('lists what is shipped and refuses what is not', async () => {
    expect(await listWorkloads()).to.deep.equal(['w1', 'w2', 'w3', 'w4', 'w5']);
    const refused = async (name: string, text: RegExp): Promise<void> => {
      const error = await loadWorkload(name).then(
        () => undefined,
        (e: unknown) => e,
      );
      expect(error).to.be.instanceOf(WorkloadError);
      expect((error as Error).message).to.match(text);
    };
    await refused('w9', /unknown workload "w9".*w1, w2, w3, w4, w5/);
    await refused('nowhere.json', /nowhere\.json \(ENOENT\)/);
  });

  it('refuses a table that is wrong, and names the point', () => {
    const bad =
      (points: unknown): (() => unknown) =>
      () =>
        parseWorkloadTable({ name: 'x', points });
    expect(
      bad([
        [8, 0.5],
        [9, 0.4],
        [10, 1],
      ]),
    ).to.throw(WorkloadError, /point 2: fraction 0\.4 is below.*0\.5/);
    expect(
      bad([
        [8, 0.5],
        [8, 1],
      ]),
    ).to.throw(/point 2: length 8/);
    expect(bad([[8, 0.5]])).to.throw(/last fraction is 0\.5/);
    expect(bad([[8, 1.5]])).to.throw(/fraction 1\.5/);
    expect(bad([[0, 1]])).to.throw(/length 0/);
    expect(bad([['8', 1]])).to.throw(/length 8/);
    expect(bad([8])).to.throw(/point 1: expected/);
    expect(bad([])).to.throw(/at least one/);
    expect(() => parseWorkloadTable([])).to.throw(/JSON object/);
  });
});
