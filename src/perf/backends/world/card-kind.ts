// SPDX-License-Identifier: Apache-2.0
import type { LengthDistribution } from '../../../workload/length-distribution.js';
import type { CardRow } from '../../../world/pcie/explain.js';
import type { CardMaker } from '../../../world/scenario/setup.js';

/** A kind of card that the world can be given. */
export interface CardKind {
  /** as in --nic */
  name: string;
  /** makes a card whose logic takes the cycles of this table */
  makeCard: CardMaker;
  /** runs a thread's share of a scenario with such cards; undefined: runs have one thread */
  shardModule?: URL;
  /** the lengths of a workload, by name */
  loadLengths(workload: string): Promise<LengthDistribution>;
  /** the card's share of a test's way, in order; undefined: this kind cannot say */
  cardRows(cycleTable: string, part: CardPart): CardRow[] | undefined;
  versions: Record<string, string>;
}

/** Stretches of card logic between two crossings of a bus or wire. */
export type CardPart = 'echo' | 'read' | 'send' | 'turn' | 'receive';
