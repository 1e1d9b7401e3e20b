// SPDX-License-Identifier: Apache-2.0
import type { Config } from '@oclif/core';
import { closest } from '../errors/closest.js';
import { UsageError } from '../errors/errors.js';

/** The known command most like what was typed; words after a known command are not held against it. */
export function nearestCommand(typed: string, known: readonly string[]): string | undefined {
  const whole = closest(typed, known);
  if (whole) return whole;
  const words = typed.split(' ');
  return words.length > 1 ? nearestCommand(words.slice(0, -1).join(' '), known) : undefined;
}

/** The error for a command that does not exist, with the nearest one that does. */
export function unknownCommand(id: string, config: Pick<Config, 'commands' | 'topics'>): UsageError {
  const typed = id.replaceAll(':', ' ').trim();
  const commands = config.commands.filter((command) => !command.hidden).map((command) => command.id);
  const topics = config.topics.filter((topic) => !topic.hidden).map((topic) => topic.name);
  const known = [...new Set([...commands, ...topics])].map((name) => name.replaceAll(':', ' '));
  const near = nearestCommand(typed, known);
  return new UsageError(`there is no command '${typed}'`, {
    code: 'unknown_command',
    suggestions: [...(near ? [`homa-nic ${near}`] : []), 'homa-nic --help'],
  });
}
