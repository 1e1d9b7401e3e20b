// SPDX-License-Identifier: Apache-2.0
import type { Strategy, StrategySetup } from './strategy.js';
import { Aifo } from './strategies/aifo.js';
import { Exact } from './strategies/exact.js';
import { Fifo } from './strategies/fifo.js';
import { Pieo } from './strategies/pieo.js';
import { PifoLast } from './strategies/pifo-last.js';
import { PifoNaive } from './strategies/pifo-naive.js';
import { PifoPulse } from './strategies/pifo-pulse.js';
import { PifoWatermark } from './strategies/pifo-watermark.js';
import { Sifter } from './strategies/sifter.js';
import { SpPifo } from './strategies/sp-pifo.js';
import { Strict } from './strategies/strict.js';

/** One line of `model list`, and how to make the strategy. */
export interface StrategyEntry {
  readonly name: string;
  readonly description: string;
  /** Which settings shape it. */
  readonly uses: readonly ('entries' | 'levels' | 'buckets' | 'marks' | 'refill')[];
  /** Fewest entries it can work with. */
  readonly minEntries: number;
  /** True when it equals exact SRPT once its entries are unbounded. */
  readonly pifoLike: boolean;
  /** Default low mark, as a share of the entries. */
  readonly lowShare: number;
  create(setup: StrategySetup): Strategy;
}

const base = { minEntries: 1, pifoLike: false, lowShare: 0.25 };

/** Every strategy of the model, the reference first. */
export const STRATEGIES: readonly StrategyEntry[] = [
  {
    ...base,
    name: 'exact',
    description: 'exact SRPT, unbounded sorted queue: the reference',
    uses: [],
    pifoLike: true,
    create: (setup) => new Exact(setup),
  },
  {
    ...base,
    name: 'fifo',
    description: 'first in, first out, whole messages',
    uses: [],
    create: () => new Fifo(),
  },
  {
    ...base,
    name: 'strict',
    description:
      'strict priorities: k levels by remaining length, thresholds of equal load from the workload',
    uses: ['levels'],
    create: (setup) => new Strict(setup),
  },
  {
    ...base,
    name: 'pifo-naive',
    description: 'N sorted slots, a store behind that is searched for its smallest entry',
    uses: ['entries', 'refill'],
    pifoLike: true,
    create: (setup) => new PifoNaive(setup),
  },
  {
    ...base,
    name: 'pifo-watermark',
    description: 'N sorted slots, spills and refills in bursts at a high and a low water mark',
    uses: ['entries', 'marks', 'refill'],
    pifoLike: true,
    create: (setup) => new PifoWatermark(setup),
  },
  {
    ...base,
    name: 'pifo-pulse',
    description: 'N sorted slots, each arrival also passes one stored entry by them',
    uses: ['entries', 'refill'],
    pifoLike: true,
    create: (setup) => new PifoPulse(setup),
  },
  {
    ...base,
    name: 'pifo-last',
    description: 'N-1 sorted slots and an unsorted last one that keeps a refill at hand',
    uses: ['entries', 'refill'],
    minEntries: 2,
    pifoLike: true,
    create: (setup) => new PifoLast(setup),
  },
  {
    ...base,
    name: 'sifter',
    description:
      'N sorted slots before unsorted buckets by range; the lowest bucket is sifted when slots run low',
    uses: ['entries', 'buckets', 'marks', 'refill'],
    pifoLike: true,
    lowShare: 0.5,
    create: (setup) => new Sifter(setup),
  },
  {
    ...base,
    name: 'sp-pifo',
    description: 'SP-PIFO: k FIFOs in strict priority with bounds that follow the traffic',
    uses: ['levels'],
    create: (setup) => new SpPifo(setup),
  },
  {
    ...base,
    name: 'aifo',
    description: 'AIFO: one FIFO of N entries that admits by rank among recent arrivals; others wait behind',
    uses: ['entries', 'marks', 'refill'],
    create: (setup) => new Aifo(setup),
  },
  {
    ...base,
    name: 'pieo',
    description: 'PIEO-like: N ordered entries, the smallest eligible is taken, waiting ones keep their slot',
    uses: ['entries', 'refill'],
    pifoLike: true,
    create: (setup) => new Pieo(setup),
  },
];
