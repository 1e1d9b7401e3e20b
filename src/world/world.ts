// SPDX-License-Identifier: Apache-2.0
// A world: hosts with cards, links between them, one clock. How to use it:
//
//   const world = new World({ seed: 1, profile: pcieProfile('u250-gen3x16') });
//   const a = world.addHost('a', { mac, ipv6, loopback: true }, (outputs) => someCard(outputs));
//   world.complete(a, a.probe());                    // driver routines (host/driver.ts), run to their end
//   const user = world.complete(a, a.openUser(1));   // a HostUser (host/host-user.ts): the library of a host
//   world.complete(a, bindPort(1, 4000));
//   user.listen({ onResult(timePs, result) { ... } });
//   const slot = user.takeSlot();
//   const begunPs = user.nop(world.nowPs, slot, 0);  // the result comes to onResult, once the host has seen it
//   world.runWhile(() => !done);                     // synchronous; `runAsync` gives way to the event loop
//
// Calls of a HostUser take the instant at which they begin (now or later) and return the instant at which the store
// really began (a core stores 64 bytes only so often). `a.load(timePs, address, length, handler)` is an MMIO read.
// A world never ends by itself: run until a condition, an instant, or until nothing is left to happen.
import { EPOCH_PS, type NicDeviceFactory } from '../nic/device.js';
import { Random } from '../random/random.js';
import { Agenda } from './agenda.js';
import type { CardSettings, Routine } from './host/driver.js';
import { Host } from './host/host.js';
import { Lockstep } from './lockstep.js';
import type { FaultInjector } from './network/faults.js';
import { FramePlaces, LinkDirection, type FrameTarget } from './network/link.js';
import { pcieProfile, DEFAULT_PCIE_PROFILE, type PcieProfile } from './pcie/profile.js';
import { TransferPool } from './pcie/transfer.js';
import type { Shard } from './shards/shard.js';

export interface WorldOptions {
  seed: number;
  /** default: u250-gen3x16 */
  profile?: PcieProfile;
  /** false: the bus takes its base time, always */
  jitter?: boolean;
  /**
   * true: every host has an agenda of its own and runs alone for as long as no cable can tell it anything
   * (lockstep.ts): faster, the more hosts there are. Cables then need a delay, and a run may end up to that much after
   * its condition.
   */
  lockstep?: boolean;
}

/** Rate and delay of a link; each direction may have faults. */
export interface LinkOptions {
  rateMbps: number;
  delayPs: number;
  faults?: FaultInjector;
}

/** A run was ended by its signal. */
export class RunAborted extends Error {
  override readonly name = 'RunAborted';
}

/** Events between two looks at the signal and the event loop: well below 10 ms of work. */
const EVENTS_PER_SLICE = 4096;

export class World {
  readonly agenda = new Agenda();
  readonly hosts: Host[] = [];
  readonly links: LinkDirection[] = [];
  private readonly linkEnds: { from: 'host' | 'fabric'; to: Host | undefined }[] = [];
  /** the hosts that live in this thread, once the world is divided */
  private living: ReadonlySet<Host> | undefined;
  private readonly onTheWay = new FramePlaces();
  private readonly transfers = new TransferPool();
  readonly profile: PcieProfile;
  readonly random: Random;
  private readonly jitter: boolean;
  private readonly lockstep: Lockstep | undefined;

  constructor(options: WorldOptions) {
    this.random = Random.fromSeed(options.seed);
    this.profile = options.profile ?? pcieProfile(DEFAULT_PCIE_PROFILE);
    this.jitter = options.jitter ?? true;
    this.lockstep = options.lockstep === true ? new Lockstep(this.agenda) : undefined;
  }

  /** The agenda of what lies between hosts: switches. */
  get fabricAgenda(): Agenda {
    return this.lockstep?.fabric ?? this.agenda;
  }

  /** Events that have happened so far, anywhere. */
  get eventCount(): number {
    return this.lockstep?.eventCount ?? this.agenda.eventCount;
  }

  /** The present, in picoseconds. */
  get nowPs(): number {
    return this.agenda.nowPs;
  }

  /**
   * Moves the clock back by whole epochs when it has passed one, so that it stays exact for as long as the world lives,
   * and returns by how much. For worlds that live in real time: times given to it earlier (open-loop plans, rules of
   * faults) do not move.
   */
  rebase(): number {
    const byPs = Math.floor(this.nowPs / EPOCH_PS) * EPOCH_PS;
    if (byPs > 0 && this.lockstep !== undefined)
      throw new Error('a world in lockstep does not live in real time');
    if (byPs > 0) this.agenda.rebase(byPs);
    return byPs;
  }

  /** Adds a host whose card `factory` makes. The card's cable is not in yet (`connectHosts`, `connect`). */
  addHost(name: string, settings: CardSettings, factory: NicDeviceFactory): Host {
    const seed = this.jitter ? this.random.stream(`jitter/${name}`) : undefined;
    const agenda = this.lockstep?.addHost() ?? this.agenda;
    const host = new Host(agenda, name, settings, this.profile, seed, this.transfers, factory);
    this.hosts.push(host);
    return host;
  }

