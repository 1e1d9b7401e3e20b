// SPDX-License-Identifier: Apache-2.0
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { BaseCommand, type Outcome } from '../base/base-command.js';
import { sharedFlags } from '../base/flags.js';
import { UsageError } from '../errors/errors.js';
import type { TraceInput } from '../base/trace-input.js';
import type { TraceSource } from '../base/trace-source.js';

// What is heavy is imported when it is needed: `parse --help` must not pay for it.

/** A trace larger than this takes long enough to say how far it is. */
const PROGRESS_ABOVE_BYTES = 64 * 1024 * 1024;

interface Sink {
  startFile(name: string): void;
  feed(chunk: Uint8Array): void;
}

export default class Parse extends BaseCommand<typeof Parse> {
  static override summary = 'Say what time traces hold: latencies, intervals between events, percentiles.';
  static override description = `Reads the traces that perf, the C programs and HomaModule's tools write, from files or from standard input (also \`-\`). Request and response events are paired and their latency is shown first. Each further row is an event, with the interval since the event before it, whichever that was; with --from, events are shown by their place in the sequence that starts at EVENT. All figures are in nanoseconds; a percentile that the count cannot support is \`-\`. A line that is no record costs a warning and nothing else.`;
  static override examples = [
    { description: 'Run the tests, then look at one of the traces', command: '<%= config.bin %> perf --out run1 && <%= config.bin %> parse run1/echo.tt' },
    { description: 'Time since each request', command: "<%= config.bin %> parse --from 'write request' --alt run1/echo.tt" },
    { description: 'Exactly what the original summary tool prints', command: '<%= config.bin %> parse --format ttsum run1/echo.tt' },
    { description: 'A plot of every distribution', command: '<%= config.bin %> parse --plot echo.svg run1/echo.tt' },
  ]; // prettier-ignore
  static override strict = false;
  static override args = {
    file: Args.string({ description: 'trace files; `-` is standard input', multiple: true, required: false }),
  };
  static override flags = {
    from: Flags.string({ description: 'sequences start at events that contain EVENT', helpValue: 'EVENT' }),
    alt: Flags.boolean({ description: 'with --from: figures of the time since EVENT, not of intervals' }),
    numbers: Flags.boolean({ description: 'numbers in event texts tell events apart' }),
    format: Flags.string({
      description: 'tables, or exactly what one of the two ttsum tools prints',
      options: ['table', 'ttsum', 'ttsum-homa'],
      default: 'table',
    }),
    cores: Flags.boolean({ description: 'each core by itself (with --format ttsum-homa)' }),
    csv: Flags.boolean({ description: 'print CSV instead of tables', exclusive: ['json'] }),
    plot: Flags.string({ description: 'draw the distributions into FILE.svg', helpValue: 'FILE.svg' }),
    force: sharedFlags.force,
  };

  protected async execute(): Promise<Outcome> {
    this.checkFlags();
    const { openTraceInputs } = await import('../base/trace-input.js');
    if (this.flags.plot !== undefined) {
      const { checkPlotFile } = await import('../base/output-file.js');
      checkPlotFile(this.flags.plot, this.flags.force);
    }
    const inputs = openTraceInputs(this.words);
    return this.flags.format === 'table' ? this.asTables(inputs) : this.asTtsum(inputs);
  }

  private checkFlags(): void {
    const { format, from, alt, cores, csv, plot } = this.flags;
    const refuse = (message: string, suggestion: string): never => {
      throw new UsageError(message, { suggestions: [suggestion] });
    };
    if (alt && from === undefined && format === 'table') refuse('--alt needs --from', '--from EVENT --alt');
    if (cores && format !== 'ttsum-homa') refuse('--cores needs --format ttsum-homa', '--format ttsum-homa');
    if (format === 'table') return;
    if (csv) refuse(`--csv does not go with --format ${format}`, 'leave out --format');
    if (plot !== undefined) refuse(`--plot does not go with --format ${format}`, 'leave out --format');
  }

  private async feed(inputs: readonly TraceInput[], sink: Sink): Promise<boolean> {
    const { readTraceInput } = await import('../base/trace-input.js');
    for (const input of inputs) {
      sink.startFile(input.name);
      if ((input.sizeBytes ?? 0) > PROGRESS_ABOVE_BYTES) {
        this.progress.start(`reading ${input.name}`, input.sizeBytes);
      }
      const take = (chunk: Uint8Array, readBytes: number): void => {
        sink.feed(chunk);
        this.progress.update(readBytes);
      };
      await readTraceInput(input, take, this.signal);
      this.progress.stop();
      if (this.signal.aborted) return true;
    }
    return false;
  }

  private async asTables(inputs: readonly TraceInput[]): Promise<Outcome> {
    const { analyzeTrace } = await import('../parse/analyze-trace.js');
    const { from, alt, numbers, csv, plot } = this.flags;
    const analysis = analyzeTrace({ from, alt, numbers });
    const partial = await this.feed(inputs, analysis);
    const report = analysis.finish();
    for (const text of report.warnings) this.warn(text);
    if (report.moreWarnings > 0) this.warn(`${report.moreWarnings} more of these`);
    const tables = await import('../report/trace-tables.js');
    const facts = await this.sourceOf(inputs);
    const files = inputs.map(({ name }) => name);
    const mark = `${facts.interrupted ? ' [of an interrupted run]' : ''}${partial ? ' [partial]' : ''}`;
    const source = { title: `${files.join(', ')}${mark}`, ...facts };
    if (plot !== undefined) {
      const { plotDistribution } = await import('../report/plot-distribution.js');
      const { writeFileSync } = await import('node:fs');
      writeFileSync(plot, await plotDistribution(source, tables.traceSeries(report)));
    }
    return {
      result: { files, ...facts, partial, ...tables.traceReportJson(report), ...(plot ? { plot } : {}) },
      render: () =>
        csv ? tables.formatTraceCsv(report) : tables.formatTraceReport(report, source, this.shape),
    };
  }

  private async asTtsum(inputs: readonly TraceInput[]): Promise<Outcome> {
    const { TtsumAnalysis } = await import('../parse/ttsum.js');
    const { format, from, alt, numbers, cores } = this.flags;
    const tool = format === 'ttsum' ? 'ttsum' : 'ttsum-homa';
    const analysis = new TtsumAnalysis({ tool, from, alt, numbers, cores });
    const partial = await this.feed(inputs, analysis);
    const text = analysis.finish();
    return { result: { files: inputs.map(({ name }) => name), format, partial, text }, render: () => text };
  }

  /** What the runs that wrote the traces say, where they all say the same. */
  private async sourceOf(inputs: readonly TraceInput[]): Promise<TraceSource> {
    const { traceSourceBeside } = await import('../base/trace-source.js');
    const found = inputs.map(({ name, path }) => {
      if (path === undefined) return {};
      try {
        return traceSourceBeside(path);
      } catch {
        this.warn(`the result.json beside ${name} cannot be read; it is not used`);
        return {};
      }
    });
    const first = JSON.stringify(found[0]);
    return found.every((one) => JSON.stringify(one) === first) ? found[0]! : {};
  }
}
