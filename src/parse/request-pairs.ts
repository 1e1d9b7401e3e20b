// SPDX-License-Identifier: Apache-2.0
import { IntegerCounter } from '../stats/counted-values.js';
import { summarizeCounts } from '../stats/counted-summary.js';
import type { PairReport } from './trace-report.js';

interface Pair {
  request: string;
  response: string;
  counter: IntegerCounter;
  unanswered: number;
  unasked: number;
  /** Time of the request that waits for its response, by tag; NaN when none does. */
  waiting: number[];
}

const REQUEST = / request$/;

/** The event that answers a request: `X request` by `X response`, `send request` by `recv response`. */
function responseTo(request: string): string {
  return request === 'send request' ? 'recv response' : request.replace(REQUEST, ' response');
}

/** Finds the pairs of request and response events in a trace and counts the time from one to the other. */
export class RequestPairs {
  /** Per event number: 0 for no part in a pair, p + 1 for the request and -(p + 1) for the response of pair p. */
  roles = new Int32Array(0);
  private readonly pairs: Pair[] = [];

  /** Takes note of new event names; to be called before records with new numbers are counted. */
  learn(events: readonly string[]): void {
    if (events.length === this.roles.length) return;
    const roles = new Int32Array(events.length);
    roles.set(this.roles);
    for (let event = this.roles.length; event < events.length; event++) {
      const name = events[event]!;
      let pair = this.pairs.findIndex(({ request, response }) => request === name || response === name);
      if (pair === -1) {
        const request = REQUEST.test(name) ? name : requestBefore(name);
        if (request === undefined) continue;
        const response = responseTo(request);
        const counter = new IntegerCounter();
        pair = this.pairs.push({ request, response, counter, unanswered: 0, unasked: 0, waiting: [] }) - 1;
      }
      roles[event] = this.pairs[pair]!.request === name ? pair + 1 : -(pair + 1);
    }
    this.roles = roles;
  }

  /**
   * Takes a record that has a role; `previousNs` and `intervalNs` are the time of the record before it and the interval
   * since, which is the more exact figure where the request came just before.
   */
  count(role: number, tag: number, timeNs: number, previousNs: number, intervalNs: number): void {
    const pair = this.pairs[Math.abs(role) - 1]!;
    const since = pair.waiting[tag] ?? NaN;
    if (role > 0) {
      if (!Number.isNaN(since)) pair.unanswered++;
      pair.waiting[tag] = timeNs;
    } else if (Number.isNaN(since)) {
      pair.unasked++;
    } else {
      pair.counter.add(since === previousNs ? intervalNs : timeNs - since);
      pair.waiting[tag] = NaN;
    }
  }

  /** Requests do not wait across files: each has a clock of its own. */
  endFile(): void {
    for (const pair of this.pairs) {
      pair.unanswered += pair.waiting.filter((since) => !Number.isNaN(since)).length;
      pair.waiting = [];
    }
  }

  /** The pairs that occurred at least once, in order of first appearance. */
  report(): PairReport[] {
    return this.pairs
      .filter(({ counter }) => counter.count > 0)
      .map(({ request, response, counter, unanswered, unasked }) => {
        const histogram = counter.toCounted();
        return {
          name: `${request} -> ${response}`,
          request,
          response,
          summary: summarizeCounts(histogram),
          histogram,
          unanswered,
          unasked,
        };
      });
  }
}

function requestBefore(response: string): string | undefined {
  if (response === 'recv response') return 'send request';
  return / response$/.test(response) ? response.replace(/ response$/, ' request') : undefined;
}
