// SPDX-License-Identifier: Apache-2.0
// The simulated card as a kind that the world can be given.
import { loadWorkload } from '../../data/load-workload.js';
import { cardSteps } from '../../nic/sim/card-parts.js';
import type { CycleTableName } from '../../nic/sim/cycle-table.js';
import { createSimNic } from '../../nic/sim/device.js';
import { homaModuleDistribution } from '../../workload/length-distribution.js';
import type { CardKind } from './world/card-kind.js';

/** `--nic sim`; `version` is the package's. */
export function simCardKind(version: string): CardKind {
  return {
    name: 'sim',
    makeCard:
      ({ cycleTable, rpcEntries }) =>
      (outputs) =>
        createSimNic(
          { cycleTable: cycleTable as CycleTableName, ...(rpcEntries === undefined ? {} : { rpcEntries }) },
          outputs,
        ),
    loadLengths: async (workload) => homaModuleDistribution(await loadWorkload(workload)),
    cardRows: cardSteps,
    versions: { sim: version },
  };
}
