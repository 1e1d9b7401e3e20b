// SPDX-License-Identifier: Apache-2.0
// The shared flags. One flag, one meaning, in every command: spread what you need into `static flags`.
import { Flags } from '@oclif/core';
import { UsageError } from '../errors/errors.js';

/** Seed of every random draw unless --seed says otherwise. */
export const DEFAULT_SEED = 1;
/** Highest seed: seeds are unsigned 32-bit numbers. */
export const MAX_SEED = 0xffff_ffff;

/** A flag that takes a whole number within a range; the error names the value and the range. */
export const wholeNumber = Flags.custom<number, { min?: number; max?: number }>({
  parse: async (input, _context, options) => {
    const { min = 0, max = Number.MAX_SAFE_INTEGER } = options;
    const value = /^[+-]?\d[\d_]*$/.test(input) ? Number(input.replaceAll('_', '')) : NaN;
    if (!Number.isSafeInteger(value) || value < min || value > max) {
      const range = max === Number.MAX_SAFE_INTEGER ? `${min} or more` : `from ${min} to ${max}`;
      throw new UsageError(`'${input}' is not a whole number ${range}`);
    }
    return value;
  },
});

/** Flags that every command has. */
export const globalFlags = {
  json: Flags.boolean({ description: 'print one JSON envelope instead of text', helpGroup: 'GLOBAL' }),
  quiet: Flags.boolean({
    description: 'no progress and no warnings on stderr',
    helpGroup: 'GLOBAL',
    exclusive: ['verbose'],
  }),
  verbose: Flags.boolean({ description: 'say on stderr what is being done', helpGroup: 'GLOBAL' }),
};

/** Flags that some commands have, each with its one meaning. */
export const sharedFlags = {
  nic: Flags.string({
    description: 'kind of network card: the simulated one, or a real card',
    helpValue: 'KIND',
  }),
  device: Flags.string({ description: 'PCI address of the card', helpValue: 'DDDD:BB:DD.F' }),
  target: Flags.string({
    description: 'where to run: this machine, or the guest',
    options: ['local', 'vm'],
    default: 'local',
  }),
  out: Flags.string({
    description: 'folder for what is written (default: ./homa-nic-results/NNN-<command>)',
    helpValue: 'FOLDER',
  }),
  seed: wholeNumber({
    description: 'seed of every random draw',
    helpValue: 'NUMBER',
    min: 0,
    max: MAX_SEED,
    default: DEFAULT_SEED,
  }),
  dryRun: Flags.boolean({ description: 'show what would be done, do nothing' }),
  yes: Flags.boolean({ description: 'do not ask, the answer is yes' }),
  force: Flags.boolean({ description: 'overwrite what is there' }),
  explain: Flags.boolean({ description: 'say where the figures come from' }),
};
