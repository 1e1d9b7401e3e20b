// SPDX-License-Identifier: Apache-2.0
// Brings the hosts of a scenario up: cards probed, users opened, applications started.
import type { NicDeviceFactory } from '../../nic/device.js';
import { C2H_MSGBUFF_BYTES, NEIGHBOUR_ENTRIES } from '../../nic/regs.js';
import { mapIpv4, parseIpv4, parseIpv6, parseMac } from '../addresses.js';
import { RpcServer } from '../apps/rpc-server.js';
import { BuddyArena } from '../host/buddy.js';
import * as driver from '../host/driver.js';
import type { Host } from '../host/host.js';
import type { World } from '../world.js';
import { ScenarioError, type Scenario, type ScenarioHost, type ScenarioServer } from './scenario.js';

/** The Homa port of a server, and the one a client calls, unless said otherwise. */
export const DEFAULT_PORT = 4000;
const DEFAULT_RECEIVES = 8;
const DEFAULT_CAPACITY_BYTES = 65_536;

/** A host of the scenario with all that runs on it. */
export interface ScenarioMember {
  plan: ScenarioHost;
  host: Host;
  ipv4: Uint8Array;
  ipv6: Uint8Array;
  nextUser: number;
  servers: ServerEntry[];
  /** the machine is on, and its card has been brought up */
  isUp: boolean;
  /** it was on at any time of the run */
  wasOn: boolean;
}

/** A server of a host. */
export interface ServerEntry {
  plan: ScenarioServer;
  user: number;
  /** its start has begun, since the machine was switched on */
  begun: boolean;
  app: RpcServer | undefined;
}

/** How a card for a host is made. */
export type CardMaker = (options: { cycleTable: string; rpcEntries?: number }) => NicDeviceFactory;

/** Writes out hosts that have a count. */
export function expandHosts(hosts: readonly ScenarioHost[]): ScenarioHost[] {
  const all = hosts.flatMap((host) => {
    const { count, ...one } = host;
    if (count === undefined) return [one];
    if (host.mac !== undefined || host.ipv4 !== undefined || host.ipv6 !== undefined) {
      throw new ScenarioError(`host ${host.name}: a count and an address do not go together`);
    }
    return Array.from({ length: count }, (_, i) => ({ ...one, name: `${host.name}${i + 1}` }));
  });
  const names = new Set<string>();
  for (const host of all) {
    if (names.has(host.name)) throw new ScenarioError(`two hosts are called '${host.name}'`);
    names.add(host.name);
  }
  return all;
}

/** Makes the hosts with their addresses (host n: 02:48:4f:4d:nn:nn, 10.77.n.n, fd77::n unless said otherwise). */
export function makeMembers(world: World, scenario: Scenario, makeCard: CardMaker): ScenarioMember[] {
  const members = expandHosts(scenario.hosts).map((plan, i): ScenarioMember => {
    const number = i + 1;
    const hex = number.toString(16).padStart(4, '0');
    const mac = parseMac(plan.mac ?? `02:48:4f:4d:${hex.slice(0, 2)}:${hex.slice(2)}`);
    const ipv4 = parseIpv4(plan.ipv4 ?? `10.77.${number >> 8}.${number & 255}`);
    const ipv6 = parseIpv6(plan.ipv6 ?? `fd77::${number.toString(16)}`);
    const { loopback, registers, rpcEntries } = plan;
    const settings: driver.CardSettings = {
      mac,
      ipv4,
      ipv6,
      ...(loopback === undefined ? {} : { loopback }),
      ...(registers === undefined ? {} : { registers }),
    };
    const card = makeCard({
      cycleTable: world.profile.cycleTable,
      ...(rpcEntries === undefined ? {} : { rpcEntries }),
    });
    const host = world.addHost(plan.name, settings, card);
    const wasOn = plan.down !== true;
    return { plan, host, ipv4, ipv6, nextUser: 1, servers: [], isUp: false, wasOn };
  });
  refuseAddresses(
    members,
    'MAC address',
    ({ host }) => host.settings.mac,
    (mac) => (mac[0]! & 1) === 1,
  );
  refuseAddresses(
    members,
    'IPv4 address',
    ({ ipv4 }) => ipv4,
    (ipv4) => ipv4[0]! >= 224,
  );
  refuseAddresses(
    members,
    'IPv6 address',
    ({ ipv6 }) => ipv6,
    (ipv6) => ipv6[0] === 0xff,
  );
  return members;
}

