// SPDX-License-Identifier: Apache-2.0
// The simulated card as a kind that the world can be given.
import { loadWorkload } from '../../data/load-workload.js';
import { cardSteps } from '../../nic/sim/card-parts.js';
import type { CycleTableName } from '../../nic/sim/cycle-table.js';
import { createSimNic } from '../../nic/sim/device.js';
import { homaModuleDistribution } from '../../workload/length-distribution.js';
import type { CardMaker } from '../../world/scenario/setup.js';
import type { CardKind } from './world/card-kind.js';

/** Makes simulated cards. */
export const makeSimCard: CardMaker =
  ({ cycleTable, rpcEntries }) =>
  (outputs) =>
    createSimNic(
      { cycleTable: cycleTable as CycleTableName, ...(rpcEntries === undefined ? {} : { rpcEntries }) },
      outputs,
    );

/** Runs a thread's share of a scenario with simulated cards. */
export const simShardModule = new URL('./sim-shard.js', import.meta.url);

/** `--nic sim`; `version` is the package's. */
export function simCardKind(version: string): CardKind {
  return {
    name: 'sim',
    makeCard: makeSimCard,
    shardModule: simShardModule,
    loadLengths: async (workload) => homaModuleDistribution(await loadWorkload(workload)),
    cardRows: cardSteps,
    versions: { sim: version },
  };
}
