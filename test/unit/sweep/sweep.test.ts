// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import { DEFAULT_SETTINGS } from '#src/model/settings.js';
import { runModel } from '#src/model/run.js';
import { compareResults, entriesNeeded } from '#src/model/compare.js';
import { loadDistribution } from '#src/sweep/point-source.js';
import { normalizeSettings, pointKey, sweepPoints } from '#src/sweep/points.js';
import { sweepRow, type SweepRow } from '#src/sweep/rows.js';
import { runSweep } from '#src/sweep/run-sweep.js';

const base = { ...DEFAULT_SETTINGS, messages: 1500, warmup: 150 };
const axes = {
  strategies: ['sifter', 'fifo'],
  entries: [1, 2, 8],
  levels: [8],
  workloads: ['w1', 'w4'],
  loads: [0.8],
  seeds: [1, 2, 3],
};

describe('sweep', function () {
  this.timeout(30_000);
  it('has each point once, exact among them, and the same key after JSON', () => {
    const points = sweepPoints(base, axes);
    // A seed, a workload: exact and fifo once whatever the entries, sifter three times.
    expect(points).to.have.length(3 * 2 * 5);
    expect(new Set(points.map(pointKey)).size).to.equal(points.length);
    for (const point of points) {
      expect(pointKey(JSON.parse(JSON.stringify(point)) as typeof point)).to.equal(pointKey(point));
    }
    expect(normalizeSettings({ ...base, strategy: 'fifo' }).entries).to.equal(null);
    expect(() => sweepPoints(base, { ...axes, loads: [1.2] })).to.throw(/load 1\.2/);
  });

  it('gives the rows that the points give by themselves, in any thread', async () => {
    const points = sweepPoints(base, axes);
    const rows = new Map<string, SweepRow>();
    let last = 0;
    const finished = await runSweep({
      points,
      threads: 2,
      onRow: (row) => rows.set(pointKey(row.settings), row),
      onProgress: ({ done, total, secondsLeft }) => {
        expect(done).to.equal(++last);
        expect(total).to.equal(points.length);
        expect(secondsLeft).to.be.at.least(0);
      },
    });
    expect(finished).to.equal(true);
    for (const point of points) {
      const distribution = await loadDistribution(point.workload, point.lengthRule);
      const alone = sweepRow(runModel(point, { kind: 'poisson', distribution }));
      expect(rows.get(pointKey(point))).to.deep.equal(alone);
    }
  });

  it('stops when told, and says when a point fails', async () => {
    const stop = new AbortController();
    let count = 0;
    const finished = await runSweep({
      points: sweepPoints(base, { ...axes, seeds: [1, 2, 3, 4, 5, 6, 7, 8] }),
      threads: 2,
      signal: stop.signal,
      onRow: () => {
        if (++count === 3) stop.abort();
      },
    });
    expect(finished).to.equal(false);
    expect(count).to.equal(3);
    const bad = await runSweep({ points: [{ ...base, workload: 'w9' }], onRow: () => undefined }).catch(
      (error: unknown) => error,
    );
    expect(String(bad)).to.contain('unknown workload "w9"');
  });

  it('compares on the same messages and finds the entries needed', async () => {
    const rows: SweepRow[] = [];
    await runSweep({ points: sweepPoints(base, axes), threads: 1, onRow: (row) => rows.push(row) });
    const comparisons = compareResults(rows);
    const exact = comparisons.find((c) => c.strategy === 'exact' && c.workload === 'w1')!;
    expect(exact.p99Ratio).to.deep.equal({ mean: 1, half: 0, seeds: 3 });
    const fifo = comparisons.find((c) => c.strategy === 'fifo' && c.workload === 'w4')!;
    expect(fifo.meanRatio!.mean - fifo.meanRatio!.half).to.be.above(1);
    const needed = entriesNeeded(comparisons, 1.05).filter((n) => n.strategy === 'sifter');
    expect(needed.map((n) => n.workload).sort()).to.deep.equal(['w1', 'w4']);
    for (const n of needed) {
      const above = comparisons.filter(
        (c) => c.strategy === 'sifter' && c.workload === n.workload && c.entries! >= n.entries!,
      );
      for (const c of above) expect(c.p99Ratio!.mean + c.p99Ratio!.half).to.be.at.most(1.05);
    }
    expect(compareResults(rows.filter((row) => row.settings.seed === 1))[0]!.p99Slowdown).to.equal(undefined);
  });
});
