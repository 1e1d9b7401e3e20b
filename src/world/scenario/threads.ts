// SPDX-License-Identifier: Apache-2.0
// How many threads a scenario is worth.
import { Random } from '../../random/random.js';
import { DEFAULT_BYTES, lengthsOf, SEGMENT_BYTES, type Lengths } from './client-plan.js';
import type { Scenario } from './scenario.js';
import { expandHosts } from './setup.js';

/** With fewer hosts a thread, threads mostly wait for each other. */
const HOSTS_A_THREAD = 8;
/**
 * With fewer packets a thread, the run is over before another thread has brought the hosts up and V8 has compiled the code
 * for it (10 seconds in one thread, docs/performance.md).
 */
const PACKETS_A_THREAD = 2_500_000;
/** Packets of an RPC besides those of its messages' segments: acks and grants. */
const MORE_PACKETS = 2;

/** Whether hosts can live in different threads: those with a cable between them cannot. */
export function canBeDivided({ hosts, network = {} }: Scenario): boolean {
  const names = new Set(expandHosts(hosts).map(({ name }) => name));
  if (names.size < 2 || (names.size === 2 && (network.switches ?? []).length === 0)) return false;
  return !(network.links ?? []).some(({ a, b }) => names.has(a) && names.has(b));
}

/** As many threads as make a run of this scenario, which can be divided, shorter; at most `cores`. */
export function threadsWorthIt(scenario: Scenario, lengths: Lengths, cores: number): number {
  const byHosts = Math.floor(expandHosts(scenario.hosts).length / HOSTS_A_THREAD);
  const byPackets = Math.floor(packetsPlanned(scenario, lengths) / PACKETS_A_THREAD);
  return Math.max(1, Math.min(cores, byHosts, byPackets));
}

/** About as many packets as a scenario's RPCs take. */
function packetsPlanned({ workload = {} }: Scenario, lengths: Lengths): number {
  const answers = new Map(
    (workload.servers ?? []).map(({ host, responseBytes = 0 }) => [host, responseBytes]),
  );
  let packets = 0;
  for (const client of workload.clients ?? []) {
    const { mean } = lengthsOf(client.requestBytes ?? DEFAULT_BYTES, Random.fromSeed(0), lengths);
    const server = typeof client.to === 'string' && client.to !== '*' ? client.to : undefined;
    const answer = server === undefined ? [...answers.values()][0] : answers.get(server);
    const back = answer === undefined || answer === 0 ? mean : answer;
    packets +=
      client.count * (Math.ceil(mean / SEGMENT_BYTES) + Math.ceil(back / SEGMENT_BYTES) + MORE_PACKETS);
  }
  return packets;
}
