// SPDX-License-Identifier: Apache-2.0

/** Records handed over at a time: a batch stays in the cache, and V8 optimizes its loop once, not also in mid-run. */
export const BATCH_RECORDS = 2048;

/** `event` of the "First event has timestamp" line of a normal trace: it has a time and is no event. */
export const HEADER_EVENT = -1;

/** Records in columns, in file order; valid until the callback returns, the arrays are used again. */
export interface RecordBatch {
  length: number;
  /** Time since the first event, in the unit of the dialect. */
  time: Float64Array;
  /** The printed difference to the line before, in the same unit. */
  delta: Float64Array;
  /** Index into the names of events, or HEADER_EVENT. */
  event: Int32Array;
  /** Index into the names of tags. */
  tag: Int32Array;
  /** 1 where the raw text contains the text that starts a sequence. */
  starts: Uint8Array;
  /** 1-based line number in its file. */
  line: Float64Array;
  /** Raw text, by index, of the records earlier than one before them, where the dialect prints those lines. */
  lateLines: Map<number, string>;
}

export function makeBatch(): RecordBatch {
  return {
    length: 0,
    time: new Float64Array(BATCH_RECORDS),
    delta: new Float64Array(BATCH_RECORDS),
    event: new Int32Array(BATCH_RECORDS),
    tag: new Int32Array(BATCH_RECORDS),
    starts: new Uint8Array(BATCH_RECORDS),
    line: new Float64Array(BATCH_RECORDS),
    lateLines: new Map(),
  };
}
