// SPDX-License-Identifier: Apache-2.0
import { ContentError } from '../errors/errors.js';

const MOST_NAMES = 20;
const MOST_FILES = 3;
const EMPTY = 'the trace is empty';
export const LINE_EXAMPLE = '    0.590 us (+   0.590 us) [main] write request';

/** What the traces of one run held; `files` are their names as they are to be shown. */
export interface Found {
  files: readonly string[];
  lines: number;
  events: number;
  firstBadLine: string | undefined;
}

/** Throws what is wrong with traces that have nothing to say: empty, not a trace, or a single event. Names the files. */
export function refuseUselessTrace(found: Found, fewestEvents: number): void {
  const who = shortList(found.files, MOST_FILES);
  if (found.lines === 0) {
    throw new ContentError(`${who}: ${EMPTY}`, { code: 'empty_trace', suggestions: ['homa-nic perf'] });
  }
  if (found.events === 0) {
    const reason = found.firstBadLine === undefined ? '' : `; ${found.firstBadLine}`;
    throw new ContentError(`${who}: ${noEvent(found.lines)}${reason}`, {
      code: 'no_events',
      suggestions: [`a trace line looks like: ${LINE_EXAMPLE.trim()}`],
    });
  }
  if (found.events < fewestEvents) {
    throw new ContentError(`${who}: one event only: an interval needs two`, {
      code: 'one_event',
      suggestions: ['record a longer trace: homa-nic perf --count 1000'],
    });
  }
}

/** Throws for a `--from` that matches nothing; names the events that are there. */
export function refuseAbsentEvent(from: string, names: readonly string[]): never {
  const quoted = names.map((name) => `'${name}'`);
  throw new ContentError(`no event contains '${from}'; the events are: ${shortList(quoted, MOST_NAMES)}`, {
    code: 'no_such_event',
    suggestions: names.slice(0, 1).map((name) => `--from '${name}'`),
  });
}

/** What to say of one file that adds nothing while others do; undefined when it has events. */
export function uselessFile(file: string, lines: number, events: number): string | undefined {
  if (events > 0) return undefined;
  return `${file}: ${lines === 0 ? EMPTY : noEvent(lines)}`;
}

/** Throws for bytes that are not text. */
export function refuseBinary(file: string): never {
  throw new ContentError(`${file} is a binary file, not the text of a time trace`, {
    code: 'binary_trace',
    suggestions: [`a trace line looks like: \`${LINE_EXAMPLE}\``],
  });
}

function noEvent(lines: number): string {
  return `no event of a time trace in ${lines === 1 ? 'its only line' : `${lines} lines`}`;
}

function shortList(names: readonly string[], most: number): string {
  const rest = names.length > most ? ` and ${names.length - most} more` : '';
  return names.slice(0, most).join(', ') + rest;
}
