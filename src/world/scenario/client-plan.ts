// SPDX-License-Identifier: Apache-2.0
// From a scenario's client to the RPCs it makes.
import type { Random } from '../../random/random.js';
import type { LengthDistribution } from '../../workload/length-distribution.js';
import type { PlannedRpc, RpcPlan } from '../apps/rpc-plan.js';
import type { Peer } from '../host/call.js';
import { wireBytes } from '../network/link.js';
import type { ServersCalled } from './rpc-record.js';
import { ScenarioError, type ScenarioClient, type ScenarioSize } from './scenario.js';

/** A server a client may call. */
export interface Target {
  name: string;
  peer: Peer;
  /** 0: as long as the request */
  responseBytes: number;
}

export type Lengths = Readonly<Record<string, LengthDistribution>>;

export const DEFAULT_BYTES = 64;
/** Largest response for which buffers lie ready before the request leaves. */
const READY_LIMIT_BYTES = 16_384;
/** Ethernet, IPv6 and Homa headers of a DATA packet (14 + 40 + 56), and what is left of an MTU of 1500 for data. */
const HEADER_BYTES = 110;
export const SEGMENT_BYTES = 1404;

/** A function that draws lengths; their greatest, and their mean. */
export function lengthsOf(
  size: ScenarioSize,
  random: Random,
  lengths: Lengths,
): { draw: () => number; max: number; mean: number } {
  if (typeof size === 'number') return { draw: () => size, max: size, mean: size };
  if ('list' in size) {
    const { list } = size;
    let next = 0;
    return {
      draw: () => list[next++ % list.length]!,
      max: Math.max(...list),
      mean: list.reduce((sum, value) => sum + value, 0) / list.length,
    };
  }
  if ('workload' in size) {
    const whole = lengths[size.workload];
    if (whole === undefined) throw new ScenarioError(`workload ${size.workload} was not loaded`);
    const distribution = whole.between(size.minBytes ?? 1, size.maxBytes ?? Infinity);
    return {
      draw: () => distribution.lengthBytes(random.nextUnit()),
      max: distribution.lengthsBytes[distribution.lengthsBytes.length - 1]!,
      mean: distribution.meanBytes,
    };
  }
  if (size.min > size.max) throw new ScenarioError(`requestBytes: min ${size.min} is above max ${size.max}`);
  const span = size.max - size.min + 1;
  return {
    draw: () => size.min + random.nextBelow(span),
    max: size.max,
    mean: (size.min + size.max) / 2,
  };
}

/** Bytes that a message of `lengthBytes` takes of the wire, headers, FCS, preamble and gap included. */
export function messageWireBytes(lengthBytes: number): number {
  const full = Math.floor(lengthBytes / SEGMENT_BYTES);
  const rest = lengthBytes - full * SEGMENT_BYTES;
  return full * wireBytes(SEGMENT_BYTES + HEADER_BYTES) + (rest > 0 ? wireBytes(rest + HEADER_BYTES) : 0);
}

/** The plan of a client; `linkMbps` is the rate of its link, for `load`. `called` is told whom. */
export function makePlan(
  client: ScenarioClient,
  targets: readonly Target[],
  random: Random,
  lengths: Lengths,
  linkMbps: number,
  startPs: number,
  called: ServersCalled,
): RpcPlan {
  if (targets.length === 0) throw new ScenarioError(`client on ${client.host}: there is nobody to call`);
  const size = client.requestBytes ?? DEFAULT_BYTES;
  const sizes = lengthsOf(size, random.stream('sizes'), lengths);
  const choice = random.stream('targets');
  const maxResponseBytes = Math.max(
    ...targets.map((t) => (t.responseBytes === 0 ? sizes.max : t.responseBytes)),
  );
  const draw = (index: number): Target => {
    const number = choice.nextBelow(targets.length);
    called.add(index, number);
    return targets[number]!;
  };
  // what is always the same is in this function's context, and nothing else is looked at
  const only = targets.length === 1 ? targets[0] : undefined;
  const fixedBytes = typeof size === 'number' ? size : undefined;
  const describe = (index: number, into: PlannedRpc): void => {
    const target = only ?? draw(index);
    into.peer = target.peer;
    into.requestBytes = fixedBytes ?? sizes.draw();
    into.responseBytes = target.responseBytes;
  };
  const pausePs = Math.round((client.pauseUs ?? 0) * 1e6);
  const plan: RpcPlan = {
    count: client.count,
    outstanding: client.outstanding ?? 1,
    maxResponseBytes,
    match: client.match ?? (maxResponseBytes <= READY_LIMIT_BYTES ? 'any' : 'id'),
    inline: client.inline ?? true,
    describe,
    ...(pausePs > 0 ? { pausePs: () => pausePs } : {}),
  };
  if (client.load === undefined) return plan;
  // Mean time between requests: mean wire bytes over the share of the link.
  const meanWire = messageWireBytes(Math.max(1, Math.round(sizes.mean)));
  const meanPs = Math.round((meanWire * 8_000_000) / linkMbps / client.load);
  const arrivals = random.stream('arrivals');
  const intended: number[] = [];
  let last = startPs;
  return {
    ...plan,
    intendedPs: (index) => {
      while (intended.length <= index) {
        last += Math.round(arrivals.nextExponential() * meanPs);
        intended.push(last);
      }
      return intended[index]!;
    },
  };
}
