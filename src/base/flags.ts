// SPDX-License-Identifier: Apache-2.0
// The shared flags. One flag, one meaning, in every command: spread what you need into `static flags`.
import * as Flags from '@oclif/core/flags';
import { UsageError } from '../errors/errors.js';
import { DEFAULTS } from './config-keys.js';
import { MAX_SIZE_BYTES, MIN_SIZE_BYTES, parseSizeList } from './size-list.js';

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

/** A flag that takes a list of message sizes (see size-list.ts); the value is the list of sizes in bytes. */
export const sizeList = Flags.custom<number[], { minBytes?: number; maxBytes?: number }>({
  helpValue: 'SIZES',
  parse: async (input, _context, { minBytes = MIN_SIZE_BYTES, maxBytes = MAX_SIZE_BYTES }) =>
    parseSizeList(input, minBytes, maxBytes),
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
    default: DEFAULTS.target,
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
    default: DEFAULTS.seed,
  }),
  dryRun: Flags.boolean({ description: 'show what would be done, do nothing' }),
  yes: Flags.boolean({ description: 'do not ask, the answer is yes' }),
  force: Flags.boolean({ description: 'overwrite what is there' }),
  explain: Flags.boolean({ description: 'say where the figures come from' }),
};
