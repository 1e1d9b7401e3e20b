// SPDX-License-Identifier: Apache-2.0
// oclif without a manifest imports every command to know its flags. A clean clone has no manifest (it is written when
// packing), so the command that was typed is found by its file, and only that one is given to oclif.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Command, Config as OclifConfig, Interfaces } from '@oclif/core';
import { chosenCommand } from './chosen-command.js';

/** The words at the start of a command line that may name a command. */
export function leadingWords(argv: readonly string[]): string[] {
  const flag = argv.findIndex((word) => word.startsWith('-'));
  return flag === -1 ? [...argv] : argv.slice(0, flag);
}

function fileOf(words: readonly string[], root: string): { words: string[]; file: string } | undefined {
  for (let length = Math.min(words.length, 3); length > 0; length--) {
    const name = words.slice(0, length);
    if (!name.every((word) => /^[a-z][a-z0-9-]*$/.test(word))) continue;
    for (const ending of ['.js', '/index.js']) {
      const file = join(root, 'dist', 'commands', ...name) + ending;
      if (existsSync(file)) return { words: name, file };
    }
  }
  return undefined;
}

/**
 * Loads oclif's configuration for a command line: with the one command that these words name, or with all commands and
 * plugins when they name none of ours.
 */
export async function loadConfig(words: readonly string[], root: string): Promise<OclifConfig> {
  const { Config } = await import('@oclif/core/config');
  const options = { root, devPlugins: false, userPlugins: false };
  const found = fileOf(words, root);
  if (!found) return Config.load(options);
  const module = (await import(pathToFileURL(found.file).href)) as { default: typeof Command };
  for (const id of Object.keys(chosenCommand)) Reflect.deleteProperty(chosenCommand, id);
  chosenCommand[found.words.join(':')] = module.default;
  const pjson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Interfaces.PJSON;
  const commands = {
    strategy: 'explicit',
    target: './dist/base/chosen-command.js',
    identifier: 'chosenCommand',
  } as const;
  return Config.load({ ...options, pjson: { ...pjson, oclif: { ...pjson.oclif, commands, plugins: [] } } });
}
