// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { RegionDevice } from '../nic/regs.js';

/** Are the device files of a card with its driver here (card 0)? */
export function cardPresent(): Promise<boolean> {
  return Promise.resolve(Object.values(RegionDevice).every((name) => existsSync(`/dev/${name}`)));
}
