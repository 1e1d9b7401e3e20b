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
import type { FaultInjector } from './network/faults.js';
import { LinkDirection, type FrameTarget } from './network/link.js';
import { pcieProfile, DEFAULT_PCIE_PROFILE, type PcieProfile } from './pcie/profile.js';

export interface WorldOptions {
  seed: number;
  /** default: u250-gen3x16 */
  profile?: PcieProfile;
  /** false: the bus takes its base time, always */
  jitter?: boolean;
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
  readonly profile: PcieProfile;
  readonly random: Random;
  private readonly jitter: boolean;

  constructor(options: WorldOptions) {
    this.random = Random.fromSeed(options.seed);
    this.profile = options.profile ?? pcieProfile(DEFAULT_PCIE_PROFILE);
    this.jitter = options.jitter ?? true;
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
    if (byPs > 0) this.agenda.rebase(byPs);
    return byPs;
  }

  /** Adds a host whose card `factory` makes. The card's cable is not in yet (`connectHosts`, `connect`). */
  addHost(name: string, settings: CardSettings, factory: NicDeviceFactory): Host {
    const seed = this.jitter ? this.random.stream(`jitter/${name}`) : undefined;
    const host = new Host(this.agenda, name, settings, this.profile, seed, factory);
    this.hosts.push(host);
    return host;
  }

  /** Makes one direction of a link to `target`. */
  addDirection(name: string, options: LinkOptions, target: FrameTarget): LinkDirection {
    const { rateMbps, delayPs, faults } = options;
    const direction = new LinkDirection(this.agenda, name, rateMbps, delayPs, target, faults);
    this.links.push(direction);
    return direction;
  }

  /** A cable between two hosts. Returns its two directions, a to b first. */
  connectHosts(
    a: Host,
    b: Host,
    there: LinkOptions,
    back: LinkOptions = there,
  ): [LinkDirection, LinkDirection] {
    const toB = this.addDirection(`${a.name}>${b.name}`, there, b.slot);
    const toA = this.addDirection(`${b.name}>${a.name}`, back, a.slot);
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

  /** Runs while the condition holds, something is left to happen, and no event is later than `untilPs`. */
  runWhile(condition: () => boolean, untilPs = Infinity): void {
    const agenda = this.agenda;
    agenda.runAheadUntilPs = untilPs;
    while (condition() && agenda.nextPs() <= untilPs && agenda.step());
    agenda.runAheadUntilPs = -Infinity;
  }

  /** Runs every event up to `untilPs` and leaves the clock there. */
  runUntil(untilPs: number): void {
    const agenda = this.agenda;
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
    const agenda = this.agenda;
    let left = EVENTS_PER_SLICE;
    agenda.runAheadUntilPs = untilPs;
    while (condition() && agenda.nextPs() <= untilPs && agenda.step()) {
      if (--left > 0) continue;
      left = EVENTS_PER_SLICE;
      agenda.runAheadUntilPs = -Infinity;
      onSlice?.();
      await new Promise<void>((resolve) => setImmediate(resolve));
      agenda.runAheadUntilPs = untilPs;
      if (signal?.aborted === true) throw new RunAborted('the run was ended early');
    }
    agenda.runAheadUntilPs = -Infinity;
  }
}
