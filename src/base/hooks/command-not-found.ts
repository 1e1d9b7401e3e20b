// SPDX-License-Identifier: Apache-2.0
import type { Hook } from '@oclif/core';
import { closest } from '../../errors/closest.js';
import { UsageError } from '../../errors/errors.js';

/** An unknown command ends here: one error with the nearest known name, exit 2, no question asked. */
const commandNotFound: Hook<'command_not_found'> = async function ({ id, config }) {
  const typed = id.replaceAll(':', ' ');
  const known = config.commands.filter((command) => !command.hidden).map((c) => c.id.replaceAll(':', ' '));
  const near = nearestCommand(typed, known);
  throw new UsageError(`there is no command '${typed}'`, {
    code: 'unknown_command',
    suggestions: [...(near ? [`homa-nic ${near}`] : []), 'homa-nic --help'],
  });
};

/** The known command most like what was typed; the words after a known command are not held against it. */
export function nearestCommand(typed: string, known: readonly string[]): string | undefined {
  const whole = closest(typed, known);
  if (whole) return whole;
  const words = typed.split(' ');
  return words.length > 1 ? nearestCommand(words.slice(0, -1).join(' '), known) : undefined;
}

export default commandNotFound;
