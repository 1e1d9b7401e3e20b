// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import fc from 'fast-check';
import { STRATEGIES } from '#src/model/catalogue.js';

import type { ArrivalList } from '#src/model/messages.js';
import { runModel, type ModelResult } from '#src/model/run.js';
import { DEFAULT_SETTINGS, strategyEntry, waterMarks, type ModelSettings } from '#src/model/settings.js';
import { equalLoadThresholds } from '#src/model/thresholds.js';
import { LengthDistribution } from '#src/workload/length-distribution.js';
import { slowRun, type Arrival } from './slow-simulator.js';

interface Case {
  arrivals: Arrival[];
  settings: Partial<ModelSettings>;
}

const arrivalList = (maxLength: number): fc.Arbitrary<Arrival[]> =>
  fc
    .array(
      fc.record({
        gap: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 60 })),
        units: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 160 })),
      }),
      { minLength: 1, maxLength },
    )
    .map((list) => {
      let cycle = 0;
      return list.map(({ gap, units }) => ({ cycle: (cycle += gap), units }));
    });

const anyCase: fc.Arbitrary<Case> = fc.record({
  arrivals: arrivalList(40),
  settings: fc.record({
    entries: fc.oneof(fc.constant(null), fc.integer({ min: 2, max: 9 })),
    levels: fc.integer({ min: 1, max: 5 }),
    buckets: fc.integer({ min: 1, max: 8 }),
    packetUnits: fc.constantFrom(1, 5, 24),
    insertCycles: fc.constantFrom(0, 0, 1, 3),
    popCycles: fc.constantFrom(0, 0, 1, 4, 30),
    refillCycles: fc.constantFrom(0, 1, 4, 25),
    windowUnits: fc.constantFrom(0, 0, 10, 48),
    grantDelayCycles: fc.constantFrom(0, 7, 100),
    dataDelayCycles: fc.constantFrom(0, 0, 20),
  }),
});

const listOf = (arrivals: readonly Arrival[]): ArrivalList => ({
  cycles: Float64Array.from(arrivals, (arrival) => arrival.cycle),
  units: Int32Array.from(arrivals, (arrival) => arrival.units),
});

function run(
  settings: Partial<ModelSettings>,
  arrivals: Arrival[],
): { full: ModelSettings; result: ModelResult; completed: [number, number][] } {
  const completed: [number, number][] = [];
  const full: ModelSettings = {
    ...DEFAULT_SETTINGS,
    checkInversions: true,
    messages: arrivals.length,
    warmup: 0,
    ...settings,
  };
  const result = runModel(full, { kind: 'list', arrivals: listOf(arrivals) }, (message, cycle) =>
    completed.push([message, cycle]),
  );
  return { full: result.settings, result, completed };
}

function agree(strategy: string, { arrivals, settings }: Case): void {
  const { full, result, completed } = run({ ...settings, strategy }, arrivals);
  const marks = waterMarks(full);
  const lengths = [...new Set(arrivals.map((a) => a.units))].sort((a, b) => a - b);
  const points = lengths.map(
    (units) => [units * 64, arrivals.filter((a) => a.units <= units).length / arrivals.length] as const,
  );
  const thresholds = equalLoadThresholds(new LengthDistribution('slow', points), full.levels, 64);
  const slow = slowRun(full, arrivals, marks, thresholds);
  expect(completed, 'completions').to.deep.equal(slow.completed);
  expect(result.endCycle, 'end').to.equal(slow.endCycle);
  expect(result.packets, 'packets').to.equal(slow.packets);
  expect(result.inversions, 'inversions').to.equal(slow.inversions);
  expect((result.violationRatio ?? 0) * result.inversions, 'violations').to.be.closeTo(
    slow.violationSum,
    1e-6,
  );
  expect(result.worstViolation, 'worst violation').to.equal(slow.worstViolation);
  expect(result.underflowCycles, 'underflow').to.equal(slow.underflowCycles);
  expect(result.highWater, 'high water').to.equal(slow.highWater);
  expect(result.lowWater, 'low water').to.equal(slow.lowWater);
  expect(result.moves, 'moves').to.equal(slow.moves);
  expect(result.maxSize, 'max size').to.equal(slow.maxSize);
  const total = slow.occupancyCycles.reduce((a, b) => a + b, 0);
  let above = total;
  const slots: number[] = [];
  for (let i = 0; i < slow.occupancyCycles.length - 1; i++) {
    above -= slow.occupancyCycles[i] ?? 0;
    slots.push(above / total);
  }
  expect(result.slotOccupancy, 'slots').to.deep.equal(slots);
  expect(result.unitsIn).to.equal(result.unitsOut + result.unitsLeft);
  expect(result.unitsLeft).to.equal(0);
}

