// SPDX-License-Identifier: Apache-2.0
import type { NicDeviceFactory } from '../../../nic/device.js';
import type { CardRow } from '../../../world/pcie/explain.js';

/** A kind of card that the world can be given. */
export interface CardKind {
  /** as in --nic */
  name: string;
  /** makes a card whose logic takes the cycles of this table */
  factory(cycleTable: string): NicDeviceFactory;
  /** the card's share of a test's way, in order; undefined: this kind cannot say */
  cardRows(cycleTable: string, part: CardPart): CardRow[] | undefined;
  versions: Record<string, string>;
}

/** Stretches of card logic between two crossings of a bus or wire. */
export type CardPart = 'echo' | 'read' | 'send' | 'turn' | 'receive';
