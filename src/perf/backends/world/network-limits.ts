// SPDX-License-Identifier: Apache-2.0
// What no card could beat in a test between two hosts: from the constants of the bus, the wire and the host's core alone.
import { INLINE_BYTES } from '../../../nic/regs.js';
import {
  explainDmaRead,
  explainDmaWrite,
  explainMmioWrite,
  explainPoll,
  sumPs,
} from '../../../world/pcie/explain.js';
import {
  completionLineBytes,
  readRequestLineBytes,
  writeLineBytes,
  type PcieProfile,
} from '../../../world/pcie/profile.js';
import type { TestRequest } from '../../backend.js';
import {
  DATA_OVERHEAD_BYTES,
  DATA_PAYLOAD_BYTES,
  FCS_BYTES,
  GAP_BYTES,
  WIRE_GBPS,
  wireCeiling,
  wireGoodputGbps,
  wireTimePs,
} from '../../ceilings.js';
import type { Ceiling } from '../../result.js';
import { outstandingOf, responseBytesOf } from './network-scenario.js';

const RPC_ALONE = {
  what: 'the bus of both hosts, request and response on the wire, no card logic, no cable',
  source: 'profile constants, --explain of echo; link bytes: docs/protocol.md#wire-overhead',
};
const BUS_SOURCE = '24 bytes around a write, 20 around a completion (docs/performance.md#messages-a-second)';
const STORE_BYTES = 64;

/** Something that every message of the rate test needs a share of. */
export interface MessageCost {
  what: string;
  /** of the host that needs most of it */
  amount: number;
  unit: 'bytes' | 'stores';
  millionPerS: number;
  source: string;
}

/** The limits of a test between two hosts; none for the workload test, whose slowdowns are against a best time already. */
export function networkLimits(test: TestRequest, profile: PcieProfile): Ceiling[] {
  if (test.name === 'workload') return [];
  const leastPs = leastRpcPs(test, profile);
  const out: Ceiling[] = [{ ...RPC_ALONE, value: leastPs / 1000, unit: 'ns' }];
  if (test.name === 'rpc') return out;
  out.push(wireCeiling(test.sizeBytes));
  if (test.name === 'rate') {
    const { what, source, millionPerS } = bindingCost(messageCosts(test, profile));
    out.push({ what: `messages, bound by ${what}`, value: millionPerS, unit: 'million/s', source });
    return out;
  }
  const atATime = outstandingOf(test);
  const windowGbps = (atATime * test.sizeBytes * 8 * 1000) / leastPs;
  if (windowGbps < wireGoodputGbps(test.sizeBytes)) {
    out.push({
      what: `${atATime} RPCs at a time`,
      value: windowGbps,
      unit: 'Gbps',
      source: `${atATime} payloads in the least time of an RPC`,
    });
  }
  return out;
}

/** Least time from the store of a request's sendmsg to sight of its response. */
export function leastRpcPs(test: TestRequest, profile: PcieProfile): number {
  return leastWayPs(test.sizeBytes, profile) + leastWayPs(responseBytesOf(test), profile);
}

/**
 * Least time of a message from one application to the other. An inline payload is stored before its call, and no packet
 * can begin without the call. Any other is fetched; headers may be on the wire by then, so that only what comes behind
 * the first byte of payload counts.
 */
function leastWayPs(sizeBytes: number, profile: PcieProfile): number {
  const packets = Math.ceil(sizeBytes / DATA_PAYLOAD_BYTES);
  const fromPayloadBytes = sizeBytes + (packets - 1) * DATA_OVERHEAD_BYTES + FCS_BYTES;
  const leadBytes = DATA_OVERHEAD_BYTES - FCS_BYTES - GAP_BYTES;
  const payloadPs = isInline(sizeBytes)
    ? profile.hostStoreInterval.timePs + bytesPs(leadBytes)
    : sumPs(explainDmaRead(profile, 1));
  return (
    sumPs(explainMmioWrite(profile, STORE_BYTES)) +
    payloadPs +
    bytesPs(fromPayloadBytes) +
    sumPs(explainDmaWrite(profile, STORE_BYTES)) +
    sumPs(explainPoll(profile))
  );
}

function bytesPs(bytes: number): number {
  return (bytes * 8 * 1000) / WIRE_GBPS;
}

function isInline(sizeBytes: number): boolean {
  return sizeBytes <= INLINE_BYTES;
}

/**
 * What a request with its short answer costs in the long run, beyond any card's choice: the client stores a sendmsg and
 * the receive of the answer, the server a receive and a sendmsg; each call has at least one result; payloads cross the
 * bus once. Each host has one application, on one core.
 */
export function messageCosts(test: TestRequest, profile: PcieProfile): MessageCost[] {
  const { sizeBytes } = test;
  const answerBytes = responseBytesOf(test);
  const call = writeLineBytes(profile, STORE_BYTES);
  const results = 2 * writeLineBytes(profile, STORE_BYTES);
  const fetched = (bytes: number): number => (isInline(bytes) ? call : completionLineBytes(profile, bytes));
  const asked = (bytes: number): number => (isInline(bytes) ? 0 : readRequestLineBytes(profile, bytes));
  const stores = (bytes: number): number => (isInline(bytes) ? 3 : 2);
  const toCard = 2 * call + Math.max(fetched(sizeBytes), fetched(answerBytes));
  const fromCard =
    results +
    Math.max(
      asked(sizeBytes) + writeLineBytes(profile, answerBytes),
      asked(answerBytes) + writeLineBytes(profile, sizeBytes),
    );
  const storesOfCore = Math.max(stores(sizeBytes), stores(answerBytes));
  const wirePs = Math.max(wireTimePs(sizeBytes), wireTimePs(answerBytes));
  const { hostStoreInterval: store, lineMbps } = profile;
  const bus = (what: string, bytes: number): MessageCost => ({
    what,
    amount: bytes,
    unit: 'bytes',
    millionPerS: lineMbps / (bytes * 8),
    source: `${lineMbps / 1000} Gbit/s, ${BUS_SOURCE}`,
  });
  return [
    {
      what: `${storesOfCore} stores of one core, ${store.timePs / 1000} ns each`,
      amount: storesOfCore,
      unit: 'stores',
      millionPerS: 1e6 / (storesOfCore * store.timePs),
      source: store.source,
    },
    bus('the bus to the card', toCard),
    bus('the bus from the card', fromCard),
    {
      what: 'the wire',
      amount: (wirePs * WIRE_GBPS) / 8000,
      unit: 'bytes',
      millionPerS: 1e6 / wirePs,
      source: wireCeiling(sizeBytes).source,
    },
  ];
}

/** The cost that binds. */
export function bindingCost(costs: readonly MessageCost[]): MessageCost {
  return costs.reduce((least, cost) => (cost.millionPerS < least.millionPerS ? cost : least));
}
