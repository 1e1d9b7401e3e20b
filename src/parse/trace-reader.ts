// SPDX-License-Identifier: Apache-2.0
import { DIALECTS, type Dialect, type DialectName } from './dialect.js';
import { explainBadLine } from './explain-bad-line.js';
import { type RecordBatch, BATCH_RECORDS, makeBatch } from './record-batch.js';
import { HASH_FACTOR, HASH_SEED, hashBytes } from './tail-table.js';
import { refuseBinary } from './trace-faults.js';
import { latin1, TailReader } from './tail-reader.js';

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const DOT = 0x2e;
const OPEN = 0x28;
const CLOSE = 0x29;
const PLUS = 0x2b;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

/** A longer line is no line of a trace; without a bound, a file without newlines would be kept whole. */
const LONGEST_LINE_BYTES = 65_536;
/** Small enough for the second-level cache, and well beyond the longest line. */
const WORK_BYTES = 4 * LONGEST_LINE_BYTES;
const PAD_BYTES = 64;
/** A number with more digits before the dot takes the slow way: these fit a small integer. */
const MOST_DIGITS = 9;

/** The byte classes that matter in a tail: 1 where a number may be masked. */
const MASKABLE = new Uint8Array(256);
for (const c of '0123456789.') MASKABLE[c.charCodeAt(0)] = 1;

export interface TraceReaderOptions {
  dialect?: DialectName;
  /** Keep the numbers in event texts instead of replacing them by `?`. */
  numbers?: boolean;
  /** Records whose raw text contains this start a sequence. */
  from?: string | undefined;
  /** Takes the records, a batch at a time. */
  onBatch(batch: RecordBatch): void;
  /** Takes a line that is not a record: its 1-based number and what is wrong. Only where the dialect reports those. */
  onBadLine(line: number, reason: string): void;
}

/**
 * Reads the text of time traces from chunks of bytes, cut anywhere, into batches of records. Memory follows the number
 * of distinct event texts, not of lines. Throws ContentError when the bytes are not text.
 */
export class TraceReader {
  readonly tails: TailReader;
  /** Name of the current file, for messages. */
  file = 'trace';
  /** Lines of the current file so far. */
  line = 0;
  private readonly dialect: Dialect;
  private readonly nanoseconds: boolean;
  private readonly negative: boolean;
  private readonly batch = makeBatch();
  private readonly work = new Uint8Array(WORK_BYTES + PAD_BYTES);
  private filled = 0;
  private tooLong = false;
  private previousTail = 0;
  private latest = -Infinity;

  constructor(private readonly options: TraceReaderOptions) {
    this.dialect = DIALECTS[options.dialect ?? 'normal'];
    this.nanoseconds = this.dialect.unit === 'ns';
    this.negative = this.dialect.negative;
    this.tails = new TailReader(this.dialect, options.numbers === true, options.from);
  }

