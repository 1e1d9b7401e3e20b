// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import fc from 'fast-check';
import { STRATEGIES } from '#src/model/catalogue.js';

import { Engine } from '#src/model/engine.js';
import { Messages, type ArrivalList } from '#src/model/messages.js';
import { runModel, type ModelResult } from '#src/model/run.js';
import { DEFAULT_SETTINGS, strategyEntry, waterMarks, type ModelSettings } from '#src/model/settings.js';
import { equalLoadThresholds } from '#src/model/thresholds.js';
import { LengthDistribution } from '#src/workload/length-distribution.js';
import { slowRun, type Arrival } from './slow-simulator.js';

interface Case {
  arrivals: Arrival[];
  settings: Partial<ModelSettings>;
  warmup?: number;
  rest?: number;
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
  // Of the list, the first so many are not counted, and the last so many not waited for.
  warmup: fc.constantFrom(0, 0, 1, 7),
  rest: fc.constantFrom(0, 0, 1, 5),
});
const withEnds = ({ arrivals, settings, warmup = 0, rest = 0 }: Case): Case => {
  const messages = Math.max(1, arrivals.length - rest);
  return { arrivals, settings: { ...settings, messages, warmup: Math.min(warmup, messages - 1) } };
};

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

/** Every packet of a run: the message, the cycle the packet starts at, what is left after it. */
function packetsOf(
  strategy: string,
  settings: Partial<ModelSettings>,
  arrivals: readonly Arrival[],
): [message: number, cycle: number, left: number][] {
  const full: ModelSettings = {
    ...DEFAULT_SETTINGS,
    ...settings,
    entries: null,
    strategy,
    messages: arrivals.length,
    warmup: 0,
  };
  const messages = Messages.list(listOf(arrivals));
  const made = strategyEntry(strategy).create({
    ...{ messages, entries: Infinity, levels: full.levels, buckets: full.buckets },
    ...{ refillCycles: full.refillCycles, lowMark: 0, highMark: Infinity, thresholdsUnits: [] },
    maxUnits: Math.max(...arrivals.map((a) => a.units)),
  });
  const packets: [number, number, number][] = [];
  const depart = made.depart.bind(made);
  made.depart = (message, cycle, outcome) => {
    packets.push([message, cycle, messages.remaining[message]!]);
    depart(message, cycle, outcome);
  };
  new Engine(full, messages, made, { completed: () => undefined }).run();
  return packets;
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
  const taken = slow.completed
    .filter(([message]) => full.originalAccounting || (message >= full.warmup && message < full.messages))
    .map(([message, cycle]) => ({ cycles: cycle - slow.since[message]!, units: arrivals[message]!.units }));
  const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  expect(result.completions, 'measured').to.equal(taken.length);
  expect(result.meanCompletionCycles, 'mean completion').to.be.closeTo(
    mean(taken.map((t) => t.cycles)),
    1e-6,
  );
  const slowdowns = taken.map((t) =>
    full.originalAccounting ? Math.floor(t.cycles / t.units) : t.cycles / t.units,
  );
  expect(result.slowdown.mean, 'mean slowdown').to.be.closeTo(mean(slowdowns), 1e-9);
  expect(result.slowdown.max, 'worst slowdown').to.equal(Math.max(...slowdowns));
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
  if (full.warmup === 0 && full.messages === arrivals.length) expect(result.unitsLeft).to.equal(0);
}

describe('model: the event-driven engine', () => {
  for (const { name } of STRATEGIES) {
    it(`${name} agrees with one step a cycle on every counter`, () => {
      fc.assert(
        fc.property(anyCase, (one) => {
          agree(name, withEnds(one));
        }),
        { seed: 20_26, numRuns: 150 },
      );
    });
  }

  for (const { name } of STRATEGIES) {
    it(`${name} agrees with one step a cycle with the original's accounting`, () => {
      fc.assert(
        fc.property(arrivalList(40), fc.integer({ min: 1, max: 40 }), (arrivals, asked) => {
          const messages = Math.min(asked, arrivals.length);
          agree(name, { arrivals, settings: { entries: 3, levels: 4, messages, originalAccounting: true } });
        }),
        { seed: 7, numRuns: 100 },
      );
    });
  }

  for (const { name } of STRATEGIES.filter((entry) => entry.pifoLike && entry.name !== 'exact')) {
    it(`${name} equals exact SRPT event by event where entries are unbounded`, () => {
      fc.assert(
        fc.property(anyCase, ({ arrivals, settings }) => {
          const unbounded = { ...settings, entries: null };
          const exact = run({ ...unbounded, strategy: 'exact' }, arrivals);
          const other = run({ ...unbounded, strategy: name }, arrivals);
          expect(packetsOf(name, settings, arrivals)).to.deep.equal(packetsOf('exact', settings, arrivals));
          expect(other.completed).to.deep.equal(exact.completed);
          // A scheduler that keeps waiting messages (pieo) holds more of them; all else is equal.
          const holds = settings.windowUnits! > 0 || settings.dataDelayCycles! > 0;
          const apart = {
            settings: 0,
            ...(name === 'pieo' && holds ? { slotOccupancy: 0, backlog: 0, maxSize: 0 } : {}),
          };
          expect({ ...other.result, ...apart }).to.deep.equal({ ...exact.result, ...apart });
        }),
        { seed: 3, numRuns: 60 },
      );
    });
  }

  for (const originalAccounting of [false, true]) {
    const which = originalAccounting ? ", the original's accounting" : '';
    it(`exact SRPT's own loop agrees with one step a cycle, and with the engine of all strategies${which}`, () => {
      const plain = { insertCycles: 0, popCycles: 0, windowUnits: 0, dataDelayCycles: 0, originalAccounting };
      fc.assert(
        fc.property(anyCase, (drawn) => {
          const { arrivals, settings } = withEnds(drawn);
          const own = { ...settings, ...plain, checkInversions: false };
          agree('exact', { arrivals, settings: own });
          const fast = run(own, arrivals);
          const slow = run({ ...own, checkInversions: true }, arrivals);
          expect(fast.completed).to.deep.equal(slow.completed);
          expect({ ...fast.result, settings: null }).to.deep.equal({ ...slow.result, settings: null });
        }),
        { seed: 12, numRuns: 400 },
      );
    });
  }

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