/** Throws ScenarioError for an address of a group, and for one that two hosts have; zeros are no address. */
function refuseAddresses(
  members: readonly ScenarioMember[],
  what: string,
  addressOf: (member: ScenarioMember) => Uint8Array,
  isGroup: (address: Uint8Array) => boolean,
): void {
  const owners = new Map<string, string>();
  for (const member of members) {
    const { name } = member.plan;
    const address = addressOf(member);
    if (isGroup(address)) throw new ScenarioError(`host ${name}: its ${what} is that of a group`);
    if (address.every((byte) => byte === 0)) continue;
    const key = address.join('.');
    const other = owners.get(key);
    if (other !== undefined) throw new ScenarioError(`hosts ${other} and ${name} have the same ${what}`);
    owners.set(key, name);
  }
}

/** The families of which every card is told its neighbours. */
export type StaticFamilies = Readonly<Record<'ipv6' | 'ipv4', boolean>>;

/** None when cards have to ask; both, unless a card's table does not hold so many: then those that clients call by. */
export function staticFamilies(scenario: Scenario, hosts: number): StaticFamilies {
  const told = scenario.network?.neighbours !== 'discover';
  const fit = 2 * hosts <= NEIGHBOUR_ENTRIES;
  const called = (scenario.workload?.clients ?? []).map((client) => client.family ?? 'ipv6');
  return { ipv6: told && (fit || called.includes('ipv6')), ipv4: told && (fit || called.includes('ipv4')) };
}

/** Probes a card and tells it its neighbours. */
export function* bringUp(
  member: ScenarioMember,
  members: readonly ScenarioMember[],
  families: StaticFamilies,
): driver.Routine<void> {
  member.wasOn = true;
  yield* member.host.probe();
  for (const other of members) {
    if (other === member && member.plan.loopback !== true) continue;
    const { mac } = other.host.settings;
    if (families.ipv6) yield* driver.addNeighbour(other.ipv6, mac);
    if (families.ipv4) yield* driver.addNeighbour(mapIpv4(other.ipv4), mac);
  }
  member.isUp = true;
}

/** Refuses receive buffers that do not all fit into an application's half of a c2h_msgbuff. */
export function checkReceiveRoom(what: string, buffers: number, bytes: number, c2hBytes?: number): void {
  const roomBytes = (c2hBytes ?? C2H_MSGBUFF_BYTES) / 2;
  const fit = new BuddyArena(roomBytes).blocksOf(bytes);
  if (buffers <= fit) return;
  throw new ScenarioError(
    `${what}: ${buffers} receive buffers of ${bytes} bytes, but ${fit} fit into half of its c2hBytes, ${roomBytes}`,
  );
}

/** Assigns each server its user. */
export function placeServers(members: readonly ScenarioMember[], servers: readonly ScenarioServer[]): void {
  for (const plan of servers) {
    const member = memberOf(members, plan.host, 'server');
    const { receives = DEFAULT_RECEIVES, capacityBytes = DEFAULT_CAPACITY_BYTES } = plan;
    checkReceiveRoom(`server on ${plan.host}`, receives, capacityBytes, plan.c2hBytes);
    const user = plan.user ?? member.nextUser;
    member.nextUser = Math.max(member.nextUser, user) + 1;
    member.servers.push({ plan, user, begun: false, app: undefined });
  }
}

/** Opens the user of a server, binds its port, and starts it. */
export function* startServer(member: ScenarioMember, entry: ServerEntry): driver.Routine<void> {
  const { plan, user } = entry;
  entry.begun = true;
  const opened = yield* member.host.openUser(user, plan.c2hBytes);
  yield* driver.bindPort(user, plan.port ?? DEFAULT_PORT);
  entry.app = new RpcServer(member.host.agenda, opened, {
    receives: plan.receives ?? DEFAULT_RECEIVES,
    capacityBytes: plan.capacityBytes ?? DEFAULT_CAPACITY_BYTES,
    responseBytes: plan.responseBytes ?? 0,
    thinkPs: Math.round((plan.thinkUs ?? 0) * 1e6),
    postFromPs: member.host.agenda.nowPs + Math.round((plan.postUs ?? 0) * 1e6),
    silent: plan.silent ?? false,
  });
}

/** The member of that name; ScenarioError otherwise. */
export function memberOf(members: readonly ScenarioMember[], name: string, what: string): ScenarioMember {
  const found = members.find((member) => member.plan.name === name);
  if (found === undefined) throw new ScenarioError(`${what} on '${name}', which is no host`);
  return found;
}
