// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import fc from 'fast-check';
import { mean, standardDeviation } from 'simple-statistics';
import { binCounts, countValues, IntegerCounter } from '#src/stats/counted-values.js';
import { nearestRank, percentileNearestRank } from '#src/stats/percentile.js';
import { linearFit } from '#src/stats/regression.js';
import { summarize, summarizeCounts } from '#src/stats/summary.js';

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

describe('stats: percentiles by nearest rank', () => {
  it('gives the textbook ranks', () => {
    expect(percentileNearestRank([15, 20, 35, 40, 50], 0.3)).to.equal(20);
    expect(percentileNearestRank([15, 20, 35, 40, 50], 0.4)).to.equal(20);
    expect(percentileNearestRank([15, 20, 35, 40, 50], 0.5)).to.equal(35);
    expect(percentileNearestRank([15, 20, 35, 40, 50], 1)).to.equal(50);
    expect(percentileNearestRank([15, 20, 35, 40, 50], 0)).to.equal(15);
  });

  const edges: [p: number, enough: number][] = [
    [0.5, 2],
    [0.9, 10],
    [0.95, 20],
    [0.99, 100],
    [0.999, 1000],
    [0.9999, 10_000],
  ];
  for (const [p, enough] of edges) {
    it(`p = ${p} needs exactly ${enough} samples`, () => {
      expect(percentileNearestRank(upTo(enough - 1), p)).to.equal(undefined);
      expect(percentileNearestRank(upTo(enough), p)).to.equal(Math.round(p * enough));
    });
  }

  it('0.07 of 100 samples is the 7th, whatever the floating product says', () => {
    expect(nearestRank(100, 0.07)).to.equal(7);
    expect(nearestRank(100, 0.29)).to.equal(29);
  });

  it('has no percentile of nothing and refuses a fraction that is none', () => {
    expect(percentileNearestRank([], 0.5)).to.equal(undefined);
    expect(percentileNearestRank([], 1)).to.equal(undefined);
    expect(() => percentileNearestRank([1], 99)).to.throw(RangeError, '99');
    expect(() => percentileNearestRank([1], Number.NaN)).to.throw(RangeError);
  });

  it('property: the smallest sample with at least p of all samples at or below it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 300 }),
        fc.integer({ min: 0, max: 1000 }),
        (samples, thousandths) => {
          const sorted = [...samples].sort((a, b) => a - b);
          const got = percentileNearestRank(sorted, thousandths / 1000);
          if (thousandths < 1000 && samples.length * (1000 - thousandths) < 1000) {
            return got === undefined;
          }
          const naive = sorted.find(
            (v) => sorted.filter((w) => w <= v).length * 1000 >= thousandths * samples.length,
          );
          return got === naive;
        },
      ),
    );
  });
});

describe('stats: summary', () => {
  it('says - where the count is too small, and deviation 0 for one sample', () => {
    expect(summarize([7])).to.deep.equal({
      count: 1,
      min: 7,
      p50: null,
      p90: null,
      p99: null,
      p999: null,
      max: 7,
      mean: 7,
      deviation: 0,
    });
  });

  it('is right for 1 to 1000', () => {
    const s = summarize(upTo(1000).reverse());
    expect(s).to.include({ count: 1000, min: 1, p50: 500, p90: 900, p99: 990, p999: 999, max: 1000 });
    expect(s.mean).to.equal(500.5);
    expect(s.deviation).to.be.closeTo(Math.sqrt((1000 ** 2 - 1) / 12), 1e-9);
  });

  it('leaves its input alone and refuses an empty one', () => {
    const samples = [3, 1, 2];
    summarize(samples);
    expect(samples).to.deep.equal([3, 1, 2]);
    expect(() => summarize([])).to.throw(RangeError);
    expect(() => summarizeCounts({ values: [4], counts: [0] })).to.throw(RangeError);
  });

  it('property: counts per value give what the samples give, and mean and deviation of simple-statistics', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.integer({ min: -20, max: 300 }), fc.integer({ min: -1e9, max: 1e9 })), {
          minLength: 1,
          maxLength: 1200,
        }),
        (samples) => {
          const counter = new IntegerCounter();
          for (const value of samples) counter.add(value);
          expect(counter.toCounted()).to.deep.equal(countValues(samples));
          const whole = summarize(samples);
          const counted = summarizeCounts(counter.toCounted());
          for (const key of ['count', 'min', 'p50', 'p90', 'p99', 'p999', 'max'] as const) {
            expect(counted[key], key).to.equal(whole[key]);
          }
          const scale = Math.max(1, ...samples.map(Math.abs));
          expect(counted.mean).to.be.closeTo(mean(samples), scale * 1e-12);
          expect(counted.deviation).to.be.closeTo(standardDeviation(samples), scale * 1e-9);
        },
      ),
    );
  });
});

describe('stats: bins', () => {
  it('loses no sample and puts the tail into the last bin', () => {
    const counted = countValues([0, 1, 2, 3, 4, 1000]);
    expect(binCounts(counted, 4, 4)).to.deep.equal([1, 1, 1, 3]);
    expect(binCounts(counted, 2)).to.deep.equal([5, 1]);
    expect(binCounts(countValues([5, 5]), 3)).to.deep.equal([2, 0, 0]);
    expect(binCounts(countValues([]), 2)).to.deep.equal([0, 0]);
  });
});

describe('stats: linear fit', () => {
  it('finds an exact line, a flat line, and refuses points at one x', () => {
    const fit = linearFit([
      [1, 5],
      [2, 7],
      [4, 11],
    ]);
    expect(fit.slope).to.be.closeTo(2, 1e-12);
    expect(fit.intercept).to.be.closeTo(3, 1e-12);
    expect(fit.r2).to.be.closeTo(1, 1e-12);
    expect(linearFit([[0, 4], [3, 4]])).to.deep.equal({ slope: 0, intercept: 4, r2: 1 }); // prettier-ignore
    expect(() => linearFit([])).to.throw(RangeError);
    expect(() => linearFit([[1, 2], [1, 3]])).to.throw(RangeError, 'different x'); // prettier-ignore
  });

  it('property: the residuals of the fit sum to zero and are orthogonal to x', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: -100, max: 100 }), fc.integer({ min: -1000, max: 1000 })), {
          minLength: 2,
          maxLength: 40,
        }),
        (points) => {
          fc.pre(new Set(points.map(([x]) => x)).size > 1);
          const { slope, intercept, r2 } = linearFit(points);
          const residuals = points.map(([x, y]) => y - slope * x - intercept);
          expect(residuals.reduce((a, b) => a + b, 0)).to.be.closeTo(0, 1e-5);
          expect(residuals.reduce((a, r, i) => a + r * points[i]![0], 0)).to.be.closeTo(0, 1e-3);
          expect(r2).to.be.within(-1e-9, 1 + 1e-9);
        },
      ),
    );
  });
});
