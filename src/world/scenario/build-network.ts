// SPDX-License-Identifier: Apache-2.0
// From a scenario's network to cables and switches with routes.
import type { Host } from '../host/host.js';
import { FaultInjector, type FaultRule } from '../network/faults.js';
import type { LinkDirection } from '../network/link.js';
import { Switch, type SwitchPort } from '../network/switch.js';
import type { World } from '../world.js';
import { ScenarioError, type ScenarioFault, type ScenarioNetwork } from './scenario.js';

const DEFAULT_RATE_GBPS = 100;
const DEFAULT_DELAY_NS = 500;
const DEFAULT_BUFFER_BYTES = 16_000_000;
const DEFAULT_PORT_BUFFER_BYTES = 2_000_000;

/** What was built; faults by the name of their link direction. */
export interface BuiltNetwork {
  switches: Switch[];
  directions: LinkDirection[];
  faults: Map<string, FaultInjector>;
}

interface Cable {
  a: string;
  b: string;
  rateGbps: number;
  delayNs: number;
}

/** Who is at an end of a cable. */
type End = { host: Host } | { owner: Switch };

/** Builds cables, switches and faults between `hosts`. Times of faults count from `originPs`. */
export function buildNetwork(
  world: World,
  hosts: readonly Host[],
  network: ScenarioNetwork,
  faults: readonly ScenarioFault[],
  originPs: number,
): BuiltNetwork {
  const built: BuiltNetwork = { switches: [], directions: [], faults: new Map() };
  const cables = planCables(hosts, network);
  const ends = new Map<string, End>(hosts.map((host) => [host.name, { host }]));
  const switchPlans = network.switches ?? (cables.some((c) => c.b === 'switch') ? [{ name: 'switch' }] : []);
  for (const plan of switchPlans) {
    const { bufferBytes = DEFAULT_BUFFER_BYTES, portBufferBytes = DEFAULT_PORT_BUFFER_BYTES } = plan as {
      bufferBytes?: number;
      portBufferBytes?: number;
    };
    if (ends.has(plan.name)) throw new ScenarioError(`two parts are called '${plan.name}'`);
    const made = new Switch(world.fabricAgenda, plan.name, { bufferBytes, portBufferBytes });
    built.switches.push(made);
    ends.set(plan.name, { owner: made });
  }
  checkCables(cables, hosts);
  const names = new Set(cables.flatMap((c) => [`${c.a}>${c.b}`, `${c.b}>${c.a}`]));
  for (const fault of faults) {
    if (fault.link !== undefined && !names.has(fault.link)) {
      throw new ScenarioError(`no link '${fault.link}'; there are ${[...names].slice(0, 8).join(', ')}`);
    }
  }
  /** neighbours of each switch: where a port leads */
  const paths = new Map<Switch, { port: SwitchPort; to: End }[]>(built.switches.map((s) => [s, []]));
  for (const cable of cables) {
    const a = ends.get(cable.a);
    const b = ends.get(cable.b);
    for (const [name, end] of [
      [cable.a, a],
      [cable.b, b],
    ] as const) {
      if (end === undefined)
        throw new ScenarioError(`a link names '${name}', which is no host and no switch`);
    }
    connect(world, built, paths, cable, a!, b!, faults, originPs);
  }
  for (const host of hosts) setRoutes(host, built.switches, paths);
  setFloods(built.switches, paths);
  return built;
}

/** The least delay of a cable that the network has or may get. */
export function shortestDelayNs(network: ScenarioNetwork): number {
  const common = network.delayNs ?? DEFAULT_DELAY_NS;
  return Math.min(common, ...(network.links ?? []).map((link) => link.delayNs ?? common));
}

/** The rate of the cable at a host. */
export function linkMbpsOf(network: ScenarioNetwork, host: string): number {
  const own = (network.links ?? []).find(({ a, b }) => a === host || b === host);
  return Math.round((own?.rateGbps ?? network.rateGbps ?? DEFAULT_RATE_GBPS) * 1000);
}

function planCables(hosts: readonly Host[], network: ScenarioNetwork): Cable[] {
  const rateGbps = network.rateGbps ?? DEFAULT_RATE_GBPS;
  const delayNs = network.delayNs ?? DEFAULT_DELAY_NS;
  const cables: Cable[] = (network.links ?? []).map((link) => ({ rateGbps, delayNs, ...link }));
  const loose = hosts.filter((host) => !cables.some((c) => c.a === host.name || c.b === host.name));
  const first = network.switches?.[0]?.name;
  if (first === undefined && loose.length === 2 && hosts.length === 2) {
    return [{ a: loose[0]!.name, b: loose[1]!.name, rateGbps, delayNs }];
  }
  if (loose.length === 1 && hosts.length === 1 && first === undefined) return cables;
  for (const host of loose) cables.push({ a: host.name, b: first ?? 'switch', rateGbps, delayNs });
  return cables;
}

/** What no cable can be: one of less than the least rate, one back to where it came from, a second one at a card. */
function checkCables(cables: readonly Cable[], hosts: readonly Host[]): void {
  for (const { a, b, rateGbps } of cables) {
    if (Math.round(rateGbps * 1000) < 1) {
      throw new ScenarioError(`link ${a}>${b}: rateGbps ${rateGbps} is below 0.001, which is 1 Mbit/s`);
    }
    if (a === b) throw new ScenarioError(`a link leads from '${a}' to itself`);
  }
  for (const { name } of hosts) {
    const count = cables.filter((cable) => cable.a === name || cable.b === name).length;
    if (count > 1) throw new ScenarioError(`host ${name} has ${count} links, but a card has one port`);
  }
}

