// SPDX-License-Identifier: Apache-2.0
import * as Flags from '@oclif/core/flags';
import { BaseCommand, type Outcome } from '../../base/base-command.js';
import { sharedFlags } from '../../base/flags.js';
import { UsageError } from '../../errors/errors.js';
import { asCommandErrors } from '../../sweep/failures.js';
import {
  baseSettings,
  count,
  modelFlags,
  parseEntries,
  parseLevels,
  parseShare,
  parseStrategies,
  splitList,
} from '../../sweep/model-flags.js';
import { sweepPoints } from '../../sweep/points.js';

const MAX_POINTS = 100_000;

export default class ModelSweep extends BaseCommand<typeof ModelSweep> {
  static override summary = 'Simulate many settings of the queue model, on all cores.';
  static override description =
    'Every combination of strategies, entries, levels, workloads, loads and seeds is one point; each finished point is ' +
    'one line of points.jsonl. Exact SRPT is always among the strategies. Ctrl-C keeps what is finished, and --resume ' +
    'goes on from there. Figures are printed with 95 % confidence intervals over the seeds.';

  static override examples = [
    {
      description: 'How many entries does a sifting PIFO need?',
      command:
        '<%= config.bin %> model sweep --strategy sifter,pifo-pulse --entries 1..32 --workload w4 --seeds 3 --messages 2e4 --out sweep',
    },
    {
      description: 'Go on after Ctrl-C',
      command:
        '<%= config.bin %> model sweep --strategy sifter,pifo-pulse --entries 1..32 --workload w4 --seeds 3 --messages 2e4 --out sweep --resume',
    },
  ];

  static override flags = {
    strategy: Flags.string({
      description: 'what to simulate, with commas (see model list)',
      helpValue: 'NAMES',
      default: 'sifter',
    }),
    entries: Flags.string({
      description: "sorted entries: 4,8 or 1..64 (doubles) or 2..16:2 (steps), also 'unbounded'",
      helpValue: 'LIST',
      default: '1..64',
    }),
    levels: Flags.string({
      description: 'levels of strict, queues of sp-pifo',
      helpValue: 'LIST',
      default: '8',
    }),
    ...modelFlags,
    workload: Flags.string({
      description: 'message lengths, with commas: w1 to w5, or files that end in .json',
      helpValue: 'NAMES',
      default: 'w4',
    }),
    load: Flags.string({ description: 'offered loads, with commas', helpValue: 'SHARES', default: '0.8' }),
    threads: count({ description: 'worker threads (default: one a core)', helpValue: 'N', min: 1, max: 256 }),
    resume: Flags.boolean({
      description: 'keep the points that --out holds already, run the others',
      dependsOn: ['out'],
    }),
    out: sharedFlags.out,
    force: sharedFlags.force,
  };

  protected async execute(): Promise<Outcome> {
    const { flags } = this;
    const workloads = splitList(flags.workload, '--workload').map((name) =>
      name.endsWith('.json') ? name : name.toLowerCase(),
    );
    const loads = splitList(flags.load, '--load').map(parseShare);
    const strategies = parseStrategies(flags.strategy);
    const entries = parseEntries(flags.entries);
    const levels = parseLevels(flags.levels);
    const seeds = Array.from({ length: flags.seeds ?? 5 }, (_, i) => flags.seed + i);
    const size =
      strategies.length * entries.length * levels.length * workloads.length * loads.length * seeds.length;
    if (size > MAX_POINTS) {
      throw new UsageError(`these lists make up to ${size} points; at most ${MAX_POINTS} are allowed`);
    }
    const base = { ...baseSettings({ ...flags, workload: workloads[0]!, load: String(loads[0]!) }) };
    const points = await asCommandErrors(() =>
      sweepPoints(base, { strategies, entries, levels, workloads, loads, seeds }),
    );
    const { runPoints } = await import('../../sweep/compare-strategies.js');
    return runPoints(
      {
        folder: () => this.makeOutputFolder(flags.out, flags.force || flags.resume),
        shape: this.shape,
        signal: this.signal,
        progress: this.progress,
      },
      points,
      { resume: flags.resume === true, ...(flags.threads === undefined ? {} : { threads: flags.threads }) },
    );
  }
}
