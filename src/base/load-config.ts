// SPDX-License-Identifier: Apache-2.0
// oclif without a manifest imports every command to know its flags. A clean clone has no manifest (it is written when
// packing), so where one command is all that is asked for, only that one is given to oclif.
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Config } from '@oclif/core/config';
import type { Interfaces } from '@oclif/core';
import { chosenCommand } from './chosen-command.js';
import { loadOwnCommand, type OwnCommand } from './own-command.js';

/** Loads oclif's configuration: with this one command of ours, or with all commands and plugins. */
export async function loadConfig(own: OwnCommand | undefined, root: string): Promise<Config> {
  const options = { root, devPlugins: false, userPlugins: false };
  if (!own) return Config.load(options);
  for (const id of Object.keys(chosenCommand)) Reflect.deleteProperty(chosenCommand, id);
  chosenCommand[own.words.join(':')] = await loadOwnCommand(own);
  const pjson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Interfaces.PJSON;
  const commands = {
    strategy: 'explicit',
    target: `./${relative(root, fileURLToPath(new URL('./chosen-command.js', import.meta.url)))}`,
    identifier: 'chosenCommand',
  } as const;
  return Config.load({ ...options, pjson: { ...pjson, oclif: { ...pjson.oclif, commands, plugins: [] } } });
}
