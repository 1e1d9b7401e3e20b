// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import * as Flags from '@oclif/core/flags';
import { BaseCommand, type Outcome } from '../../base/base-command.js';
import { sharedFlags } from '../../base/flags.js';
import { type OutputFolder } from '../../base/output-folder.js';
import { showPath } from '../../base/shown-path.js';
import { InterruptedError, UsageError } from '../../errors/errors.js';
import { parseArrivals } from '../../model/arrival-file.js';
import { modelSlices, type ModelResult, type Source } from '../../model/run.js';
import { checkSettings, type ModelSettings } from '../../model/settings.js';
import { formatModelResult } from '../../report/model-tables.js';
import { asCommandErrors } from '../../sweep/failures.js';
import {
  baseSettings,
  modelFlags,
  parseEntries,
  parseLevels,
  parseStrategies,
} from '../../sweep/model-flags.js';
import { loadDistribution } from '../../sweep/point-source.js';
import { normalizeSettings } from '../../sweep/points.js';

export default class ModelRun extends BaseCommand<typeof ModelRun> {
  static override summary = 'Simulate one hardware queue, or compare several.';
  static override description =
    'Messages arrive at a 100 Gbit/s link (Poisson, lengths of a workload) and a strategy decides which of them sends ' +
    'the next packet. Time and length are in units of 64 bytes, 5.12 ns. One strategy and one seed give a full account ' +
    'of the run; several strategies are compared with exact SRPT on the same messages, over at least two seeds, with ' +
    '95 % confidence intervals.';

  static override examples = [
    {
      description: 'A PIFO of 8 entries that sifts what lies behind it',
      command:
        '<%= config.bin %> model run --strategy sifter --entries 8 --workload w4 --load 0.8 --messages 2e5',
    },
    {
      description: 'Three strategies against exact SRPT',
      command:
        '<%= config.bin %> model run --strategy fifo,strict,pifo-naive --entries 8 --workload w3 --messages 5e4 --seeds 5',
    },
    {
      description: "Exact arrivals, counted as the original's simulator did",
      command:
        "<%= config.bin %> model run --original-accounting --arrivals <(printf '0,20\\n3,1\\n5,100\\n')",
    },
  ];

  static override flags = {
    strategy: Flags.string({
      description: 'what to simulate, with commas (see model list)',
      helpValue: 'NAMES',
      default: 'exact',
    }),
    entries: Flags.string({ description: "sorted entries, or 'unbounded'", helpValue: 'N', default: '64' }),
    levels: Flags.string({
      description: 'levels of strict, queues of sp-pifo',
      helpValue: 'N',
      default: '8',
    }),
    ...modelFlags,
    arrivals: Flags.string({
      description: "replay these arrivals: lines 'cycle,length' in units of 64 bytes",
      helpValue: 'FILE',
    }),
    'original-accounting': Flags.boolean({
      description:
        "count as the original's simulator did: one insertion a cycle, complete when the last packet starts",
    }),
    out: sharedFlags.out,
    force: sharedFlags.force,
  };

  protected async execute(): Promise<Outcome> {
    const strategies = parseStrategies(this.flags.strategy);
    const [entries, ...more] = parseEntries(this.flags.entries);
    const [levels, ...moreLevels] = parseLevels(this.flags.levels);
    if (more.length + moreLevels.length > 0) {
      throw new UsageError('model run takes one number of entries and of levels', {
        suggestions: ['homa-nic model sweep'],
      });
    }
    this.refuseUseless();
    const seeds = this.flags.seeds ?? (strategies.length > 1 ? 5 : 1);
    const base: ModelSettings = {
      ...baseSettings(this.flags),
      entries: entries!,
      levels: levels!,
      originalAccounting: this.flags['original-accounting'],
    };
    const wanted = strategies.map((strategy) => normalizeSettings({ ...base, strategy }));
    await asCommandErrors(() => {
      wanted.forEach(checkSettings);
    });
    if (strategies.length > 1 && seeds < 2) {
      throw new UsageError('a comparison needs at least two seeds for its confidence intervals', {
        suggestions: ['--seeds 5'],
      });
    }
    if (this.flags.arrivals !== undefined && (strategies.length > 1 || seeds > 1)) {
      throw new UsageError('--arrivals replays one list: give one strategy and leave out --seeds');
    }
    if (seeds > 1) {
      const { compareStrategies } = await import('../../sweep/compare-strategies.js');
      return compareStrategies(this.parts(), wanted, seeds);
    }
    return this.single(wanted[0]!);
  }

