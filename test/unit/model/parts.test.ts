// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import fc from 'fast-check';
import { parseArrivals } from '#src/model/arrival-file.js';
import { compareResults, entriesNeeded, type Comparable, type Comparison } from '#src/model/compare.js';
import { Collector } from '#src/model/collector.js';
import { DoubleHeap } from '#src/model/double-heap.js';
import { IndexedHeap } from '#src/model/indexed-heap.js';
import { keyOf, MAX_MESSAGES, MAX_UNITS, messageOf, remainingOf } from '#src/model/messages.js';
import { MinHeap } from '#src/model/min-heap.js';
import { radixSort, sortByTag } from '#src/model/radix-sort.js';
import { histogramOf } from '#src/model/recorder.js';
import { Ring } from '#src/model/ring.js';
import { checkSettings, DEFAULT_SETTINGS, waterMarks } from '#src/model/settings.js';
import { bucketBounds } from '#src/model/strategies/sifter.js';
import { equalLoadThresholds } from '#src/model/thresholds.js';
import { LengthDistribution } from '#src/workload/length-distribution.js';

/** Operations on a queue: a number to add, or what to take. */
const operations = fc.array(fc.oneof(fc.integer({ min: 0, max: 1000 }), fc.constantFrom('min', 'max')), {
  maxLength: 300,
});

