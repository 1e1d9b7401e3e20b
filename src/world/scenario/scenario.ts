// SPDX-License-Identifier: Apache-2.0
// A scenario as its file has it (schemas/scenario.v1.json says the same to people and to other programs).
import type { FaultAction } from '../network/faults.js';

export interface ScenarioHost {
  name: string;
  /** makes hosts name1, name2, ... */
  count?: number;
  mac?: string;
  ipv4?: string;
  ipv6?: string;
  loopback?: boolean;
  registers?: Record<string, number>;
  /** never switched on */
  down?: boolean;
  /** size of the RPC table; default that of the card */
  rpcEntries?: number;
}

export interface ScenarioNetwork {
  rateGbps?: number;
  delayNs?: number;
  /** without any, two hosts share a cable, and one or more than two hang off one switch */
  switches?: { name: string; bufferBytes?: number; portBufferBytes?: number }[];
  /** cables; hosts not named here hang off the first switch */
  links?: { a: string; b: string; rateGbps?: number; delayNs?: number }[];
  /** static (default): every card is told every neighbour; discover: it has to ask */
  neighbours?: 'static' | 'discover';
}

/** One kind of trouble. Without `link` it is on every link direction; `a>b` names one. */
export interface ScenarioFault {
  link?: string;
  /** by rule */
  action?: FaultAction;
  type?: string;
  offset?: number;
  first?: number;
  last?: number;
  afterUs?: number;
  beforeUs?: number;
  delayUs?: number;
  /** at random, each a chance per frame */
  random?: { drop?: number; duplicate?: number; reorder?: number; corrupt?: number; reorderUs?: number };
  /** the link is down from..to */
  downFromUs?: number;
  downToUs?: number;
}

/** A number, or a rule to draw one. */
export type ScenarioSize =
  | number
  | { min: number; max: number }
  | { list: number[] }
  | { workload: 'w1' | 'w2' | 'w3' | 'w4' | 'w5'; minBytes?: number; maxBytes?: number };

export interface ScenarioServer {
  host: string;
  port?: number;
  user?: number;
  receives?: number;
  capacityBytes?: number;
  /** 0: as long as the request */
  responseBytes?: number;
  thinkUs?: number;
  /** receive buffers are posted this late */
  postUs?: number;
  silent?: boolean;
  startUs?: number;
  c2hBytes?: number;
}

export interface ScenarioClient {
  host: string;
  user?: number;
  /** a host, a list of hosts, or * for every server but one's own */
  to: string | string[];
  port?: number;
  count: number;
  outstanding?: number;
  requestBytes?: ScenarioSize;
  family?: 'ipv6' | 'ipv4';
  match?: 'any' | 'id';
  inline?: boolean;
  /** open loop: share of the link that requests fill */
  load?: number;
  pauseUs?: number;
  startUs?: number;
  c2hBytes?: number;
}

export interface ScenarioEvent {
  atUs: number;
  host: string;
  action: 'crash' | 'restart';
}

export interface ScenarioExpectation {
  /** path in the report, e.g. rpcs.ok or hosts.server.counters.dropNoPort */
  path: string;
  equals?: number | string | boolean;
  atLeast?: number;
  atMost?: number;
}

export interface Scenario {
  schemaVersion: 1;
  name: string;
  description?: string;
  seed?: number;
  pcieProfile?: string;
  jitter?: boolean;
  /** the run ends here at the latest, in simulated time */
  endUs?: number;
  /** after the last RPC, time for acks before the cards are looked at */
  drainUs?: number;
  hosts: ScenarioHost[];
  network?: ScenarioNetwork;
  faults?: ScenarioFault[];
  workload?: { servers?: ScenarioServer[]; clients?: ScenarioClient[] };
  events?: ScenarioEvent[];
  expectations?: ScenarioExpectation[];
}

/** A scenario whose parts do not fit together; the message names the part. */
export class ScenarioError extends Error {
  override readonly name = 'ScenarioError';
}
