// SPDX-License-Identifier: Apache-2.0
// Event texts carry numbers ("id 5", "peer 0xdead"); with the numbers masked, the same event has the same name.
// This runs once per line of a kernel trace, hence bytes and not regular expressions; the test holds it against those.

const ZERO = 0x30;
const DOT = 0x2e;
const X = 0x78;
const MARK = 0x3f;

/** `whole-words`: HomaModule's rule, \b0x[0-9a-f]+\b then \b[0-9.]+\b. `anywhere`: the older one, no boundaries, [0-9]+. */
export type MaskRule = 'whole-words' | 'anywhere';

function isDigit(c: number): boolean {
  return c >= ZERO && c <= 0x39;
}

function isHex(c: number): boolean {
  return isDigit(c) || (c >= 0x61 && c <= 0x66);
}

/** Is the byte part of a word? Bytes above ASCII count as letters: in event texts they nearly always are. */
function isWord(c: number): boolean {
  return isDigit(c) || (c >= 0x61 && c <= 0x7a) || (c >= 0x41 && c <= 0x5a) || c === 0x5f || c >= 0x80;
}

/** Replaces 0x... in place from `start` to `end`; returns the new end. */
function maskHex(b: Uint8Array, start: number, end: number, wholeWords: boolean): number {
  let out = start;
  // What stood before, in the original text: a replaced number must not make its neighbour look like a new word.
  let before = 0;
  for (let i = start; i < end;) {
    const c = b[i]!;
    let after = i;
    if (c === ZERO && i + 2 < end && b[i + 1] === X && isHex(b[i + 2]!) && !(wholeWords && isWord(before))) {
      after = i + 3;
      while (after < end && isHex(b[after]!)) after++;
      if (wholeWords && after < end && isWord(b[after]!)) after = i;
    }
    if (after > i) {
      before = b[after - 1]!;
      b[out++] = MARK;
      i = after;
    } else {
      before = c;
      b[out++] = c;
      i++;
    }
  }
  return out;
}

/** The end of the longest run of digits and dots from `i` that both starts and ends on a word boundary; else `i`. */
function endOfWholeNumber(b: Uint8Array, i: number, end: number, before: number): number {
  if (isWord(before) === isDigit(b[i]!)) return i;
  let after = i;
  while (after < end && (isDigit(b[after]!) || b[after] === DOT)) after++;
  while (after > i) {
    const next = after < end ? b[after]! : 0;
    if (isDigit(b[after - 1]!) !== isWord(next)) return after;
    after--;
  }
  return i;
}

/**
 * Masks the numbers of the text b[start..end) in place and returns its new end (never a longer text).
 * The bytes are taken as ASCII or UTF-8.
 */
export function maskNumbers(b: Uint8Array, start: number, end: number, rule: MaskRule): number {
  const wholeWords = rule === 'whole-words';
  let hasX = false;
  for (let i = start; i < end; i++) if (b[i] === X) hasX = true;
  const stop = hasX ? maskHex(b, start, end, wholeWords) : end;
  let out = start;
  let before = 0;
  for (let i = start; i < stop;) {
    const c = b[i]!;
    let after = i;
    if (wholeWords) {
      if (isDigit(c) || c === DOT) after = endOfWholeNumber(b, i, stop, before);
    } else {
      while (after < stop && isDigit(b[after]!)) after++;
    }
    if (after > i) {
      before = b[after - 1]!;
      b[out++] = MARK;
      i = after;
    } else {
      before = c;
      b[out++] = c;
      i++;
    }
  }
  return out;
}
