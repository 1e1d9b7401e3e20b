// SPDX-License-Identifier: Apache-2.0
// A command that ends in every way a command may end; the tests of the base command run it.
import { setTimeout as wait } from 'node:timers/promises';
import { Flags } from '@oclif/core';
import { BaseCommand, type Outcome } from '#src/base/base-command.js';
import { sharedFlags, sizeList, wholeNumber } from '#src/base/flags.js';
import { makeRunConfig } from '#src/base/run-config.js';
import { endQuietlyOnClosedPipe } from '#src/base/terminal.js';
import { ContentError, MissingError, ThresholdError } from '#src/errors/errors.js';

export default class Endings extends BaseCommand<typeof Endings> {
  static override id = 'endings';
  static override flags = {
    how: Flags.string({
      required: true,
      options: [
        'ok',
        'empty',
        'lines',
        'content',
        'threshold',
        'missing',
        'bug',
        'render-bug',
        'io',
        'wait',
        'wait-throw',
        'stuck',
      ],
    }),
    seed: sharedFlags.seed,
    out: sharedFlags.out,
    size: sizeList({ description: 'sizes' }),
    count: wholeNumber({ min: 1, max: 10 }),
  };

  protected async execute(): Promise<Outcome> {
    const value = { seed: this.flags.seed, size: this.flags.size ?? null };
    const done = (result: unknown): Outcome => ({ result, render: () => `result ${JSON.stringify(result)}` });
    switch (this.flags.how) {
      case 'ok':
        this.warn(`careful with ${process.cwd()}/trace.tt`);
        this.detail('in detail');
        this.progress.start('working', 3);
        return done(value);
      case 'empty':
        return done(undefined);
      case 'lines':
        return { result: null, render: () => Array.from({ length: 100_000 }, (_, i) => `line ${i}\n`) };
      case 'content':
        throw new ContentError(`${process.cwd()}/trace.tt: line 3: no time`, {
          suggestions: ['look at line 3'],
        });
      case 'threshold':
        return { ...done(value), failure: new ThresholdError('p99 grew by 12 %', { code: 'regression' }) };
      case 'missing':
        throw new MissingError('no card', { suggestions: ['homa-nic doctor'] });
      case 'io':
        throw Object.assign(new Error('boom'), {
          code: 'ENOENT',
          syscall: 'open',
          path: `${process.cwd()}/x`,
        });
      case 'render-bug':
        return { result: null, render: () => (undefined as unknown as string[]).join() };
      case 'wait':
      case 'wait-throw':
      case 'stuck': {
        this.progress.start('waiting');
        const signal = this.flags.how === 'stuck' ? undefined : this.signal;
        try {
          await wait(30_000, undefined, signal ? { signal } : {});
        } catch (error) {
          if (this.flags.how === 'wait-throw') throw error;
        }
        return done({ partial: true });
      }
      default:
        throw new TypeError(`cannot read ${process.cwd()}/node_modules of undefined`);
    }
  }
}

if (process.argv[1]?.endsWith('endings-command.js')) {
  endQuietlyOnClosedPipe();
  await Endings.run(process.argv.slice(2), makeRunConfig(process.env['TEST_ROOT'] ?? process.cwd()));
}
