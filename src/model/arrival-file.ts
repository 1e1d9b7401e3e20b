// SPDX-License-Identifier: Apache-2.0
import { MAX_MESSAGES, MAX_UNITS, type Arrival } from './messages.js';
import { ModelError } from './model-error.js';

/**
 * Reads exact arrivals: lines `cycle,length`, both in 64-byte units, cycles ascending. Empty lines, lines that begin
 * with `#`, and a first line of the two words are skipped. Throws ModelError that names the line and the value.
 */
export function parseArrivals(text: string): Arrival[] {
  const arrivals: Arrival[] = [];
  let lastCycle = 0;
  let lineNumber = 0;
  for (const line of text.split('\n')) {
    lineNumber++;
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#') || (lineNumber === 1 && trimmed === 'cycle,length'))
      continue;
    const match = /^(\d+)\s*,\s*(\d+)$/.exec(trimmed);
    if (match === null) {
      throw new ModelError(
        `arrivals line ${lineNumber}: expected "cycle,length", got "${trimmed.slice(0, 60)}"`,
      );
    }
    const cycle = Number(match[1]);
    const units = Number(match[2]);
    if (!Number.isSafeInteger(cycle) || cycle < lastCycle) {
      throw new ModelError(
        `arrivals line ${lineNumber}: cycle ${match[1]} is below the one before (${lastCycle}) or above 2^53`,
      );
    }
    if (units < 1 || units > MAX_UNITS) {
      throw new ModelError(
        `arrivals line ${lineNumber}: length ${match[2]} is outside 1 to ${MAX_UNITS} units of 64 bytes`,
      );
    }
    if (arrivals.length === MAX_MESSAGES) {
      throw new ModelError(`arrivals line ${lineNumber}: more than ${MAX_MESSAGES} messages`);
    }
    lastCycle = cycle;
    arrivals.push({ cycle, units });
  }
  if (arrivals.length === 0) throw new ModelError('the arrivals file holds no arrival');
  return arrivals;
}
