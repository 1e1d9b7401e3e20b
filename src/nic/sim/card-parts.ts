// SPDX-License-Identifier: Apache-2.0
// The simulated card's share of an operation's time, for `perf --explain`: steps of its cycle table by name.
import {
  cycleTables,
  echoParts,
  receiveParts,
  sendParts,
  type CyclePart,
  type CycleTableName,
} from './cycle-table.js';

/** A step of card logic. */
export interface CardStep extends CyclePart {
  source: string;
}

/** The steps of a stretch between two crossings of a bus or wire, in order; undefined for an unknown stretch or table. */
export function cardSteps(tableName: string, stretch: string): CardStep[] | undefined {
  const table = cycleTables[tableName as CycleTableName];
  if (table === undefined) return undefined;
  const parts: Record<string, CyclePart[]> = {
    echo: echoParts(table),
    read: [{ part: 'read answered', cycles: table.mmioRead }],
    send: sendParts(table),
    turn: [{ part: 'MAC loopback', cycles: table.macTransmit }],
    receive: receiveParts(table),
  };
  return parts[stretch]?.map(({ part, cycles }) => ({
    part: `card: ${part}`,
    cycles,
    source: `cycle table ${table.name}`,
  }));
}
