// SPDX-License-Identifier: Apache-2.0
// The output of the two summary tools named ttsum, digit for digit (docs/parse.md#ttsum). Their arithmetic is part of
// that: doubles, sums taken left to right over sorted lists, halves rounded to even. It keeps every interval, as they do.
import type { RecordBatch } from './record-batch.js';
import { refuseAbsentEvent, refuseUselessTrace } from './trace-faults.js';
import { TraceReader } from './trace-reader.js';

export interface TtsumOptions {
  /** `ttsum`: the original project's tool, printed deltas, any tag. `ttsum-homa`: HomaModule's, [C<core>] tags only. */
  tool: 'ttsum' | 'ttsum-homa';
  from?: string | undefined;
  alt?: boolean;
  numbers?: boolean;
  /** Each core is a stream of its own (`ttsum-homa` only). */
  cores?: boolean;
}

interface Stream {
  previous: number | undefined;
  start: number | undefined;
  /** Occurrences per event since the start. */
  seen: Map<number, number>;
}

interface Occurrence {
  times: number[];
  intervals: number[];
}

/** Reads traces as one of the two tools does and prints what it prints. */
export class TtsumAnalysis {
  private readonly reader: TraceReader;
  private readonly streams = new Map<number, Stream>();
  private readonly intervals = new Map<number, number[]>();
  private readonly occurrences = new Map<number, Occurrence[]>();
  private readonly older: boolean;
  private started = false;
  private complaints = '';
  private readonly files: string[] = [];
  private last: number | undefined;
  private lines = 0;
  private records = 0;

  constructor(private readonly options: TtsumOptions) {
    this.older = options.tool === 'ttsum';
    this.reader = new TraceReader({
      dialect: options.tool,
      numbers: options.numbers === true,
      from: options.from,
      onBatch: (batch) => this.take(batch),
      onBadLine: () => undefined,
    });
  }

  /** Begins a file; its name (as it is to be shown) stands in errors. */
  startFile(name: string): void {
    if (this.files.length > 0) this.endFile();
    this.files.push(name);
    this.reader.file = name;
  }

  /** Takes the next bytes of the file, cut anywhere. Throws ContentError for binary. */
  feed(chunk: Uint8Array): void {
    this.reader.feed(chunk);
  }

  /** Ends the last file; returns the text for stdout. Throws ContentError for an empty trace or an absent `from`. */
  finish(): string {
    this.endFile();
    const { files, lines, records: events } = this;
    refuseUselessTrace({ files, lines, events, firstBadLine: undefined }, 1);
    const names = this.reader.tails.events;
    const { from, alt } = this.options;
    if (from === undefined) return this.complaints + this.intervalTable(names);
    if (!this.started) refuseAbsentEvent(from, names);
    return this.complaints + this.sequenceTable(names, alt === true);
  }

  private endFile(): void {
    this.lines += this.reader.endFile();
    this.last = undefined;
    // The older tool starts afresh with each file; HomaModule's goes on.
    if (this.older) this.streams.clear();
  }

  private take(batch: RecordBatch): void {
    const sequences = this.options.from !== undefined;
    const cores = this.options.cores === true;
    this.records += batch.length;
    for (let i = 0; i < batch.length; i++) {
      const event = batch.event[i]!;
      const time = this.older ? batch.time[i]! * 1000 : batch.time[i]!;
      const stream = this.stream(cores ? batch.tag[i]! : 0);
      const interval = this.older ? batch.delta[i]! * 1000 : time - (stream.previous ?? time);
      if (this.last !== undefined && time < this.last) {
        this.complaints += `Time went backwards at the following line:\n${batch.lateLines.get(i) ?? ''}\n`;
      }
      this.last = time;
      stream.previous = time;
      if (sequences) this.file(stream, event, batch.starts[i] === 1, time, interval);
      else if (interval !== 0) {
        const list = this.intervals.get(event);
        if (list) list.push(interval);
        else this.intervals.set(event, [interval]);
      }
    }
  }

  private stream(core: number): Stream {
    let stream = this.streams.get(core);
    if (!stream) {
      stream = { previous: undefined, start: undefined, seen: new Map() };
      this.streams.set(core, stream);
    }
    return stream;
  }