  private parts(): import('../../sweep/compare-strategies.js').CommandParts {
    return {
      folder: () => this.makeOutputFolder(this.flags.out, this.flags.force),
      shape: this.shape,
      signal: this.signal,
      progress: this.progress,
    };
  }

  private async single(settings: ModelSettings): Promise<Outcome> {
    const source = await this.source(settings);
    const folder = this.makeOutputFolder(this.flags.out, this.flags.force);
    let result: ModelResult | undefined;
    try {
      result = await asCommandErrors(() => this.simulate(settings, source));
      if (result === undefined)
        throw new InterruptedError('interrupted: a run that is not finished has no result');
      return await this.keep(result, folder);
    } finally {
      folder.discardIfEmpty();
    }
  }

  /** Flags that would silently change nothing are errors. */
  private refuseUseless(): void {
    const refuse = (why: string, flags: readonly string[]): void => {
      const typed = flags.filter((flag) => this.typedFlags.has(flag)).map((flag) => `--${flag}`);
      if (typed.length === 0) return;
      throw new UsageError(
        `${why}, so ${typed.join(' and ')} would change nothing: leave ${typed.length > 1 ? 'them' : 'it'} out`,
      );
    };
    if (this.flags.arrivals !== undefined) {
      refuse('--arrivals brings its own messages', ['workload', 'load', 'overload', 'seed', 'length-rule']);
    }
    if (this.flags['original-accounting']) {
      refuse('--original-accounting has its own costs and no warm-up', [
        'insert-cycles',
        'pop-cycles',
        'warmup',
      ]);
    }
  }

  private async source(settings: ModelSettings): Promise<Source> {
    const { arrivals } = this.flags;
    if (arrivals === undefined) {
      const distribution = await asCommandErrors(() =>
        loadDistribution(settings.workload, settings.lengthRule),
      );
      return { kind: 'poisson', distribution };
    }
    const text = await readFile(arrivals, 'utf8').catch((error: unknown) => {
      throw new UsageError(`cannot read ${showPath(arrivals)}`, { cause: error });
    });
    return { kind: 'list', arrivals: await asCommandErrors(() => parseArrivals(text)) };
  }

  /** Undefined when Ctrl-C ended it. */
  private async simulate(settings: ModelSettings, source: Source): Promise<ModelResult | undefined> {
    let full = settings;
    if (source.kind === 'list') {
      const there = source.arrivals.units.length;
      const messages = this.typedFlags.has('messages') ? Math.min(settings.messages, there) : there;
      full = { ...settings, messages, warmup: this.flags.warmup ?? 0 };
    }
    this.progress.start(`${settings.strategy} on ${this.flags.arrivals ?? settings.workload}`, full.messages);
    const slices = modelSlices(full, source);
    for (;;) {
      const slice = slices.next();
      if (slice.done === true) return slice.value;
      this.progress.update(slice.value);
      await setImmediate();
      if (this.signal.aborted) return undefined;
    }
  }

  private async keep(result: ModelResult, folder: OutputFolder): Promise<Outcome> {
    const { modelDocument } = await import('../../sweep/model-document.js');
    const { readEnvironment } = await import('../../doctor/environment.js');
    const document = modelDocument([result], readEnvironment(this.config.root), this.config.version, false);
    await writeFile(join(folder.path, 'result.json'), `${JSON.stringify(document)}\n`);
    const file = `${folder.shown}/result.json`;
    return {
      result: { ...result, file },
      render: () => `${formatModelResult(result, this.shape)}\nresult: ${file}\n`,
    };
  }
}
