// SPDX-License-Identifier: Apache-2.0
// What a scenario run says, as plain JSON. Names that end in Ns or Gbps are times and rates: everything else must be the
// same for every card that speaks the protocol.
import type { CounterName } from '../../nic/regs.js';
import type { DmaViolation } from '../memory.js';
import type { ScenarioExpectation } from './scenario.js';

/** One RPC. */
export interface RpcRow {
  client: string;
  index: number;
  server: string;
  requestBytes: number;
  responseBytes: number;
  /** when it should have begun (open loop), else when it was asked for */
  intendedNs: number;
  startNs: number;
  endNs: number;
  /** ok, wrongBytes, hostCrashed, unfinished, or the name of the card's code */
  outcome: string;
}

export interface HostReport {
  /** counters that are not 0 */
  counters: Partial<Record<CounterName, number>>;
  /** what is still there after the drain, before users are closed; all 0 after a clean run */
  left: { rpcs: number; calls: number; dma: number; clientSlots: number };
  /** after the users were closed: the card has no work and no timer set */
  idleAfterClose: boolean;
  dmaViolations: DmaViolation[];
  /** what applications saw and never should */
  faults: string[];
  requestsServed: number;
}

export interface SwitchReport {
  dropped: number;
  flooded: number;
  maxBufferBytes: number;
  ports: { name: string; dropped: number; maxBufferBytes: number }[];
}

export interface LatencyReport {
  count: number;
  minNs: number | null;
  p50Ns: number | null;
  p99Ns: number | null;
  maxNs: number | null;
}

export interface ExpectationResult extends ScenarioExpectation {
  actual: number | string | boolean | null;
  ok: boolean;
}

export interface ScenarioReport {
  schemaVersion: 1;
  kind: 'sim';
  scenario: string;
  simulated: true;
  profile: string;
  seed: number;
  partial: boolean;
  endNs: number;
  rpcs: {
    started: number;
    ok: number;
    failed: number;
    /** begun and without an outcome when the run ended */
    unfinished: number;
    byOutcome: Record<string, number>;
    latency: LatencyReport;
    /** made when first looked at */
    readonly list: readonly RpcRow[];
  };
  packets: { total: number; byType: Record<string, number>; retransmitted: number; lostWhileDown: number };
  faults: { dropped: number; duplicated: number; delayed: number; corrupted: number };
  /** drops by cause, over all cards, and by switches */
  drops: Record<string, number>;
  grants: number;
  retransmissions: number;
  highWater: { switchBytes: number; poolChunks: number; rpcs: number };
  violations: number;
  applicationFaults: number;
  left: { rpcs: number; calls: number; dma: number; clientSlots: number };
  idle: boolean;
  hosts: Record<string, HostReport>;
  switches: Record<string, SwitchReport>;
  expectations: ExpectationResult[];
  passed: boolean;
}

/** The value at a dotted path of the report; undefined when there is none. Counters that are 0 read as 0. */
export function valueAt(report: unknown, path: string): unknown {
  let value: unknown = report;
  let parent: string | undefined;
  for (const part of path.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined;
    const record = value as Record<string, unknown>;
    if (!(part in record)) return ZERO_WHEN_ABSENT.has(parent ?? '') ? 0 : undefined;
    value = record[part];
    parent = part;
  }
  return value;
}

/** Records that leave out what is 0. */
const ZERO_WHEN_ABSENT = new Set(['counters', 'byType', 'byOutcome', 'drops']);

/** Holds a report against what its scenario expects. */
export function checkExpectations(
  report: unknown,
  expectations: readonly ScenarioExpectation[],
): ExpectationResult[] {
  return expectations.map((expectation) => {
    const found = valueAt(report, expectation.path);
    const actual =
      typeof found === 'number' || typeof found === 'string' || typeof found === 'boolean' ? found : null;
    const { equals, atLeast, atMost } = expectation;
    const ok =
      actual !== null &&
      (equals === undefined || actual === equals) &&
      (atLeast === undefined || (typeof actual === 'number' && actual >= atLeast)) &&
      (atMost === undefined || (typeof actual === 'number' && actual <= atMost));
    return { ...expectation, actual, ok };
  });
}