  private file(stream: Stream, event: number, starts: boolean, time: number, interval: number): void {
    if (starts) {
      this.started = true;
      stream.start = time;
      stream.seen.clear();
    }
    if (stream.start === undefined) return;
    const k = stream.seen.get(event) ?? 0;
    stream.seen.set(event, k + 1);
    let list = this.occurrences.get(event);
    if (!list) this.occurrences.set(event, (list = []));
    const occurrence = (list[k] ??= { times: [], intervals: [] });
    occurrence.times.push(time - stream.start);
    occurrence.intervals.push(interval);
  }

  private intervalTable(names: readonly string[]): string {
    const rows = [...this.intervals].map(([event, list]) => ({
      name: names[event]!,
      of: this.figures(list),
    }));
    const width = longest(rows.map(({ name }) => name));
    rows.sort((a, b) => b.of.sortBy - a.of.sortBy);
    const body = rows.map(({ name, of }) => row(name, width, [of.median, of.min, of.max, of.mean], of.count));
    const head = `${pad('Event', width)}  Median    Min    Max    Avg   Count`;
    return text([head, '-'.repeat(width + 45), ...body]);
  }

  private sequenceTable(names: readonly string[], alt: boolean): string {
    const found = [...this.occurrences].map(([event, list]) => ({ name: names[event]!, list }));
    const width = longest(
      found.map(({ name, list }) => (list.length > 1 ? `${name} (#${list.length})` : name)),
    );
    const rows = found.flatMap(({ name, list }) =>
      list.map(({ times, intervals }, k) => {
        const [since, delta] = [this.figures(times), this.figures(intervals)];
        const cells = alt
          ? [since.median, since.min, since.max, since.mean, delta.median]
          : [since.median, delta.median, delta.min, delta.max, delta.mean];
        const line = row(k === 0 ? name : `${name} (#${k + 1})`, width, cells, since.count);
        return { sortBy: since.sortBy, line };
      }),
    );
    rows.sort((a, b) => a.sortBy - b.sortBy);
    const event = pad('Event', width);
    const head = alt
      ? [`${event}  Median    Min    Max    Avg  Delta   Count`]
      : [`${pad('', width)}   Cum.  ---------------Delta---------------`, `${event}  Median Median    Min    Max    Avg   Count`]; // prettier-ignore
    return text([...head, '-'.repeat(width + 44), ...rows.map(({ line }) => line)]);
  }

  /** Figures of a list in nanoseconds, as printed; the order of the operations decides the last digit. */
  private figures(
    list: readonly number[],
  ): Record<'sortBy' | 'median' | 'min' | 'max' | 'mean' | 'count', number> {
    const sorted = Float64Array.from(list).sort();
    const count = sorted.length;
    let sum = 0;
    for (const value of sorted) sum += value;
    const scale = this.older ? 1 : 1e3;
    const median = sorted[Math.floor(count / 2)]!;
    return {
      sortBy: median,
      median: median * scale,
      min: sorted[0]! * scale,
      max: sorted[count - 1]! * scale,
      mean: (scale * sum) / count,
      count,
    };
  }
}

function pad(name: string, width: number): string {
  return name + ' '.repeat(Math.max(0, width - [...name].length));
}

function longest(names: readonly string[]): number {
  return names.reduce((width, name) => Math.max(width, [...name].length), 0);
}

function row(name: string, width: number, cells: readonly number[], count: number): string {
  const figures = cells.map((value) => wholeHalfEven(value).padStart(6)).join(' ');
  return `${pad(name, width)}  ${figures} ${String(count).padStart(7)}`;
}

function text(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

/** What C's `%.0f` prints: the nearest whole number, the even one at a half, and the sign of a negative zero. */
export function wholeHalfEven(value: number): string {
  const below = Math.floor(value);
  const rest = value - below;
  const whole = rest < 0.5 || (rest === 0.5 && below % 2 === 0) ? below : below + 1;
  if (whole === 0) return value < 0 || Object.is(value, -0) ? '-0' : '0';
  return String(whole);
}
