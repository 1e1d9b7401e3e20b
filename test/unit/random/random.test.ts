// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import fc from 'fast-check';
import { naturalLog } from '#src/random/natural-log.js';
import { Random, stream } from '#src/random/random.js';

describe('random', () => {
  it('gives the pinned bytes of a seed, whatever the machine', () => {
    const random = Random.fromSeed(1);
    const draws = Array.from({ length: 6 }, () => random.nextUint32());
    expect(draws).to.deep.equal(PINNED);
    expect(stream(1, 'arrivals').nextUint32()).to.equal(PINNED_STREAM);
  });

  it('is the xoshiro128** recurrence on 32-bit words', () => {
    // The same recurrence in BigInt, from the state that follows from four outputs' definition.
    const random = Random.fromSeed(12345);
    const state = ['a', 'b', 'c', 'd'].map((key) =>
      BigInt((random as unknown as Record<string, number>)[key]! >>> 0),
    ) as [bigint, bigint, bigint, bigint];
    const mask = 0xffffffffn;
    const rotate = (x: bigint, k: bigint): bigint => ((x << k) | (x >> (32n - k))) & mask;
    for (let i = 0; i < 200; i++) {
      const expected = (rotate((state[1] * 5n) & mask, 7n) * 9n) & mask;
      const t = (state[1] << 9n) & mask;
      state[2] ^= state[0];
      state[3] ^= state[1];
      state[1] ^= state[2];
      state[0] ^= state[3];
      state[2] ^= t;
      state[3] = rotate(state[3], 11n);
      expect(BigInt(random.nextUint32())).to.equal(expected);
    }
  });

  it('gives independent streams by name, unaffected by draws already taken', () => {
    const parent = Random.fromSeed(7);
    const before = parent.stream('loss').nextUint32();
    parent.nextUint32();
    expect(parent.stream('loss').nextUint32()).to.equal(before);
    const names = ['a', 'b', 'ab', 'ba', '', 'loss', 'jitter'];
    const seeds = [0, 1, 2, 2 ** 32, 2 ** 32 + 1];
    const first = new Set(seeds.flatMap((seed) => names.map((name) => stream(seed, name).nextUint32())));
    expect(first.size).to.equal(seeds.length * names.length);
    // Correlation of two streams of one seed over 20,000 draws stays within four standard errors.
    const [x, y] = [stream(3, 'x'), stream(3, 'y')];
    let sum = 0;
    for (let i = 0; i < 20000; i++) sum += (x.nextUnit() - 0.5) * (y.nextUnit() - 0.5);
    expect(Math.abs((sum / 20000) * 12)).to.be.below(4 / Math.sqrt(20000));
  });

  it('draws below n without bias', () => {
    const random = stream(11, 'below');
    const n = 7;
    const counts = new Array<number>(n).fill(0);
    for (let i = 0; i < 70000; i++) counts[random.nextBelow(n)]!++;
    const chi = counts.reduce((sum, count) => sum + (count - 10000) ** 2 / 10000, 0);
    expect(chi).to.be.below(22.5); // 0.999 quantile of chi-square with 6 degrees of freedom
    // n = 3 x 2^30: plain modulo would give the lowest third half of all draws.
    let low = 0;
    for (let i = 0; i < 30000; i++) if (random.nextBelow(3 * 2 ** 30) < 2 ** 30) low++;
    expect(low / 30000).to.be.within(0.32, 0.347);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (bound) => {
        const draw = random.nextBelow(bound);
        return Number.isSafeInteger(draw) && draw >= 0 && draw < bound;
      }),
      { seed: 5 },
    );
    expect(() => random.nextBelow(0)).to.throw(RangeError, /0/);
    expect(() => Random.fromSeed(-1)).to.throw(RangeError, /-1/);
  });

  it('has the moments of its distributions', () => {
    const random = stream(2, 'moments');
    const n = 100000;
    const moments = (draw: () => number): [number, number] => {
      let sum = 0;
      let squares = 0;
      for (let i = 0; i < n; i++) {
        const x = draw();
        sum += x;
        squares += x * x;
      }
      return [sum / n, squares / n - (sum / n) ** 2];
    };
    const near = ([mean, variance]: [number, number], m: number, v: number): void => {
      expect(mean).to.be.closeTo(m, 5 * Math.sqrt(v / n));
      expect(variance).to.be.closeTo(v, 0.05 * v);
    };
    near(
      moments(() => random.nextUnit()),
      0.5,
      1 / 12,
    );
    near(
      moments(() => random.nextExponential()),
      1,
      1,
    );
    near(
      moments(() => random.nextErlang(4)),
      1,
      0.25,
    );
    near(
      moments(() => random.nextBell()),
      0,
      1,
    );
    let hits = 0;
    for (let i = 0; i < n; i++) if (random.nextChance(0.3)) hits++;
    expect(hits / n).to.be.closeTo(0.3, 0.008);
  });
});

describe('natural logarithm', () => {
  it('agrees with Math.log within 1e-15', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 2.3e-308, max: Number.MAX_VALUE, noNaN: true, noDefaultInfinity: true }),
        (x) => Math.abs(naturalLog(x) - Math.log(x)) <= 1e-15 * Math.max(1, Math.abs(Math.log(x))),
      ),
      { seed: 42, numRuns: 20000 },
    );
    const random = stream(9, 'log');
    for (let i = 0; i < 50000; i++) {
      const u = 1 - random.nextUnit();
      expect(Math.abs(naturalLog(u) - Math.log(u))).to.be.at.most(1e-15 * Math.max(1, -Math.log(u)));
    }
    expect(naturalLog(1)).to.equal(0);
    expect(naturalLog(2)).to.equal(Math.LN2);
  });
  it('refuses what has no logarithm', () => {
    for (const bad of [0, -1, NaN, Infinity, 5e-324]) expect(() => naturalLog(bad)).to.throw(RangeError);
  });
});

const PINNED = [3440905440, 13284687, 1286123079, 2279378476, 2648111863, 2474065736];
const PINNED_STREAM = 1166467622;