describe('model: the event-driven engine', () => {
  for (const { name } of STRATEGIES) {
    it(`${name} agrees with one step a cycle on every counter`, () => {
      fc.assert(
        fc.property(anyCase, (one) => {
          agree(name, one);
        }),
        { seed: 20_26, numRuns: 150 },
      );
    });
  }

  it("agrees with one step a cycle with the original's accounting", () => {
    fc.assert(
      fc.property(arrivalList(40), fc.constantFrom('exact', 'pifo-naive', 'sifter'), (arrivals, strategy) => {
        const { full, result } = run({ strategy, entries: 3, originalAccounting: true }, arrivals);
        const slow = slowRun(full, arrivals, waterMarks(full), []);
        expect(result.packets).to.equal(slow.packets);
        expect(result.inversions).to.equal(slow.inversions);
        expect(result.underflowCycles).to.equal(slow.underflowCycles);
        expect(result.endCycle).to.equal(slow.endCycle);
      }),
      { seed: 7, numRuns: 100 },
    );
  });

  it('equals exact SRPT event by event where entries are unbounded', () => {
    for (const { name } of STRATEGIES.filter((s) => s.pifoLike)) {
      fc.assert(
        fc.property(anyCase, ({ arrivals, settings }) => {
          const unbounded = { ...settings, entries: null, windowUnits: 0 };
          const exact = run({ ...unbounded, strategy: 'exact' }, arrivals);
          const other = run({ ...unbounded, strategy: name }, arrivals);
          expect(other.completed).to.deep.equal(exact.completed);
          expect({ ...other.result, settings: 0, slotOccupancy: 0, backlog: 0, maxSize: 0 }).to.deep.equal({
            ...exact.result,
            settings: 0,
            slotOccupancy: 0,
            backlog: 0,
            maxSize: 0,
          });
        }),
        { seed: 3, numRuns: 60 },
      );
    }
  });

  it('has no inversion in exact mode, whatever the costs, and loses no work without costs', () => {
    fc.assert(
      fc.property(anyCase, ({ arrivals, settings }) => {
        const { result } = run({ ...settings, strategy: 'exact' }, arrivals);
        expect(result.inversions).to.equal(0);
        expect(result.violationRatio).to.equal(null);
        const free = run({ strategy: 'exact' }, arrivals).result;
        expect(free.underflowCycles).to.equal(0);
      }),
      { seed: 5, numRuns: 100 },
    );
  });

  it('is deterministic, counts every measured message once, and conserves work', () => {
    const distribution = new LengthDistribution('two', [[64, 0.5], [6400, 1]]); // prettier-ignore
    const settings = { ...DEFAULT_SETTINGS, messages: 3000, warmup: 300, entries: 4, load: 0.9 };
    for (const { name } of STRATEGIES) {
      const one = runModel({ ...settings, strategy: name }, { kind: 'poisson', distribution });
      const two = runModel({ ...settings, strategy: name }, { kind: 'poisson', distribution });
      expect(one).to.deep.equal(two);
      expect(one.completions).to.equal(2700);
      expect(one.unitsIn).to.equal(one.unitsOut + one.unitsLeft);
      const other = runModel({ ...settings, strategy: name, seed: 2 }, { kind: 'poisson', distribution });
      expect(other.meanCompletionCycles).to.not.equal(one.meanCompletionCycles);
    }
  });

  it("has the original's clock: a message starts one unit late and is complete when its last packet starts", () => {
    const arrivals = [{ cycle: 10, units: 30 }, { cycle: 10, units: 1 }, { cycle: 12, units: 2 }]; // prettier-ignore
    const { result, completed } = run({ originalAccounting: true }, arrivals);
    // 10: the first is inserted; 11: it starts (24 units), the second is inserted; 12: the third.
    // 35: the second goes; 36: the third; 38: the rest of the first.
    expect(completed).to.deep.equal([[1, 35], [2, 36], [0, 38]]); // prettier-ignore
    expect(result.meanCompletionCycles).to.equal((38 - 10 + (35 - 11) + (36 - 12)) / 3);
    expect(result.slowdown.mean).to.equal((Math.floor(28 / 30) + 24 + 12) / 3);
    expect(result.packets).to.equal(4);
    expect(result.endCycle).to.equal(38);
    const free = run({}, arrivals);
    expect(free.completed).to.deep.equal([[1, 11], [2, 37], [0, 43]]); // prettier-ignore
  });

  it('shows a queue that is too slow for the link', () => {
    const arrivals = Array.from({ length: 200 }, (_, i) => ({ cycle: i, units: 1 }));
    const fast = run({ insertCycles: 0, popCycles: 0 }, arrivals).result;
    const slow = run({ insertCycles: 1, popCycles: 1 }, arrivals).result;
    expect(fast.underflowCycles).to.equal(0);
    expect(slow.underflowCycles).to.be.above(150);
    expect(slow.endCycle).to.be.above(390);
  });

  it('knows its names', () => {
    expect(strategyEntry('sifter').name).to.equal('sifter');
    expect(() => strategyEntry('best')).to.throw(/unknown strategy "best": use one of exact, fifo/);
  });
});
