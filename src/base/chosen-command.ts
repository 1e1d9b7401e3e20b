// SPDX-License-Identifier: Apache-2.0
import type { CommandClass } from './base-command.js';

/** The one command that this run needs, by its id; oclif reads its list of commands from here (see load-config.ts). */
export const chosenCommand: Record<string, CommandClass> = {};
