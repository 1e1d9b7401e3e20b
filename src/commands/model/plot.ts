// SPDX-License-Identifier: Apache-2.0
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { BaseCommand, type Outcome } from '../../base/base-command.js';
import { sharedFlags } from '../../base/flags.js';
import { showPath } from '../../base/shown-path.js';
import { ContentError, UsageError } from '../../errors/errors.js';
import {
  comparable,
  inOrder,
  mixedSettings,
  slotShares,
  slowdownBySize,
  type Comparable,
} from '../../model/compare.js';
import type { ModelResult } from '../../model/run.js';
import { parseEntries, parseStrategies, splitList } from '../../sweep/model-flags.js';
import { asCommandErrors } from '../../sweep/failures.js';

export default class ModelPlot extends BaseCommand<typeof ModelPlot> {
  static override summary = 'Draw the result of a model run or sweep.';
  static override description =
    'Draws slowdown against message length, p99 against exact SRPT and inversions against entries, occupancy of the ' +
    'sorted slots, and the queue over time, as far as the result has what they need. Each is an SVG file; plots.html ' +
    'holds them all.';

  static override examples = [
    {
      description: 'A small sweep, and what it shows',
      command:
        '<%= config.bin %> model sweep --strategy sifter --entries 4,8 --messages 2e4 --seeds 2 --out small && <%= config.bin %> model plot small',
    },
    {
      description: 'Two strategies at 4 entries only',
      command:
        '<%= config.bin %> model plot small/points.jsonl --strategy exact,sifter --entries 4,unbounded',
    },
  ];

  static override args = {
    result: Args.string({
      description: 'result.json of a run, points.jsonl of a sweep, or the folder of either',
      required: true,
    }),
  };

  static override flags = {
    strategy: Flags.string({ description: 'draw only these, with commas', helpValue: 'NAMES' }),
    entries: Flags.string({ description: 'draw only these, as for model sweep', helpValue: 'LIST' }),
    workload: Flags.string({ description: 'draw only these, with commas', helpValue: 'NAMES' }),
    out: sharedFlags.out,
    force: sharedFlags.force,
  };

  protected async execute(): Promise<Outcome> {
    const all = await this.load(this.args.result);
    const results = this.certain(this.chosen(all.rows));
    const folder = this.makeOutputFolder(this.flags.out, this.flags.force);
    try {
      this.progress.start('drawing');
      const plots = await this.plots(results, all.runs);
      const { renderVegaLiteToHtml, renderVegaLiteToSvg } = await import('../../report/vega.js');
      const files: string[] = [];
      for (const { name, spec } of plots) {
        await writeFile(join(folder.path, `${name}.svg`), await renderVegaLiteToSvg(spec));
        files.push(`${folder.shown}/${name}.svg`);
      }
      const page = await renderVegaLiteToHtml(
        plots.map((plot) => plot.spec),
        {
          title: 'Queue model (simulated)',
          notes: [`Drawn from ${showPath(this.args.result)} by homa-nic ${this.config.version}.`],
        },
      );
      await writeFile(join(folder.path, 'plots.html'), page);
      files.push(`${folder.shown}/plots.html`);
      return { result: { files }, render: () => `${files.join('\n')}\n` };
    } finally {
      folder.discardIfEmpty();
    }
  }

  private async plots(
    results: readonly Comparable[],
    runs: readonly ModelResult[],
  ): Promise<import('../../report/plot-model.js').ModelPlot[]> {
    const draw = await import('../../report/plot-model.js');
    const { summarizeRows } = await import('../../sweep/summarize-rows.js');
    const { comparisons } = summarizeRows(results);
    // Many numbers of entries in one plot of slowdown hide each other: the smallest, the middle and the largest stay.
    const shown = this.flags.entries === undefined ? thinned(results) : results;
    const list = [
      draw.slowdownPlot(slowdownBySize(shown)),
      draw.ratioPlot(comparisons),
      draw.inversionPlot(comparisons),
      draw.occupancyPlot(slotShares(shown)),
      draw.drainPlot(runs),
    ];
    return list.filter((plot) => plot !== undefined);
  }

