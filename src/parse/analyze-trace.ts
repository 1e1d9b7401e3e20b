// SPDX-License-Identifier: Apache-2.0
import { IntervalFigures, SequenceFigures } from './event-figures.js';
import { HEADER_EVENT, type RecordBatch } from './record-batch.js';
import { RequestPairs } from './request-pairs.js';
import { refuseAbsentEvent, refuseUselessTrace, uselessFile } from './trace-faults.js';
import { TraceReader } from './trace-reader.js';
import type { TraceAnalysisOptions, TraceReport } from './trace-report.js';

/** Analyzes the text of one or more time traces; see `analyzeTrace`. */
export class TraceAnalysis {
  private readonly reader: TraceReader;
  private readonly pairs = new RequestPairs();
  private readonly figures: IntervalFigures | SequenceFigures;
  private readonly warnings: string[] = [];
  private readonly mostWarnings: number;
  private moreWarnings = 0;
  private readonly files: string[] = [];
  private lines = 0;
  private records = 0;
  private events = 0;
  private eventsBefore = 0;
  /** What there is to say of files that hold no event. */
  private readonly useless: string[] = [];
  private badLines = 0;
  private firstBadLine: string | undefined;
  private backwards = 0;
  private previousNs = NaN;

  constructor(private readonly options: TraceAnalysisOptions) {
    this.mostWarnings = options.mostWarnings ?? 10;
    this.figures =
      options.from === undefined
        ? new IntervalFigures(this.pairs)
        : new SequenceFigures(options.alt === true, this.pairs);
    this.reader = new TraceReader({
      numbers: options.numbers === true,
      from: options.from,
      onBatch: (batch) => this.take(batch),
      onBadLine: (line, reason) => {
        const text = `${this.reader.file}:${line}: ${reason}`;
        this.badLines++;
        this.firstBadLine ??= text;
        this.warn(text);
      },
    });
  }

  /** Begins a file; its name (as it is to be shown) stands before the line number in warnings. */
  startFile(name: string): void {
    if (this.files.length > 0) this.endFile();
    this.files.push(name);
    this.reader.file = name;
    this.eventsBefore = this.events;
  }

  /** Takes the next bytes of the file, cut anywhere; the buffer may be used again. Throws ContentError for binary. */
  feed(chunk: Uint8Array): void {
    this.reader.feed(chunk);
  }

  /**
   * Ends the last file and says what the traces hold. Throws ContentError when there is nothing to say: no line, no
   * event, one event only, or none that contains `from` (the error names those that are).
   */
  finish(): TraceReport {
    this.endFile();
    const { files, lines, events, firstBadLine } = this;
    refuseUselessTrace({ files, lines, events, firstBadLine }, 2);
    this.useless.forEach((text) => this.warn(text));
    const names = this.reader.tails.events;
    const { from, alt } = this.options;
    if (from !== undefined && this.figures instanceof SequenceFigures && !this.figures.started) {
      refuseAbsentEvent(from, names);
    }
    return {
      quantity: from !== undefined && alt === true ? 'since' : 'interval',
      from: from ?? null,
      events: this.figures.report(names),
      pairs: this.pairs.report(),
      warnings: this.warnings,
      moreWarnings: this.moreWarnings,
      lines,
      records: this.records,
      badLines: this.badLines,
      backwards: this.backwards,
    };
  }

  private endFile(): void {
    const lines = this.reader.endFile();
    this.lines += lines;
    const useless = uselessFile(this.reader.file, lines, this.events - this.eventsBefore);
    if (useless !== undefined) this.useless.push(useless);
    this.pairs.endFile();
    this.previousNs = NaN;
  }

  private take(batch: RecordBatch): void {
    this.pairs.learn(this.reader.tails.events);
    this.records += batch.length;
    this.events += eventsIn(batch);
    this.previousNs = this.figures.count(batch, this.previousNs, (index, byNs) => {
      this.backwards++;
      this.warn(`${this.reader.file}:${batch.line[index]!}: time went backwards by ${byNs} ns`);
    });
  }

  private warn(text: string): void {
    if (this.warnings.length < this.mostWarnings) this.warnings.push(text);
    else this.moreWarnings++;
  }
}

/** A function of its own: a loop inside of `take` would have V8 optimize that too early, and give up again. */
function eventsIn({ length, event }: RecordBatch): number {
  let events = 0;
  for (let i = 0; i < length; i++) if (event[i] !== HEADER_EVENT) events++;
  return events;
}

/**
 * Makes an analysis of time traces: call `startFile` and `feed` for each file, then `finish` for the report. Figures
 * are in nanoseconds. Without `from`, an event's figures are of the interval since the previous record of the file,
 * whichever event that was. With `from`, each record after the first start is filed under its event and how many times
 * that has occurred since the last start. Memory follows the number of distinct events and values, not of lines.
 */
export function analyzeTrace(options: TraceAnalysisOptions = {}): TraceAnalysis {
  return new TraceAnalysis(options);
}
