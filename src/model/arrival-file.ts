// SPDX-License-Identifier: Apache-2.0
import { MAX_MESSAGES, MAX_UNITS, type ArrivalList } from './messages.js';
import { ModelError } from './model-error.js';

const COMMA = 44;
const NEWLINE = 10;
const ZERO = 48;
const NINE = 57;

/**
 * Reads exact arrivals: lines `cycle,length`, both in 64-byte units, cycles ascending. Empty lines, lines that begin
 * with `#`, and a head of the two words are skipped. Throws ModelError that names the line and the value.
 */
export function parseArrivals(text: string): ArrivalList {
  if (text.startsWith('\ufeff')) return parseArrivals(text.slice(1)); // spreadsheets begin files with it
  let cycles = new Float64Array(1024);
  let units = new Int32Array(1024);
  let count = 0;
  let lastCycle = 0;
  let lineNumber = 0;
  for (let at = 0; at < text.length;) {
    lineNumber++;
    // The plain line, digits comma digits, is read in place; whatever differs goes the long way.
    let cycle = 0;
    let length = 0;
    let seenComma = false;
    let plain = true;
    const begin = at;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code >= ZERO && code <= NINE) {
        if (seenComma) length = length * 10 + (code - ZERO);
        else cycle = cycle * 10 + (code - ZERO);
      } else if (code === COMMA && !seenComma && at > begin) seenComma = true;
      else if (code === NEWLINE) break;
      else plain = false;
    }
    const line =
      plain && seenComma && text.charCodeAt(at - 1) !== COMMA ? undefined : text.slice(begin, at).trim();
    at++;
    if (line !== undefined) {
      if (line === '' || line.startsWith('#') || (count === 0 && line === 'cycle,length')) continue;
      const match = /^(\d+)\s*,\s*(\d+)$/.exec(line);
      if (match === null) {
        throw new ModelError(
          `arrivals line ${lineNumber}: expected "cycle,length", got "${line.slice(0, 60)}"`,
        );
      }
      cycle = Number(match[1]);
      length = Number(match[2]);
    }
    if (!Number.isSafeInteger(cycle) || cycle < lastCycle) {
      throw new ModelError(
        `arrivals line ${lineNumber}: cycle ${cycle} is below the one before (${lastCycle}) or above 2^53`,
      );
    }
    if (length < 1 || length > MAX_UNITS) {
      throw new ModelError(
        `arrivals line ${lineNumber}: length ${length} is outside 1 to ${MAX_UNITS} units of 64 bytes`,
      );
    }
    if (count === MAX_MESSAGES) {
      throw new ModelError(`arrivals line ${lineNumber}: more than ${MAX_MESSAGES} messages`);
    }
    if (count === units.length) {
      const longer = new Float64Array(count * 2);
      longer.set(cycles);
      cycles = longer;
      const more = new Int32Array(count * 2);
      more.set(units);
      units = more;
    }
    cycles[count] = cycle;
    units[count++] = length;
    lastCycle = cycle;
  }
  if (count === 0) throw new ModelError('the arrivals file holds no arrival');
  return { cycles: cycles.subarray(0, count), units: units.subarray(0, count) };
}
