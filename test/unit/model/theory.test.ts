// SPDX-License-Identifier: Apache-2.0
// The model against queueing theory. Lengths are taken byte by byte (a unit of one byte, a packet of one unit), so
// that preemption at every unit is as good as continuous and rounding to units is below a thousandth.
import { expect } from 'chai';
import { loadWorkload } from '#src/data/load-workload.js';
import { meanInterval, studentT95 } from '#src/model/confidence.js';
import type { Messages } from '#src/model/messages.js';
import { runModel } from '#src/model/run.js';
import { DEFAULT_SETTINGS } from '#src/model/settings.js';
import { LengthDistribution, homaModuleDistribution } from '#src/workload/length-distribution.js';
import { controlledMean, fifoMean, srptContinuous, srptDiscrete } from './theory.js';

const LONG = process.env['HOMA_NIC_LONG'] === '1';
const SEEDS = 20;

const exponential = new LengthDistribution(
  'exponential',
  Array.from(
    { length: 15_000 },
    (_, i) => [i + 1, i === 14_999 ? 1 : 1 - Math.exp(-(i + 1) / 1000)] as const,
  ),
);
const uniform = new LengthDistribution(
  'uniform',
  Array.from({ length: 2000 }, (_, i) => [i + 1, (i + 1) / 2000] as const),
);

async function lengthsOf(name: string): Promise<LengthDistribution> {
  if (name === 'exponential') return exponential;
  if (name === 'uniform') return uniform;
  return homaModuleDistribution(await loadWorkload(name));
}

interface SeedRuns {
  completion: number[];
  length: number[];
  /** Mean square of the lengths, and mean gap between arrivals. */
  square: number[];
  gap: number[];
  /** Mean work found by the arrivals (Lindley's recursion on the same messages): P-K gives what to expect. */
  found: number[];
}

function runSeeds(
  distribution: LengthDistribution,
  load: number,
  messages: number,
  strategy: string,
): SeedRuns {
  const runs: SeedRuns = { completion: [], length: [], square: [], gap: [], found: [] };
  const warmup = Math.floor(messages / 10);
  const settings = { ...DEFAULT_SETTINGS, strategy, load, messages, warmup, unitBytes: 1, packetUnits: 1 };
  for (let seed = 1; seed <= SEEDS; seed++) {
    let made: Messages | undefined;
    const result = runModel(
      { ...settings, seed },
      { kind: 'poisson', distribution },
      (_message, _cycle, all) => {
        made = all;
      },
    );
    let work = 0;
    let last = 0;
    let found = 0;
    let length = 0;
    let square = 0;
    for (let i = 0; i < messages; i++) {
      const cycle = made!.arrivalCycle[i]!;
      work = Math.max(0, work - (cycle - last));
      last = cycle;
      if (i >= warmup) {
        found += work;
        length += made!.lengthUnits[i]!;
      }
      work += made!.lengthUnits[i]!;
      square += made!.lengthUnits[i]! ** 2;
    }
    runs.square.push(square / messages);
    runs.gap.push(last / messages);
    runs.completion.push(result.meanCompletionCycles);
    runs.found.push(found / (messages - warmup));
    runs.length.push(length / (messages - warmup));
  }
  return runs;
}

/** Messages per seed that bring the half-width under 2 %. */
const SRPT_CASES: [name: string, load: number, messages: number][] = [
  ['exponential', 0.5, 20_000],
  ['exponential', 0.8, 20_000],
  ['exponential', 0.9, 30_000],
  ['uniform', 0.5, 20_000],
  ['uniform', 0.8, 20_000],
  ['uniform', 0.9, 30_000],
  ['w2', 0.5, 50_000],
  ['w2', 0.8, 80_000],
  ['w2', 0.9, 160_000],
  ['w3', 0.5, 50_000],
  ['w3', 0.8, 120_000],
  ['w3', 0.9, 400_000],
  ['w4', 0.5, 30_000],
  ['w4', 0.8, 30_000],
  ['w4', 0.9, 40_000],
];