  /** Takes the next bytes of the current file; they may be used again once the call has returned. */
  feed(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      const piece = chunk.subarray(at, at + WORK_BYTES - this.filled);
      at += piece.length;
      this.work.set(piece, this.filled);
      const newlineAt = piece.lastIndexOf(NEWLINE);
      const end = this.filled + newlineAt + 1;
      this.filled += piece.length;
      if (newlineAt === -1) this.dropIfTooLong();
      else this.readWholeLines(end);
    }
  }

  /** Ends the current file (its last line may lack a newline) and hands over what there is. Returns its lines. */
  endFile(): number {
    if (this.filled > 0 || this.tooLong) this.feed(Uint8Array.of(NEWLINE));
    this.flush();
    const lines = this.line;
    this.line = 0;
    this.latest = -Infinity;
    return lines;
  }

  private dropIfTooLong(): void {
    if (this.filled <= LONGEST_LINE_BYTES) return;
    if (this.work.subarray(0, this.filled).includes(0)) refuseBinary(this.file);
    this.tooLong = true;
    this.filled = 0;
  }

  /** Reads work[0..end), which ends in a newline, and moves the rest to the front. */
  private readWholeLines(end: number): void {
    let from = 0;
    if (this.tooLong) {
      from = this.work.indexOf(NEWLINE) + 1;
      this.line++;
      this.bad(`longer than ${LONGEST_LINE_BYTES} bytes`);
      this.tooLong = false;
    }
    this.readLines(this.work, from, end);
    this.work.copyWithin(0, end, this.filled);
    this.filled -= end;
  }

  /** Reads b[from..end), whole lines. */
  private readLines(b: Uint8Array, from: number, end: number): void {
    const { batch } = this;
    for (let start = from; start < end;) {
      start = this.readLine(b, start);
      if (batch.length === BATCH_RECORDS) this.flush();
    }
  }

  /**
   * Reads the line at b[start]; returns where the next one begins. Only what `%.3f us (+ %.3f us) known tail` needs is in
   * here: V8 takes 40 ms to optimize all ways in one function, which is as long as it takes to read 20 MB. It looks a few
   * bytes beyond what it has checked, so `b` must be longer than the lines by PAD_BYTES: a read outside of a typed array
   * would make V8 give up on the fast code.
   */
  private readLine(b: Uint8Array, start: number): number {
    const { batch, negative } = this;
    const { table } = this.tails;
    let i = start;
    let c = b[i]!;
    while (c === SPACE) c = b[++i]!;
    let sign = 1;
    if (c === MINUS && negative) {
      sign = -1;
      c = b[++i]!;
    }
    // Whole and decimal part apart, as small integers: cheaper than one double, above all before V8 optimizes.
    let digitsAt = i;
    let whole = 0;
    while (c >= ZERO && c <= NINE) {
      whole = (whole * 10 + (c - ZERO)) | 0;
      c = b[++i]!;
    }
    // Nothing below can run over a newline unseen: every byte up to the tail is compared with what it must be.
    if (i === digitsAt || i - digitsAt > MOST_DIGITS) return this.readOtherLine(b, start);
    const decimals = threeDecimals(b, i);
    if (decimals < 0 || b[i + 7] !== SPACE || b[i + 8] !== OPEN || b[i + 9] !== PLUS)
      return this.readOtherLine(b, start);
    i += 10;
    c = b[i]!;
    while (c === SPACE) c = b[++i]!;
    let deltaSign = 1;
    if (c === MINUS && negative) {
      deltaSign = -1;
      c = b[++i]!;
    }
    digitsAt = i;
    let deltaWhole = 0;
    while (c >= ZERO && c <= NINE) {
      deltaWhole = (deltaWhole * 10 + (c - ZERO)) | 0;
      c = b[++i]!;
    }
    if (i === digitsAt || i - digitsAt > MOST_DIGITS) return this.readOtherLine(b, start);
    const deltaDecimals = threeDecimals(b, i);
    if (deltaDecimals < 0 || b[i + 7] !== CLOSE || b[i + 8] !== SPACE) return this.readOtherLine(b, start);
    const tailAt = i + 9;
    let id = table.next[this.previousTail]!;
    let newlineAt =
      table.size === 0 ? -1 : endOfKnownTail(b, tailAt, table.bytes, table.first[id]!, table.last[id]!);
    let starts = table.starts[id]!;
    if (newlineAt === -1) {
      newlineAt = b.indexOf(NEWLINE, tailAt);
      id = this.otherTail(b, start, tailAt, newlineAt);
      if (id < 0) return newlineAt + 1;
      starts = this.tails.starts;
    }
    this.previousTail = id;
    this.line++;
    const n = batch.length;
    const at = sign * (whole * 1000 + decimals);
    const delta = deltaSign * (deltaWhole * 1000 + deltaDecimals);
    batch.time[n] = this.nanoseconds ? at : at / 1000;
    batch.delta[n] = this.nanoseconds ? delta : delta / 1000;
    batch.event[n] = table.event[id]!;
    batch.tag[n] = table.tag[id]!;
    batch.starts[n] = starts;
    batch.line[n] = this.line;
    batch.length = n + 1;
    if (batch.time[n]! < this.latest) this.noteLate(b, start, newlineAt);
    else this.latest = batch.time[n]!;
    return newlineAt + 1;
  }

  /** The entry of a tail that is not the one expected; -1 when the line is none of the dialect or was read otherwise. */
  private otherTail(b: Uint8Array, start: number, tailAt: number, newlineAt: number): number {
    const { tails } = this;
    let hash = HASH_SEED;
    let maskable = 0;
    const tailEnd = b[newlineAt - 1] === RETURN ? newlineAt - 1 : newlineAt;
    for (let i = tailAt; i < tailEnd; i++) {
      hash = Math.imul(hash ^ b[i]!, HASH_FACTOR);
      maskable |= MASKABLE[b[i]!]!;
    }
    if (
      newlineAt - start > LONGEST_LINE_BYTES ||
      (maskable !== 0 && tails.looksLikeTimes(b, tailAt, newlineAt))
    ) {
      this.readOtherLine(b, start);
      return -1;
    }
    const id = tails.resolve(b, tailAt, tailEnd, hash, maskable !== 0);
    if (id < 0) {
      this.line++;
      this.bad(tails.reason);
    } else {
      tails.table.next[this.previousTail] = id;
    }
    return id;
  }

  /** Notes that the last record is earlier than one before it, where the dialect prints its line. */
  private noteLate(b: Uint8Array, from: number, to: number): void {
    if (!this.nanoseconds) this.batch.lateLines.set(this.batch.length - 1, `${textOf(b, from, to)}\n`);
  }

  /** A line that the quick way does not take; returns where the next one begins. */
  private readOtherLine(b: Uint8Array, start: number): number {
    const newlineAt = b.indexOf(NEWLINE, start);
    this.line++;
    this.readOddLine(b, start, newlineAt);
    return newlineAt + 1;
  }

  /** A line that the quick way does not take: rare, so it may cost strings. */
  private readOddLine(b: Uint8Array, from: number, newlineAt: number): void {
    if (newlineAt - from > LONGEST_LINE_BYTES) {
      if (b.subarray(from, newlineAt).includes(0)) refuseBinary(this.file);
      this.bad(`longer than ${LONGEST_LINE_BYTES} bytes`);
      return;
    }
    const to = newlineAt > from && b[newlineAt - 1] === RETURN ? newlineAt - 1 : newlineAt;
    const line = latin1(b, from, to);
    if (line.includes('\0')) refuseBinary(this.file);
    const match = (this.dialect.pattern ?? ODD_NORMAL).exec(line);
    const time = Number(match?.[1] ?? NaN);
    const delta = Number(match?.[2] ?? NaN);
    if (!match || Number.isNaN(time) || Number.isNaN(delta)) {
      if (line.trim() !== '') this.bad(explainBadLine(line));
      return;
    }
    const tail = Uint8Array.from(match[3]!, (char) => char.charCodeAt(0));
    const id = this.tails.resolve(tail, 0, tail.length, hashBytes(tail, 0, tail.length), true);
    if (id < 0) {
      this.bad(this.tails.reason);
      return;
    }
    const { batch } = this;
    const n = batch.length++;
    batch.time[n] = this.nanoseconds ? Math.round(time * 1000) : time;
    batch.delta[n] = this.nanoseconds ? Math.round(delta * 1000) : delta;
    batch.event[n] = this.tails.table.event[id]!;
    batch.tag[n] = this.tails.table.tag[id]!;
    batch.starts[n] = this.tails.starts;
    batch.line[n] = this.line;
    if (batch.time[n]! < this.latest) batch.lateLines.set(n, `${textOf(b, from, to)}\n`);
    else this.latest = batch.time[n]!;
  }

  private bad(reason: string): void {
    if (this.dialect.reportsBadLines) this.options.onBadLine(this.line, reason);
  }

  private flush(): void {
    if (this.batch.length > 0) this.options.onBatch(this.batch);
    this.batch.length = 0;
    this.batch.lateLines.clear();
  }
}

