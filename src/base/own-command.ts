// SPDX-License-Identifier: Apache-2.0
// A command of ours is found by its file, so that neither oclif's manifest nor any other command is read for it.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { CommandClass } from './base-command.js';
import { importFile } from './import-file.js';

/** The words that name a command, and its file. */
export interface OwnCommand {
  words: string[];
  file: URL;
}

/** The words at the start of a command line that may name a command. */
export function leadingWords(argv: readonly string[]): string[] {
  const flag = argv.findIndex((word) => word.startsWith('-'));
  return flag === -1 ? [...argv] : argv.slice(0, flag);
}

/** The command that the longest run of these words names: beside this file when bundled, else in dist/commands. */
export function findOwnCommand(words: readonly string[]): OwnCommand | undefined {
  for (let length = Math.min(words.length, 3); length > 0; length--) {
    const name = words.slice(0, length);
    if (!name.every((word) => /^[a-z][a-z0-9-]*$/.test(word))) continue;
    for (const path of [`./commands.${name.join('.')}.cjs`, `../commands/${name.join('/')}.js`]) {
      const file = new URL(path, import.meta.url);
      if (existsSync(fileURLToPath(file))) return { words: name, file };
    }
  }
  return undefined;
}

/** Imports the command and gives it its id. */
export async function loadOwnCommand({ words, file }: OwnCommand): Promise<CommandClass> {
  const { default: command } = (await importFile(file)) as { default: CommandClass };
  command.id = words.join(':');
  return command;
}
