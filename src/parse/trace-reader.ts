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
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

/** A longer line is no line of a trace; without a bound, a file without newlines would be kept whole. */
const LONGEST_LINE_BYTES = 65_536;
/** Small enough for the second-level cache, and well beyond the longest line. */
const WORK_BYTES = 4 * LONGEST_LINE_BYTES;
const PAD_BYTES = 64;
/** A number with more digits before or behind the dot takes the slow way: these fit a small integer, and a double. */
const MOST_DIGITS = 9;
const MOST_PLACES = 6;
const POWERS = [1, 10, 100, 1e3, 1e4, 1e5, 1e6];

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
  private readonly batch = makeBatch();
  private readonly work = new Uint8Array(WORK_BYTES + PAD_BYTES);
  private filled = 0;
  private tooLong = false;
  private previousTail = 0;
  private latest = -Infinity;

  constructor(private readonly options: TraceReaderOptions) {
    this.dialect = DIALECTS[options.dialect ?? 'normal'];
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

  /**
   * Reads b[from..end), whole lines. It looks a few bytes beyond what it has checked, so `b` must be longer than `end`
   * by PAD_BYTES: a read outside of a typed array would make V8 give up on the fast code.
   */
  private readLines(b: Uint8Array, from: number, end: number): void {
    const { batch, tails } = this;
    const { table } = tails;
    const nanoseconds = this.dialect.unit === 'ns';
    const { negative } = this.dialect;
    for (let start = from; start < end;) {
      let i = start;
      let c = b[i]!;
      while (c === SPACE) c = b[++i]!;
      // Each number: digits, perhaps a dot and more digits. What is not laid out plainly goes the slow way.
      let timeSign = 1;
      if (c === MINUS && negative) {
        timeSign = -1;
        c = b[++i]!;
      }
      // Whole and decimal part apart, as small integers: cheaper than one double, above all before V8 optimizes.
      let digitsAt = i;
      let whole = 0;
      let decimals = 0;
      let places = 0;
      while (c >= ZERO && c <= NINE) {
        whole = (whole * 10 + (c - ZERO)) | 0;
        c = b[++i]!;
      }
      let plain = i > digitsAt && i - digitsAt <= MOST_DIGITS;
      if (c === DOT && plain) {
        digitsAt = i;
        c = b[++i]!;
        while (c >= ZERO && c <= NINE) {
          decimals = (decimals * 10 + (c - ZERO)) | 0;
          c = b[++i]!;
        }
        places = i - digitsAt - 1;
        plain = places <= MOST_PLACES;
      }
      plain = plain && isUnits(b, i) && b[i + 4] === 0x28 && b[i + 5] === 0x2b;
      i += 6;
      c = b[i]!;
      while (c === SPACE) c = b[++i]!;
      let deltaSign = 1;
      if (c === MINUS && negative) {
        deltaSign = -1;
        c = b[++i]!;
      }
      digitsAt = i;
      let deltaWhole = 0;
      let deltaDecimals = 0;
      let deltaPlaces = 0;
      while (c >= ZERO && c <= NINE) {
        deltaWhole = (deltaWhole * 10 + (c - ZERO)) | 0;
        c = b[++i]!;
      }
      plain = plain && i > digitsAt && i - digitsAt <= MOST_DIGITS;
      if (c === DOT && plain) {
        digitsAt = i;
        c = b[++i]!;
        while (c >= ZERO && c <= NINE) {
          deltaDecimals = (deltaDecimals * 10 + (c - ZERO)) | 0;
          c = b[++i]!;
        }
        deltaPlaces = i - digitsAt - 1;
        plain = deltaPlaces <= MOST_PLACES;
      }
      plain = plain && b[i + 4] === SPACE;
      // Nothing above can have run over a newline unseen: every byte up to here was compared with what it must be.
      if (!plain || !isClosed(b, i)) {
        const stop = b.indexOf(NEWLINE, start);
        this.line++;
        this.readOddLine(b, start, stop);
        start = stop + 1;
        continue;
      }
      const tailAt = i + 5;
      let id = table.next[this.previousTail]!;
      let starts = -1;
      i = table.size === 0 ? -1 : endOfKnownTail(b, tailAt, table.bytes, table.first[id]!, table.last[id]!);
      if (i === -1) {
        i = tailAt;
        let hash = HASH_SEED;
        let maskable = 0;
        while ((c = b[i]!) !== NEWLINE) {
          hash = Math.imul(hash ^ c, HASH_FACTOR);
          maskable |= MASKABLE[c]!;
          i++;
        }
        if (i - start > LONGEST_LINE_BYTES || (maskable !== 0 && tails.looksLikeTimes(b, tailAt, i))) {
          this.line++;
          this.readOddLine(b, start, i);
          start = i + 1;
          continue;
        }
        const tailEnd = b[i - 1] === RETURN ? i - 1 : i;
        if (tailEnd < i) hash = hashBytes(b, tailAt, tailEnd);
        id = tails.resolve(b, tailAt, tailEnd, hash, maskable !== 0);
        if (id < 0) {
          this.line++;
          this.bad(tails.reason);
          start = i + 1;
          continue;
        }
        starts = tails.starts;
        table.next[this.previousTail] = id;
      }
      this.previousTail = id;
      this.line++;
      const n = batch.length;
      const at = nanoseconds ? timeSign * toNs(whole, decimals, places) : toUs(whole, decimals, places);
      batch.time[n] = at;
      batch.delta[n] = nanoseconds
        ? deltaSign * toNs(deltaWhole, deltaDecimals, deltaPlaces)
        : toUs(deltaWhole, deltaDecimals, deltaPlaces);
      batch.event[n] = table.event[id]!;
      batch.tag[n] = table.tag[id]!;
      batch.starts[n] = starts === -1 ? table.starts[id]! : starts;
      batch.line[n] = this.line;
      if (at < this.latest) {
        if (!nanoseconds) batch.lateLines.set(n, `${textOf(b, start, i)}\n`);
      } else {
        this.latest = at;
      }
      batch.length = n + 1;
      if (n + 1 === BATCH_RECORDS) this.flush();
      start = i + 1;
    }
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
    const nanoseconds = this.dialect.unit === 'ns';
    batch.time[n] = nanoseconds ? Math.round(time * 1000) : time;
    batch.delta[n] = nanoseconds ? Math.round(delta * 1000) : delta;
    batch.event[n] = this.tails.table.event[id]!;
    batch.tag[n] = this.tails.table.tag[id]!;
    batch.starts[n] = this.tails.starts;
    batch.line[n] = this.line;
    if (batch.time[n]! < this.latest) batch.lateLines.set(n, `${textOf(b, from, to)}\n`);
    else this.latest = batch.time[n]!;
    if (batch.length === BATCH_RECORDS) this.flush();
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

function toNs(whole: number, decimals: number, places: number): number {
  if (places === 3) return whole * 1000 + decimals;
  const scale = POWERS[places]!;
  return whole * 1000 + Math.round((decimals * 1000) / scale);
}

/** The double nearest to the printed number: both operands of the division are exact. */
function toUs(whole: number, decimals: number, places: number): number {
  const scale = POWERS[places]!;
  return (whole * scale + decimals) / scale;
}

/** Does " us " stand at b[i]? */
function isUnits(b: Uint8Array, i: number): boolean {
  return b[i] === SPACE && b[i + 1] === 0x75 && b[i + 2] === 0x73 && b[i + 3] === SPACE;
}

/** Does " us)" stand at b[i]? */
function isClosed(b: Uint8Array, i: number): boolean {
  return b[i] === SPACE && b[i + 1] === 0x75 && b[i + 2] === 0x73 && b[i + 3] === 0x29;
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
