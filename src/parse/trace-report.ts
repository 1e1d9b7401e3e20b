// SPDX-License-Identifier: Apache-2.0
import type { CountedValues } from '../stats/counted-values.js';
import type { Summary } from '../stats/counted-summary.js';

/** What an analysis is asked for. */
export interface TraceAnalysisOptions {
  /** Take times since the last event whose text contains this. */
  from?: string | undefined;
  /** With `from`: the figures are of the time since that event, not of the interval since the previous one. */
  alt?: boolean;
  /** Events whose texts differ in their numbers only are different events. */
  numbers?: boolean;
  /** Warnings kept as text; the rest are counted. Default 10. */
  mostWarnings?: number;
}

/** The figures of one event, in nanoseconds. */
export interface EventReport {
  /** Text with numbers masked; ` (#k)` for the k-th occurrence in a sequence, ` (#100+)` for all from the 100th on. */
  name: string;
  summary: Summary;
  histogram: CountedValues;
  /** Median of the other quantity (interval or time since `from`) when `from` is given. */
  otherP50?: number | null;
}

/** Latency from a request to the response that follows it under the same tag, in nanoseconds. */
export interface PairReport {
  name: string;
  request: string;
  response: string;
  summary: Summary;
  histogram: CountedValues;
  /** Requests that no response followed before the next request or the end. */
  unanswered: number;
  /** Responses that no request preceded. */
  unasked: number;
}

/** What a trace says. */
export interface TraceReport {
  /** What the figures of `events` are: the interval since the previous event, or the time since `from`. */
  quantity: 'interval' | 'since';
  from: string | null;
  events: EventReport[];
  pairs: PairReport[];
  /** `file:line: message`, the first of them. */
  warnings: string[];
  /** Warnings beyond those. */
  moreWarnings: number;
  lines: number;
  records: number;
  badLines: number;
  /** Records earlier than the one before them. */
  backwards: number;
}
