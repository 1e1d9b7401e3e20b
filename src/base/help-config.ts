// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import type { Command, Interfaces } from '@oclif/core';
import { globalFlags } from './flags.js';
import { loadOwnCommand, type OwnCommand } from './own-command.js';

/**
 * What oclif's help needs of its configuration to show one command of ours. The whole of it, with its finder of plugins,
 * would take half of the time of a --help.
 */
export async function helpConfig(own: OwnCommand, root: string): Promise<Interfaces.Config> {
  const command = await loadOwnCommand(own);
  const named = <T>(table: Record<string, T>): Record<string, T & { name: string }> =>
    Object.fromEntries(Object.entries(table).map(([name, entry]) => [name, { ...entry, name }]));
  const { summary, description, examples, usage, strict, aliases, hidden } =
    command as unknown as Command.Class;
  const shown = {
    ...{ id: command.id, summary, description, examples, usage, strict, aliases, hidden },
    flags: named({ ...globalFlags, ...command.flags }),
    args: named(command.args),
    hiddenAliases: [],
  } as unknown as Command.Loadable;
  const pjson = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as Interfaces.PJSON;
  const config: Partial<Interfaces.Config> = {
    bin: pjson.oclif.bin!,
    pjson,
    root,
    version: pjson.version,
    topicSeparator: ' ',
    commands: [shown],
    commandIDs: [shown.id],
    topics: [],
    plugins: new Map(),
    findCommand: (id: string) => (id === shown.id ? shown : undefined) as Command.Loadable,
    findTopic: () => undefined as unknown as Interfaces.Topic,
  };
  return config as Interfaces.Config;
}