  /** Makes one direction of a link to a host or to something else (a switch's port), from a host or from the fabric. */
  addDirection(
    name: string,
    options: LinkOptions,
    to: Host | FrameTarget,
    from: 'host' | 'fabric' = 'host',
  ): LinkDirection {
    const { rateMbps, delayPs, faults } = options;
    const [target, agenda] = to instanceof Host ? [to.slot, to.agenda] : [to, this.fabricAgenda];
    if (this.lockstep !== undefined) {
      if (delayPs < 1) throw new RangeError(`link ${name}: a world in lockstep needs cables with a delay`);
      this.lockstep.addCable(from, to instanceof Host ? 'host' : 'fabric', delayPs);
    }
    const direction = new LinkDirection(agenda, name, rateMbps, delayPs, target, this.onTheWay, faults);
    this.links.push(direction);
    this.linkEnds.push({ from, to: to instanceof Host ? to : undefined });
    return direction;
  }

  /**
   * From now on only the hosts of `shard` live in this thread, and the fabric in the first. All threads have built the same
   * world and make the same calls of it from here on. A world in lockstep, whose hosts have cables to the fabric only.
   */
  divide(shard: Shard): void {
    const { lockstep, links, linkEnds, hosts } = this;
    if (lockstep === undefined) throw new Error('only a world in lockstep can be divided');
    lockstep.divide(shard, {
      frameArrives: (timePs, direction, frame) => {
        links[direction]!.deliverAt(timePs, frame);
      },
    });
    const shardOf = new Map(hosts.map((host, i) => [host, shard.shardOf(i, hosts.length)]));
    this.living = new Set(hosts.filter((host) => shardOf.get(host) === shard.index));
    for (const [number, { from, to }] of linkEnds.entries()) {
      if (to === undefined) {
        if (from === 'host') links[number]!.divert(shard.toFabric, number);
      } else if (shard.hasFabric && !this.owns(to)) {
        links[number]!.divert(shard.toHostsOf(shardOf.get(to)!), number);
      }
    }
  }

  /** Whether a host lives in this thread. */
  owns(host: Host): boolean {
    return this.living?.has(host) ?? true;
  }

  /** The sum of what every thread of the run says. All make this call at the same place; with one thread it is `value`. */
  sumOfAll(value: number): number {
    return this.lockstep?.sum(value) ?? value;
  }

  /** A cable between two hosts. Returns its two directions, a to b first. */
  connectHosts(
    a: Host,
    b: Host,
    there: LinkOptions,
    back: LinkOptions = there,
  ): [LinkDirection, LinkDirection] {
    const toB = this.addDirection(`${a.name}>${b.name}`, there, b);
    const toA = this.addDirection(`${b.name}>${a.name}`, back, a);
    a.slot.connect(toB);
    b.slot.connect(toA);
    a.slot.link(this.nowPs, true);
    b.slot.link(this.nowPs, true);
    return [toB, toA];
  }

  /** Runs a driver routine to its end, synchronously, and returns what it returns; throws what it throws. */
  complete<T>(host: Host, routine: Routine<T>): T {
    let outcome: { value: T } | undefined;
    let failure: { error: unknown } | undefined;
    host.run(
      routine,
      (value) => (outcome = { value }),
      (error) => (failure = { error }),
    );
    this.runWhile(() => outcome === undefined && failure === undefined);
    if (failure !== undefined) throw failure.error;
    if (outcome === undefined) throw new Error(`host ${host.name}: the card never answered the driver`);
    return outcome.value;
  }

  /** The same in every thread of a divided world: the host's own runs the routine, the others keep step with it. */
  completeAnywhere(host: Host, routine: Routine<void>): void {
    if (this.owns(host)) this.complete(host, routine);
    else this.runWhile(() => false);
  }

  /**
   * Runs while the condition holds (in any thread of the run), something is left to happen, and no event is later than
   * `untilPs`.
   */
  runWhile(condition: () => boolean, untilPs = Infinity): void {
    while (this.runSlice(condition, untilPs));
  }

  /** Runs every event up to `untilPs` and leaves the clock there. */
  runUntil(untilPs: number): void {
    const { agenda, lockstep } = this;
    if (lockstep !== undefined) {
      while (lockstep.stretch(untilPs) > 0);
      lockstep.meet(untilPs === Infinity ? 0 : untilPs);
      return;
    }
    agenda.runAheadUntilPs = untilPs;
    while (agenda.nextPs() <= untilPs) agenda.step();
    agenda.runAheadUntilPs = -Infinity;
    if (untilPs !== Infinity) agenda.skipTo(untilPs);
  }

  /**
   * `runWhile` that gives way to the event loop every few milliseconds. Rejects with RunAborted when the signal fires;
   * the world stands still then and can be looked at.
   */
  async runAsync(
    condition: () => boolean,
    options: { untilPs?: number; signal?: AbortSignal; onSlice?: () => void } = {},
  ): Promise<void> {
    const { untilPs = Infinity, signal, onSlice } = options;
    while (this.runSlice(condition, untilPs)) {
      onSlice?.();
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (this.sumOfAll(signal?.aborted === true ? 1 : 0) > 0)
        throw new RunAborted('the run was ended early');
    }
  }

  /** A slice of a run: true when it has more to do. A function of its own, because an async one is slow to loop in. */
  private runSlice(condition: () => boolean, untilPs: number): boolean {
    const { agenda, lockstep } = this;
    let left = EVENTS_PER_SLICE;
    if (lockstep !== undefined) {
      while (left > 0) {
        const events = lockstep.stretch(untilPs, condition());
        if (events === 0) break;
        left -= events;
      }
      lockstep.meet();
      return left <= 0;
    }
    agenda.runAheadUntilPs = untilPs;
    while (left > 0 && condition() && agenda.nextPs() <= untilPs && agenda.step()) left--;
    agenda.runAheadUntilPs = -Infinity;
    return left === 0;
  }
}