describe('model: parts', () => {
  it('keys hold any length and any message', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: MAX_UNITS }),
        fc.integer({ min: 0, max: 2 * MAX_MESSAGES + 1000 }),
        (units, message) => {
          const key = keyOf(units, message);
          return Number.isSafeInteger(key) && messageOf(key) === message && remainingOf(key) === units;
        },
      ),
      { seed: 1, numRuns: 1000 },
    );
    expect(keyOf(5, 9) < keyOf(6, 0)).to.equal(true);
  });

  it('the double-ended heap always has both ends right', () => {
    fc.assert(
      fc.property(operations, (list) => {
        const heap = new DoubleHeap();
        const plain: number[] = [];
        list.forEach((operation, i) => {
          if (operation === 'min') expect(heap.popMin()).to.equal(plain.shift() ?? Infinity);
          else if (operation === 'max') expect(heap.popMax()).to.equal(plain.pop() ?? -Infinity);
          else {
            heap.push(keyOf(operation, i));
            plain.push(keyOf(operation, i));
            plain.sort((a, b) => a - b);
          }
          expect(heap.size).to.equal(plain.length);
          expect(heap.min).to.equal(plain[0] ?? Infinity);
          expect(heap.max).to.equal(plain.at(-1) ?? -Infinity);
        });
      }),
      { seed: 2, numRuns: 300 },
    );
  });

  it('the heap of messages gives them by remaining units, ties by number', () => {
    fc.assert(
      fc.property(operations, (list) => {
        const heap = new MinHeap();
        const plain: [number, number][] = [];
        list.forEach((operation, i) => {
          if (typeof operation === 'string') expect(heap.pop()).to.equal(plain.shift()?.[1] ?? -1);
          else {
            heap.push(operation % 20, i);
            plain.push([operation % 20, i]);
            plain.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
          }
          expect(heap.top).to.equal(plain[0]?.[1] ?? -1);
        });
      }),
      { seed: 3, numRuns: 300 },
    );
  });

  it('sorts numbers with their tags, also those that differ in the last bits only', () => {
    const close = fc.integer({ min: 0, max: 40 }).map((bits) => 1.5 + bits * 2 ** -50);
    const value = fc.oneof(
      fc.constantFrom(0, 1, 1, 7),
      close,
      fc.double({ min: 1e-9, max: 1e9, noNaN: true }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(value, fc.integer({ min: 0, max: 9 }))), (list) => {
        const counts = new Int32Array(10);
        for (const [, tag] of list) counts[tag]!++;
        const all = radixSort({
          values: Float64Array.from(list, ([number]) => number),
          tags: Uint8Array.from(list, ([, tag]) => tag),
        });
        const pairs = ({ values, tags }: typeof all): [number, number][] =>
          Array.from(values, (number, i) => [number, tags[i]!]);
        const byBoth = (a: [number, number], b: [number, number]): number => a[0] - b[0] || a[1] - b[1];
        expect([...all.values]).to.deep.equal(list.map(([number]) => number).sort((a, b) => a - b));
        expect(pairs(all).sort(byBoth)).to.deep.equal([...list].sort(byBoth));
        expect(pairs(sortByTag(all, counts))).to.deep.equal(
          [...list].sort((a, b) => a[1] - b[1] || a[0] - b[0]),
        );
      }),
      { seed: 9, numRuns: 500 },
    );
  });

  it('the indexed heap follows changes and removals', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.option(fc.integer({ min: 0, max: 99 })))),
        (list) => {
          const heap = new IndexedHeap();
          const plain = new Map<number, number>();
          for (const [item, key] of list) {
            if (key === null) {
              heap.delete(item);
              plain.delete(item);
            } else {
              heap.set(item, key);
              plain.set(item, key);
            }
            expect(heap.size).to.equal(plain.size);
            const smallest = Math.min(...plain.values());
            if (plain.size > 0) expect(plain.get(heap.top)).to.equal(smallest);
            else expect(heap.top).to.equal(-1);
          }
        },
      ),
      { seed: 4, numRuns: 500 },
    );
  });

  it('the ring is first in, first out, while it grows', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat()), { maxLength: 200 }), (list) => {
        const ring = new Ring();
        const plain: number[] = [];
        for (const item of list) {
          if (item === null) expect(ring.shift()).to.equal(plain.shift() ?? -1);
          else {
            ring.push(item);
            plain.push(item);
          }
          expect(Array.from({ length: ring.size }, (_, i) => ring.at(i))).to.deep.equal(plain);
        }
      }),
      { seed: 5 },
    );
  });

  it('reads arrivals, and names the line that is wrong', () => {
    const list = parseArrivals('cycle,length\n# a comment\n\n0,1\n7 , 24\r\n7,3');
    expect([...list.cycles]).to.deep.equal([0, 7, 7]);
    const saved = parseArrivals('\ufeff# from a spreadsheet\r\ncycle,length\r\n3,2\r\n');
    expect([...saved.cycles, ...saved.units]).to.deep.equal([3, 2]);
    expect(() => parseArrivals('1,2\ncycle,length\n')).to.throw(/line 2: expected/);
    expect([...list.units]).to.deep.equal([1, 24, 3]);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(1e6), fc.integer({ min: 1, max: 1e6 })), { minLength: 1 }),
        (pairs) => {
          pairs.sort((a, b) => a[0] - b[0]);
          const { cycles, units } = parseArrivals(
            pairs.map(([cycle, length]) => `${cycle},${length}`).join('\n'),
          );
          expect([...cycles]).to.deep.equal(pairs.map(([cycle]) => cycle));
          expect([...units]).to.deep.equal(pairs.map(([, length]) => length));
        },
      ),
      { seed: 6, numRuns: 50 },
    );
    for (const [text, message] of [
      ['1,2\nx,3\n', /line 2: expected "cycle,length", got "x,3"/],
      ['1\n', /line 1: expected/],
      ['1,\n', /line 1: expected/],
      ['1,2,3\n', /line 1: expected/],
      ['-1,2\n', /line 1: expected/],
      ['9,2\n8,2\n', /line 2: cycle 8 is below/],
      [`1,${MAX_UNITS + 1}\n`, /line 1: length 67108864 is outside/],
      ['99999999999999999999,2\n', /above 2\^53/],
      ['# nothing\n', /holds no arrival/],
    ] as const) {
      expect(() => parseArrivals(text), text).to.throw(message);
    }
  });

  it('bucket bounds ascend, cover every length, and are as many as asked for where there is room', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 500_000 }), (count, longest) => {
        const bounds = bucketBounds(count, longest);
        expect(bounds.at(-1)).to.equal(longest);
        bounds.forEach((bound, i) => {
          if (i > 0) expect(bound).to.be.above(bounds[i - 1]!);
        });
        expect(bounds.length).to.be.at.most(Math.max(1, count));
      }),
      { seed: 7, numRuns: 300 },
    );
    expect(bucketBounds(32, 15_625).length).to.be.within(28, 32);
  });

  it('thresholds of strict priorities cut the load into equal parts', () => {
    const distribution = new LengthDistribution(
      'flat',
      Array.from({ length: 1000 }, (_, i) => [(i + 1) * 64, (i + 1) / 1000] as const),
    );
    const thresholds = equalLoadThresholds(distribution, 4, 64);
    expect(thresholds).to.have.length(3);
    const below = (t: number): number => {
      let sum = 0;
      for (let length = 1; length <= 1000; length++) sum += Math.min(length, t);
      return sum / 500_500;
    };
    thresholds.forEach((threshold, i) => {
      expect(below(threshold)).to.be.closeTo((i + 1) / 4, 0.002);
    });
    expect(equalLoadThresholds(new LengthDistribution('one', [[64, 1]]), 8, 64)).to.deep.equal([]);
  });

  it('checks every setting and names value and range', () => {
    const bad = (change: object, text: RegExp): void => {
      expect(() => checkSettings({ ...DEFAULT_SETTINGS, strategy: 'sifter', ...change })).to.throw(text);
    };
    bad({ load: 1 }, /load 1 is outside .* below 1/);
    bad({ load: -0.5 }, /load -0\.5/);
    bad({ load: NaN }, /load NaN/);
    bad({ entries: 0 }, /entries 0 .* from 1 to 1000000/);
    bad({ messages: 1e12 }, /messages 1000000000000 .* from 1 to 20000000/);
    bad({ messages: 1.5 }, /messages 1\.5/);
    bad({ warmup: 100_000 }, /warm-up 100000 .* 0 to 99999/);
    bad({ lowMark: 64 }, /low mark 64 .* 0 to 63/);
    bad({ lowMark: 10, highMark: 10 }, /high mark 10 .* 11 to 64/);
    bad({ lengthRule: 'all' }, /length rule "all"/);
    checkSettings({ ...DEFAULT_SETTINGS, load: 1.5, overload: true });
    expect(waterMarks({ ...DEFAULT_SETTINGS, strategy: 'pifo-watermark', entries: 1 })).to.deep.equal({
      low: 0,
      high: 1,
    });
  });

  it('thins the curve over time and keeps it even', () => {
    const collector = new Collector();
    for (let cycle = 0; cycle < 1_000_000; cycle += 10) collector.held(cycle, cycle + 10, cycle % 7, 1);
    const curve = collector.backlogCurve();
    expect(curve.length).to.be.within(256, 512);
    const step = curve[1]!.cycle;
    curve.forEach(({ cycle, behind }, i) => {
      expect(cycle).to.equal(i * step);
      expect(behind).to.equal(1);
    });
  });

  it('takes the fewest entries from which on all stay within the limit', () => {
    const at = (entries: number, mean: number, half: number): Comparison => ({
      ...{ workload: 'w1', load: 0.8, strategy: 'sifter', levels: 8, seeds: 3 },
      ...{ meanSlowdown: undefined, p99Slowdown: undefined, inversionShare: undefined },
      ...{ entries, p99Ratio: { mean, half, seeds: 3 }, meanRatio: undefined, worstDecileRatio: undefined },
    });
    const list = [at(1, 2, 0), at(2, 1.0, 0), at(4, 1.02, 0.01), at(8, 1.0, 0.005), at(16, 1, 0)];
    expect(entriesNeeded(list, 1.01)[0]).to.include({ entries: 8, ratioUpTo: 1.005 });
    expect(entriesNeeded(list, 1.05)[0]).to.include({ entries: 2 });
    expect(entriesNeeded(list.slice(0, 1), 1.05)[0]).to.include({ entries: null });
    expect(entriesNeeded(list, 1.05, 'every tenth')[0]).to.include({ entries: null });
  });
});

