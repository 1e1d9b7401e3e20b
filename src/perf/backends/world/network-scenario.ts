// SPDX-License-Identifier: Apache-2.0
// The scenarios behind the tests that need more than one host.
import type { LengthDistribution } from '../../../workload/length-distribution.js';
import { BuddyArena } from '../../../world/host/buddy.js';
import { messageWireBytes } from '../../../world/scenario/client-plan.js';
import type { Scenario, ScenarioClient, ScenarioServer } from '../../../world/scenario/scenario.js';
import type { RunSettings, TestRequest } from '../../backend.js';

/** Ten metres of fibre. */
const CABLE_DELAY_NS = 50;
/** Hosts of a workload run. */
const WORKLOAD_HOSTS = 4;
/**
 * A user's send buffer holds 1 MiB, so an application that mixes sizes gives each class users of its own: a message of a
 * million bytes would otherwise keep every shorter one waiting in the host, which is not what is measured here.
 */
const SIZE_CLASSES: readonly { maxBytes: number; users: number; outstanding: number }[] = [
  { maxBytes: 8192, users: 1, outstanding: 60 },
  { maxBytes: 131_072, users: 1, outstanding: 24 },
  { maxBytes: 1_000_000, users: 6, outstanding: 4 },
];
const FIRST_PORT = 4000;
/** RPCs at a time. */
const OUTSTANDING: Readonly<Record<string, number>> = { rpc: 1, throughput: 8, rate: 100 };
/** What the tests of one direction are answered with. */
const SHORT_RESPONSE_BYTES = 1;
const LARGE_C2H_BYTES = 67_108_864;

export type WorkloadName = 'w1' | 'w2' | 'w3' | 'w4' | 'w5';

/** RPCs that a test between two hosts has under way at a time. */
export function outstandingOf(test: TestRequest): number {
  return OUTSTANDING[test.name] ?? 1;
}

/** Bytes of a response in a test between two hosts. */
export function responseBytesOf(test: TestRequest): number {
  return test.name === 'rpc' ? test.sizeBytes : SHORT_RESPONSE_BYTES;
}

/** Two hosts on a cable: host a asks, host b answers. */
export function pairScenario(test: TestRequest, settings: RunSettings): Scenario {
  return {
    schemaVersion: 1,
    name: `perf-${test.name}`,
    seed: settings.seed,
    pcieProfile: settings.pcieProfile,
    hosts: [{ name: 'a' }, { name: 'b' }],
    network: { delayNs: CABLE_DELAY_NS },
    workload: {
      servers: [
        {
          host: 'b',
          responseBytes: responseBytesOf(test),
          receives: Math.min(test.name === 'rate' ? 120 : 12, receiveRoom(test.sizeBytes)),
          capacityBytes: test.sizeBytes,
          c2hBytes: LARGE_C2H_BYTES,
        },
      ],
      clients: [
        {
          host: 'a',
          to: 'b',
          count: settings.warmup + settings.count,
          outstanding: outstandingOf(test),
          requestBytes: test.sizeBytes,
          c2hBytes: LARGE_C2H_BYTES,
        },
      ],
    },
  };
}

/** Receive buffers of a size that the server has room for. */
function receiveRoom(sizeBytes: number): number {
  return new BuddyArena(LARGE_C2H_BYTES / 2).blocksOf(sizeBytes);
}

/** Hosts on a switch, each with clients and servers; `load` is the share of each link that requests and responses fill. */
export function workloadScenario(lengths: LengthDistribution, load: number, settings: RunSettings): Scenario {
  const workload = lengths.name as WorkloadName;
  const names = Array.from({ length: WORKLOAD_HOSTS }, (_, i) => `h${i + 1}`);
  const total = (settings.warmup + settings.count) / WORKLOAD_HOSTS;
  const servers: ScenarioServer[] = [];
  const clients: ScenarioClient[] = [];
  for (const host of names) {
    let port = FIRST_PORT;
    for (const { users, outstanding, minBytes, maxBytes, messageShare, wireShare } of classesOf(lengths)) {
      for (let user = 0; user < users; user++, port++) {
        servers.push({
          host,
          port,
          responseBytes: 0,
          receives: 8,
          capacityBytes: maxBytes,
          c2hBytes: LARGE_C2H_BYTES,
        });
        clients.push({
          host,
          to: '*',
          port,
          count: Math.max(1, Math.round((total * messageShare) / users)),
          outstanding,
          requestBytes: { workload, minBytes, maxBytes },
          // Every request has a response of its own length: half of what a link carries are requests of its host.
          load: ((load / 2) * wireShare) / users,
          match: 'id',
          c2hBytes: LARGE_C2H_BYTES,
        });
      }
    }
  }
  return {
    schemaVersion: 1,
    name: `perf-workload-${workload}`,
    seed: settings.seed,
    pcieProfile: settings.pcieProfile,
    endUs: 1e9,
    hosts: names.map((name) => ({ name })),
    network: { delayNs: CABLE_DELAY_NS, switches: [{ name: 'switch' }] },
    workload: { servers, clients },
  };
}

interface SizeClass {
  users: number;
  outstanding: number;
  minBytes: number;
  maxBytes: number;
  /** share of the messages, and of the bytes on the wire, that are in this class */
  messageShare: number;
  wireShare: number;
}

/** The size classes that the distribution has messages in. */
function classesOf(lengths: LengthDistribution): SizeClass[] {
  const shares = lengths.probabilities();
  const wire = lengths.lengthsBytes.map((length, i) => shares[i]! * messageWireBytes(length));
  const allWire = wire.reduce((sum, value) => sum + value, 0);
  let minBytes = 1;
  return SIZE_CLASSES.flatMap(({ maxBytes, users, outstanding }) => {
    const from = minBytes;
    minBytes = maxBytes + 1;
    let messageShare = 0;
    let wireBytes = 0;
    lengths.lengthsBytes.forEach((length, i) => {
      if (length < from || length > maxBytes) return;
      messageShare += shares[i]!;
      wireBytes += wire[i]!;
    });
    if (messageShare === 0) return [];
    return [{ users, outstanding, minBytes: from, maxBytes, messageShare, wireShare: wireBytes / allWire }];
  });
}

/** One RPC of each length between two hosts across a switch, nothing else going on and no jitter. */
export function unloadedScenario(lengthsBytes: readonly number[], settings: RunSettings): Scenario {
  return {
    schemaVersion: 1,
    name: 'perf-unloaded',
    seed: settings.seed,
    pcieProfile: settings.pcieProfile,
    jitter: false,
    endUs: 1e9,
    hosts: [{ name: 'h1' }, { name: 'h2' }],
    network: { delayNs: CABLE_DELAY_NS, switches: [{ name: 'switch' }] },
    workload: {
      servers: [
        { host: 'h2', responseBytes: 0, receives: 4, capacityBytes: 1_000_000, c2hBytes: LARGE_C2H_BYTES },
      ],
      clients: [
        {
          host: 'h1',
          to: 'h2',
          count: lengthsBytes.length,
          outstanding: 1,
          // A pause of a few microseconds lets acknowledgements of the RPC before pass.
          pauseUs: 20,
          requestBytes: { list: [...lengthsBytes] },
          match: 'id',
          c2hBytes: LARGE_C2H_BYTES,
        },
      ],
    },
  };
}
