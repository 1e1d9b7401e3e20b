// SPDX-License-Identifier: Apache-2.0
import { ContentError } from '../errors/errors.js';

const MOST_NAMES = 20;
export const LINE_EXAMPLE = '    0.590 us (+   0.590 us) [main] write request';

/** Throws what is wrong with a trace that has nothing to say: empty, not a trace, or a single event. */
export function refuseUselessTrace(
  found: { lines: number; events: number; firstBadLine: string | undefined },
  fewestEvents: number,
): void {
  if (found.lines === 0) {
    throw new ContentError('the trace is empty', { code: 'empty_trace', suggestions: ['homa-nic perf'] });
  }
  if (found.events === 0) {
    const reason = found.firstBadLine === undefined ? '' : `; ${found.firstBadLine}`;
    throw new ContentError(`no event of a time trace among ${found.lines} lines${reason}`, {
      code: 'no_events',
      suggestions: [`a trace line looks like: ${LINE_EXAMPLE.trim()}`],
    });
  }
  if (found.events < fewestEvents) {
    throw new ContentError('the trace has one event only: an interval needs two', {
      code: 'one_event',
      suggestions: ['record a longer trace: homa-nic perf --count 1000'],
    });
  }
}

/** Throws for a `--from` that matches nothing; names the events that are there. */
export function refuseAbsentEvent(from: string, names: readonly string[]): never {
  const shown = names.slice(0, MOST_NAMES).map((name) => `'${name}'`);
  const rest = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : '';
  throw new ContentError(`no event contains '${from}'; the events are: ${shown.join(', ')}${rest}`, {
    code: 'no_such_event',
    suggestions: names.slice(0, 1).map((name) => `--from '${name}'`),
  });
}