const FIFO_CASES: [name: string, load: number, messages: number, when?: 'long'][] = [
  ['exponential', 0.5, 20_000],
  ['exponential', 0.8, 40_000],
  ['exponential', 0.9, 100_000],
  ['uniform', 0.5, 20_000],
  ['uniform', 0.8, 30_000],
  ['uniform', 0.9, 80_000],
  ['w2', 0.5, 2_000_000, 'long'],
  ['w2', 0.8, 8_000_000, 'long'],
  ['w2', 0.9, 10_000_000, 'long'],
  ['w3', 0.5, 450_000, 'long'],
  ['w3', 0.8, 2_000_000, 'long'],
  ['w3', 0.9, 8_000_000, 'long'],
  ['w4', 0.5, 60_000],
  ['w4', 0.8, 220_000],
  ['w4', 0.9, 700_000, 'long'],
];

describe('model: theory', function () {
  this.timeout(1_800_000);

  it('has two theories that agree with each other', () => {
    const lines = { exponential: { density: (x: number) => Math.exp(-x / 1000) / 1000, limit: 40_000 } };
    for (const load of [0.5, 0.8, 0.9]) {
      expect(srptDiscrete(exponential, load) / srptContinuous(lines.exponential, load)).to.be.closeTo(
        1,
        0.001,
      );
      const flat = { density: () => 1 / 2000, limit: 2000 };
      expect(srptDiscrete(uniform, load) / srptContinuous(flat, load)).to.be.closeTo(1, 0.001);
    }
    // M/M/1: E[T] = 1 / (mu - lambda), whatever order that does not look at lengths.
    expect(fifoMean(exponential, 0.8)).to.be.closeTo(1000 / (1 - 0.8), 5);
  });

  for (const [name, load, messages] of SRPT_CASES) {
    it(`exact SRPT, ${name} at ${load}: theory lies in the 95 % interval, half-width at most 2 %`, async () => {
      const distribution = await lengthsOf(name);
      const runs = runSeeds(distribution, load, LONG ? messages * 4 : messages, 'exact');
      const { mean, half } = controlledMean(
        runs.completion,
        [
          { values: runs.length, expected: distribution.meanBytes },
          { values: runs.found, expected: fifoMean(distribution, load) - distribution.meanBytes },
        ],
        studentT95,
      );
      const theory = srptDiscrete(distribution, load);
      expect(half / theory, 'half-width').to.be.at.most(0.02);
      expect(mean).to.be.within(theory - half, theory + half);
    });
  }

  // FIFO means vary far more: rare long messages decide them. What a test cannot afford is for the long run.
  for (const [name, load, messages, long] of FIFO_CASES) {
    if (long === 'long' && !LONG) continue;
    it(`FIFO, ${name} at ${load}: Pollaczek-Khinchine lies in the 95 % interval, half-width at most 2 %`, async () => {
      const distribution = await lengthsOf(name);
      const runs = runSeeds(distribution, load, messages, 'fifo');
      const share = distribution.probabilities();
      const { mean, half } = controlledMean(
        runs.completion,
        [
          { values: runs.length, expected: distribution.meanBytes },
          {
            values: runs.square,
            expected: share.reduce((sum, p, i) => sum + p * distribution.lengthsBytes[i]! ** 2, 0),
          },
          { values: runs.gap, expected: distribution.meanBytes / load },
        ],
        studentT95,
      );
      const theory = fifoMean(distribution, load);
      expect(half / theory, 'half-width').to.be.at.most(0.02);
      expect(mean).to.be.within(theory - half, theory + half);
    });
  }

  it('FIFO: mean completion time is mean length plus mean work found, for every workload', async () => {
    for (const name of ['uniform', 'w1', 'w2', 'w3', 'w4', 'w5']) {
      const runs = runSeeds(await lengthsOf(name), 0.9, 2000, 'fifo');
      runs.completion.forEach((completion, i) => {
        expect(completion / (runs.length[i]! + runs.found[i]!)).to.be.closeTo(1, 1e-9);
      });
    }
  });

  it('knows Student and gives no interval to a single seed', () => {
    expect(studentT95(1)).to.equal(12.7062);
    expect(studentT95(40)).to.be.closeTo(2.0211, 1e-4);
    expect(studentT95(1e6)).to.be.closeTo(1.96, 1e-3);
    expect(meanInterval([3])).to.equal(undefined);
    const three = meanInterval([1, 2, 3])!;
    expect(three.mean).to.equal(2);
    expect(three.half).to.be.closeTo(4.3027 / Math.sqrt(3), 1e-12);
  });
});
