// SPDX-License-Identifier: Apache-2.0
import type { Peer } from '../host/call.js';

/** One RPC that a client is to make. */
export interface PlannedRpc {
  peer: Peer;
  requestBytes: number;
  /** what the server will answer; 0 = as many bytes as the request has */
  responseBytes: number;
}

/** Bytes of the response that is to come. */
export function responseBytesOf(rpc: PlannedRpc): number {
  return rpc.responseBytes === 0 ? rpc.requestBytes : rpc.responseBytes;
}

/** What a client does: which RPCs, and when. */
export interface RpcPlan {
  /** how many */
  readonly count: number;
  /** at most this many at once, 1 to 120 */
  readonly outstanding: number;
  /** longest response that can come */
  readonly maxResponseBytes: number;
  /**
   * `any`: receive buffers lie ready before the request leaves, for any response (least latency; they must all hold the
   * longest). `id`: a buffer is posted for each RPC once the card has named it; a quicker response waits in the pool.
   */
  readonly match: 'any' | 'id';
  /** small requests travel in the call itself */
  readonly inline: boolean;
  /** fills in RPC `index`, 0 to count - 1, asked for in order */
  describe(index: number, into: PlannedRpc): void;
  /** open loop: when RPC `index` should begin, never earlier than the one before; without it, as soon as one ends */
  intendedPs?(index: number): number;
  /** closed loop: pause between the end of one RPC and the next */
  pausePs?(): number;
}

/** How an RPC ended: `ok`, `wrongBytes`, or the name of the code the card gave. */
export interface RpcOutcome {
  index: number;
  requestBytes: number;
  responseBytes: number;
  intendedPs: number;
  startPs: number;
  endPs: number;
  ok: boolean;
  outcome: string;
}

/** Told once about each RPC that ends. `outcome` is reused after the call returns. */
export type OutcomeSink = (outcome: RpcOutcome) => void;
