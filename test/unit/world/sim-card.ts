// SPDX-License-Identifier: Apache-2.0
// The reference card, for tests of the world.
import { createSimNic } from '#src/nic/sim/device.js';
import type { CardMaker } from '#src/world/scenario/setup.js';

export const simCard: CardMaker =
  ({ cycleTable, rpcEntries }) =>
  (outputs) =>
    createSimNic(
      {
        cycleTable: cycleTable === 'u250-original' ? 'u250-original' : 'u250-gen3x16',
        ...(rpcEntries === undefined ? {} : { rpcEntries }),
      },
      outputs,
    );