describe('model: comparison', () => {
  const slowdown = { count: 1000, mean: 2, p50: 2, p90: 2, p99: 2, p999: 2 };
  const row = (strategy: string, seed: number, p99: readonly (number | null)[]): Comparable =>
    ({
      settings: { ...DEFAULT_SETTINGS, strategy, seed },
      slowdown,
      inversionShare: 0,
      deciles: p99.map((value, i) => ({ ...slowdown, upToBytes: 100 * (i + 1), p99: value })),
    }) as unknown as Comparable;
  const compare = (seeds: readonly (readonly (number | null)[])[]): Comparison =>
    compareResults([
      ...seeds.map((_, i) => row('exact', i, new Array<number>(10).fill(2))),
      ...seeds.map((p99, i) => row('sifter', i, p99)),
    ]).find((c) => c.strategy === 'sifter')!;

  it('takes the tenth whose interval reaches highest, not the one of the largest mean', () => {
    // The first tenth is 1 % above exact in every seed; the second wavers around 0.5 %, and may lie 3 % above.
    const seeds = [2.04, 2, 1.99].map((second) => [2.02, second, ...new Array<number>(8).fill(2)]);
    const worst = compare(seeds).worstDecileRatio!;
    expect(worst.mean).to.be.closeTo(1.005, 1e-9);
    expect(worst.mean + worst.half).to.be.above(1.03);
  });

  it('does not speak for the worst tenth when one is too small for a p99', () => {
    const seeds = [1, 2].map(() => [null, ...new Array<number>(9).fill(2)]);
    expect(compare(seeds).worstDecileRatio).to.equal(undefined);
    expect(compare(seeds).p99Ratio).to.deep.equal({ mean: 1, half: 0, seeds: 2 });
  });
});

describe('model: histogram', () => {
  it('holds every value, in ascending bins of three digits', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1 }), (values) => {
        const sorted = Float64Array.from(values).sort();
        const bins = histogramOf(sorted);
        expect(bins.reduce((sum, [, count]) => sum + count, 0)).to.equal(values.length);
        bins.forEach(([value], i) => {
          if (i > 0) expect(value).to.be.above(bins[i - 1]![0]);
        });
        let at = 0;
        for (const [value, count] of bins) {
          for (let i = 0; i < count; i++, at++) {
            const digit = 10 ** (Math.max(0, Math.floor(Math.log10(Math.max(1, sorted[at]!)))) - 2);
            expect(Math.abs(sorted[at]! - value)).to.be.at.most(digit * 0.5000001);
          }
        }
      }),
      { seed: 8, numRuns: 300 },
    );
    expect(histogramOf(Float64Array.of(1, 1, 1.004, 2, 999.6, 1000))).to.deep.equal([[1, 3], [2, 1], [1000, 2]]); // prettier-ignore
  });
});