/** The normal format once more, for lines with carriage returns or very long numbers. */
const ODD_NORMAL = /^ *(-?\d+(?:\.\d*)?) us \(\+ *(-?\d+(?:\.\d*)?) us\) (.+)$/s;

/** The three digits of ".ddd us" at b[i] as a number; -1 when something else stands there. */
function threeDecimals(b: Uint8Array, i: number): number {
  const first = b[i + 1]! - ZERO;
  const second = b[i + 2]! - ZERO;
  const third = b[i + 3]! - ZERO;
  if (first < 0 || first > 9 || second < 0 || second > 9 || third < 0 || third > 9) return -1;
  if (b[i] !== DOT || b[i + 4] !== SPACE || b[i + 5] !== 0x75 || b[i + 6] !== 0x73) return -1;
  return first * 100 + second * 10 + third;
}

/** Where the line ends, if from `i` it holds exactly known[first..last); else -1. */
function endOfKnownTail(b: Uint8Array, i: number, known: Uint8Array, first: number, last: number): number {
  let at = i;
  for (let j = first; j < last; j++, at++) if (b[at] !== known[j]) return -1;
  if (b[at] === RETURN) at++;
  return b[at] === NEWLINE ? at : -1;
}

function textOf(b: Uint8Array, from: number, to: number): string {
  const text = new TextDecoder().decode(b.subarray(from, to));
  return text.endsWith('\r') ? text.slice(0, -1) : text;
}