function connect(
  world: World,
  built: BuiltNetwork,
  paths: Map<Switch, { port: SwitchPort; to: End }[]>,
  cable: Cable,
  a: End,
  b: End,
  faults: readonly ScenarioFault[],
  originPs: number,
): void {
  const attach = (end: End, name: string, far: End): SwitchPort | undefined => {
    if ('host' in end) return undefined;
    const port = end.owner.addPort(name);
    paths.get(end.owner)!.push({ port, to: far });
    return port;
  };
  const portA = attach(a, `${cable.a}>${cable.b}`, b);
  const portB = attach(b, `${cable.b}>${cable.a}`, a);
  const direction = (name: string, from: End, to: End, toPort: SwitchPort | undefined): LinkDirection => {
    const mine = faults.filter((fault) => fault.link === undefined || fault.link === name);
    const injector = makeInjector(world, name, mine, originPs);
    if (injector !== undefined) built.faults.set(name, injector);
    const target = 'host' in to ? to.host : toPort!;
    const made = world.addDirection(
      name,
      {
        rateMbps: Math.round(cable.rateGbps * 1000),
        delayPs: Math.round(cable.delayNs * 1000),
        ...(injector === undefined ? {} : { faults: injector }),
      },
      target,
      'host' in from ? 'host' : 'fabric',
    );
    for (const fault of mine) {
      if (fault.downFromUs === undefined) continue;
      made.setDown(originPs + fault.downFromUs * 1e6, originPs + (fault.downToUs ?? Infinity) * 1e6);
    }
    built.directions.push(made);
    return made;
  };
  const toB = direction(`${cable.a}>${cable.b}`, a, b, portB);
  const toA = direction(`${cable.b}>${cable.a}`, b, a, portA);
  for (const [end, port, out] of [
    [a, portA, toB],
    [b, portB, toA],
  ] as const) {
    if (port !== undefined) port.connect(out);
    else if ('host' in end) {
      end.host.slot.connect(out);
      end.host.slot.link(world.nowPs, true);
    }
  }
}

function makeInjector(
  world: World,
  name: string,
  faults: readonly ScenarioFault[],
  originPs: number,
): FaultInjector | undefined {
  const rules: FaultRule[] = faults.flatMap((fault) => {
    if (fault.action === undefined) return [];
    const { action, type, offset, first, last, afterUs, beforeUs, delayUs } = fault;
    return [
      {
        action,
        ...(type === undefined ? {} : { type }),
        ...(offset === undefined ? {} : { offset }),
        ...(first === undefined ? {} : { first }),
        ...(last === undefined ? {} : { last }),
        ...(afterUs === undefined ? {} : { afterPs: originPs + afterUs * 1e6 }),
        ...(beforeUs === undefined ? {} : { beforePs: originPs + beforeUs * 1e6 }),
        ...(delayUs === undefined ? {} : { delayPs: Math.round(delayUs * 1e6) }),
      },
    ];
  });
  const random = faults.findLast((fault) => fault.random !== undefined)?.random;
  if (rules.length === 0 && random === undefined) return undefined;
  const chances =
    random === undefined
      ? undefined
      : { ...random, reorderPs: Math.max(1, Math.round((random.reorderUs ?? 20) * 1e6)) };
  return new FaultInjector(rules, chances, world.random.stream(`faults/${name}`));
}

/** Breadth first from the host: each switch gets every port that lies on a shortest path. */
function setRoutes(
  host: Host,
  switches: readonly Switch[],
  paths: ReadonlyMap<Switch, readonly { port: SwitchPort; to: End }[]>,
): void {
  const distance = new Map<Switch, number>();
  let frontier: Switch[] = switches.filter((s) =>
    paths.get(s)!.some((path) => 'host' in path.to && path.to.host === host),
  );
  for (const s of frontier) distance.set(s, 1);
  for (let hops = 2; frontier.length > 0; hops++) {
    const next = switches.filter(
      (s) =>
        !distance.has(s) &&
        paths.get(s)!.some((path) => 'owner' in path.to && frontier.includes(path.to.owner)),
    );
    for (const s of next) distance.set(s, hops);
    frontier = next;
  }
  for (const s of switches) {
    const mine = distance.get(s);
    if (mine === undefined) continue;
    const ports = paths
      .get(s)!
      .filter((path) =>
        'host' in path.to ? path.to.host === host : distance.get(path.to.owner) === mine - 1,
      )
      .map((path) => path.port);
    s.setRoute(host.settings.mac, ports);
  }
}

/** A tree of cables from the first switch on, for frames that belong everywhere; a switch it does not reach begins another. */
function setFloods(
  switches: readonly Switch[],
  paths: ReadonlyMap<Switch, readonly { port: SwitchPort; to: End }[]>,
): void {
  const tree = new Map<Switch, SwitchPort[]>();
  /** The first of the cables between two switches is the same seen from either. */
  const portTo = (from: Switch, to: Switch): SwitchPort =>
    paths.get(from)!.find((path) => 'owner' in path.to && path.to.owner === to)!.port;
  for (const root of switches) {
    if (tree.has(root)) continue;
    tree.set(root, []);
    const reached = [root];
    for (const s of reached) {
      for (const { port, to } of paths.get(s)!) {
        if ('host' in to) tree.get(s)!.push(port);
        else if (!tree.has(to.owner)) {
          tree.get(s)!.push(port);
          tree.set(to.owner, [portTo(to.owner, s)]);
          reached.push(to.owner);
        }
      }
    }
  }
  for (const [s, ports] of tree) s.setFloodPorts(ports);
}
