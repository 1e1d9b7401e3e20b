// SPDX-License-Identifier: Apache-2.0
import type { Hook } from '@oclif/core';
import { unknownCommand } from '../unknown-command.js';

/** An unknown command ends here: one error with the nearest known name, exit 2, no question asked. */
const commandNotFound: Hook<'command_not_found'> = async function ({ id, config }) {
  throw unknownCommand(id, config);
};

export default commandNotFound;
