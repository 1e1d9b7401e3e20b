// SPDX-License-Identifier: Apache-2.0
import { IntegerCounter } from '../stats/counted-values.js';
import { nearestRank } from '../stats/percentile.js';
import { summarizeCounts } from '../stats/counted-summary.js';
import { HEADER_EVENT, type RecordBatch } from './record-batch.js';
import type { RequestPairs } from './request-pairs.js';
import type { EventReport } from './trace-report.js';

/** Sequences longer than this are folded, so that memory does not follow the length of the trace. */
const MOST_OCCURRENCES = 100;

/** Counts what the records of a trace say about each event. */
export interface EventFigures {
  /**
   * `previousNs` is the time before the first record, NaN at the start of a file; returns the time of the last.
   * `onLate` is told the index of each record that is earlier than the one before it, and by how much.
   */
  count(batch: RecordBatch, previousNs: number, onLate: (index: number, byNs: number) => void): number;
  report(names: readonly string[]): EventReport[];
}

/** Per event: the interval since the previous record, whichever event that was. */
export class IntervalFigures implements EventFigures {
  private readonly counters: IntegerCounter[] = [];

  constructor(private readonly pairs: RequestPairs) {}

  count(batch: RecordBatch, previousNs: number, onLate: (index: number, byNs: number) => void): number {
    const { length, time, delta, event, tag } = batch;
    const { counters, pairs } = this;
    const { roles } = pairs;
    let previous = previousNs;
    for (let i = 0; i < length; i++) {
      const now = time[i]!;
      const e = event[i]!;
      if (e !== HEADER_EVENT) {
        const interval = intervalNs(now, previous, delta[i]!);
        if (hasValue(interval)) (counters[e] ??= new IntegerCounter()).add(interval);
        if (roles[e] !== 0) pairs.count(roles[e]!, tag[i]!, now, previous, interval);
      }
      if (now < previous) onLate(i, previous - now);
      previous = now;
    }
    return previous;
  }

  report(names: readonly string[]): EventReport[] {
    return names.flatMap((name, event) => {
      const histogram = this.counters[event]?.toCounted();
      return histogram ? [{ name, summary: summarizeCounts(histogram), histogram }] : [];
    });
  }
}

/**
 * Time since the previous record. Where the printed difference agrees with that of the printed times it is the better
 * figure: it was rounded once, not twice. It disagrees when lines were taken out of the trace; then it is not used.
 */
function intervalNs(now: number, previous: number, printed: number): number {
  const difference = now - previous;
  return Math.abs(printed - difference) <= 1 ? printed : difference;
}

/** A first record has no interval, and before the first start there is no time since it: both are NaN. */
function hasValue(timeNs: number): boolean {
  return timeNs === timeNs;
}

interface Occurrence {
  since: IntegerCounter;
  interval: IntegerCounter;
}

/** Per event and its k-th occurrence since the last start: the time since that start, and the interval. */
export class SequenceFigures implements EventFigures {
  /** Has any record started a sequence? */
  started = false;
  private startNs = NaN;
  private sequence = 0;
  private readonly seen: { sequence: number; times: number }[] = [];
  private readonly occurrences: Occurrence[][] = [];

  constructor(
    private readonly alt: boolean,
    private readonly pairs: RequestPairs,
  ) {}

  count(batch: RecordBatch, previousNs: number, onLate: (index: number, byNs: number) => void): number {
    const { length, time, delta, event, tag, starts } = batch;
    const { roles } = this.pairs;
    // At the start of a file there is a new clock, and no sequence yet.
    if (Number.isNaN(previousNs)) this.startNs = NaN;
    let previous = previousNs;
    for (let i = 0; i < length; i++) {
      const now = time[i]!;
      const e = event[i]!;
      if (e !== HEADER_EVENT) {
        if (starts[i] === 1) {
          this.started = true;
          this.startNs = now;
          this.sequence++;
        }
        const interval = intervalNs(now, previous, delta[i]!);
        // Right behind the start, the interval is the time since it, and the more exact figure.
        const follows = starts[i] === 0 && previous === this.startNs;
        const since = follows ? interval : now - this.startNs;
        if (hasValue(since)) this.file(e, since, interval);
        if (roles[e] !== 0) this.pairs.count(roles[e]!, tag[i]!, now, previous, interval);
      }
      if (now < previous) onLate(i, previous - now);
      previous = now;
    }
    return previous;
  }

  private file(event: number, since: number, interval: number): void {
    const seen = (this.seen[event] ??= { sequence: this.sequence, times: 0 });
    if (seen.sequence !== this.sequence) {
      seen.sequence = this.sequence;
      seen.times = 0;
    }
    const k = Math.min(seen.times++, MOST_OCCURRENCES - 1);
    const list = (this.occurrences[event] ??= []);
    const occurrence = (list[k] ??= { since: new IntegerCounter(), interval: new IntegerCounter() });
    occurrence.since.add(since);
    if (hasValue(interval)) occurrence.interval.add(interval);
  }

  report(names: readonly string[]): EventReport[] {
    const rows: { sortBy: number; report: EventReport }[] = [];
    names.forEach((name, event) => {
      this.occurrences[event]?.forEach(({ since, interval }, k) => {
        const [sinceNs, intervalNs] = [since.toCounted(), interval.toCounted()];
        const [main, other] = this.alt ? [sinceNs, intervalNs] : [intervalNs, sinceNs];
        if (main.values.length === 0) return;
        const suffix = k === 0 ? '' : ` (#${k + 1}${k + 1 === MOST_OCCURRENCES ? '+' : ''})`;
        const report = {
          name: `${name}${suffix}`,
          summary: summarizeCounts(main),
          histogram: main,
          otherP50: median(other),
        };
        rows.push({ sortBy: median(sinceNs) ?? sinceNs.values[0]!, report });
      });
    });
    return rows.sort((a, b) => a.sortBy - b.sortBy).map(({ report }) => report);
  }
}

function median({ values, counts }: EventReport['histogram']): number | null {
  let count = 0;
  for (let i = 0; i < counts.length; i++) count += counts[i]!;
  const rank = nearestRank(count, 0.5);
  if (rank === undefined) return null;
  let seen = 0;
  for (let i = 0; i < counts.length; i++) {
    seen += counts[i]!;
    if (seen >= rank) return values[i]!;
  }
  return null;
}