  /** What may be drawn: one curve, or curves with intervals. */
  private certain(results: readonly Comparable[]): Comparable[] {
    if (results.length === 0) throw new UsageError('nothing is left to draw: the filters match no result');
    const mixed = mixedSettings(results);
    if (mixed.length > 0) {
      throw new ContentError(
        `${showPath(this.args.result)} holds more than one sweep: points of one name differ in ${mixed.join(', ')}`,
        { suggestions: ['homa-nic model sweep --out another'] },
      );
    }
    const certain = comparable(results);
    if (certain.length === 0) {
      throw new UsageError('a comparison needs at least two seeds for its confidence intervals', {
        suggestions: [
          'homa-nic model sweep --seeds 5',
          '--strategy sifter --entries 8 to draw a single curve',
        ],
      });
    }
    const left = results.length - certain.length;
    if (left > 0) this.warn(`${left} points left out: one seed has no confidence interval to compare with`);
    return certain;
  }

  private chosen(results: readonly Comparable[]): Comparable[] {
    const strategies = this.flags.strategy === undefined ? undefined : parseStrategies(this.flags.strategy);
    const entries = this.flags.entries === undefined ? undefined : parseEntries(this.flags.entries);
    const workloads =
      this.flags.workload === undefined ? undefined : splitList(this.flags.workload, '--workload');
    return inOrder(results).filter(
      ({ settings }) =>
        (strategies === undefined || strategies.includes(settings.strategy)) &&
        (entries === undefined || settings.entries === null || entries.includes(settings.entries)) &&
        (workloads === undefined || workloads.includes(settings.workload)),
    );
  }

  private async load(path: string): Promise<{ rows: Comparable[]; runs: ModelResult[] }> {
    const { isResult, readRows } = await import('../../sweep/rows.js');
    const file = await this.locate(path);
    if (file.endsWith('.jsonl')) {
      const rows = await asCommandErrors(() => readRows(file));
      if (rows.length === 0) throw new ContentError(`${showPath(file)} holds no point`);
      return { rows, runs: [] };
    }
    let document: { kind?: unknown; tests?: ({ details?: unknown } | null)[] } | null;
    try {
      document = JSON.parse(await readFile(file, 'utf8')) as typeof document;
    } catch {
      throw new ContentError(`${showPath(file)} is not JSON`);
    }
    const details = Array.isArray(document?.tests) ? document.tests.map((test) => test?.details) : [];
    if (document?.kind !== 'model' || details.length === 0 || !details.every(isResult)) {
      throw new ContentError(`${showPath(file)} is not a result of homa-nic model`);
    }
    const runs = details as ModelResult[];
    return { rows: runs, runs };
  }

  /** The file meant by a path: itself, or what a run or a sweep leaves in a folder. */
  private async locate(path: string): Promise<string> {
    const kind = async (name: string): Promise<'file' | 'folder' | undefined> => {
      const found = await stat(name).catch(() => undefined);
      if (found === undefined) return undefined;
      return found.isDirectory() ? 'folder' : 'file';
    };
    const first = await kind(path);
    if (first === 'file') return path;
    if (first === 'folder') {
      for (const name of ['points.jsonl', 'result.json']) {
        if ((await kind(join(path, name))) === 'file') return join(path, name);
      }
    }
    throw new UsageError(
      first === undefined
        ? `there is no ${showPath(path)}`
        : `${showPath(path)} holds neither points.jsonl nor result.json`,
      { suggestions: ['homa-nic model sweep --out sweep'] },
    );
  }
}

function thinned(results: readonly Comparable[]): Comparable[] {
  const entries = [...new Set(results.map((r) => r.settings.entries))].filter((n) => n !== null);
  entries.sort((a, b) => a - b);
  if (entries.length <= 3) return [...results];
  const kept = new Set([entries[0], entries[Math.floor(entries.length / 2)], entries.at(-1)]);
  return results.filter((r) => r.settings.entries === null || kept.has(r.settings.entries));
}
