// SPDX-License-Identifier: Apache-2.0
import { Agenda } from './agenda.js';
import { Told } from './shards/meeting.js';
import type { FrameArrivals } from './shards/frame-passage.js';
import type { Shard } from './shards/shard.js';

/** The longest stretch that one part runs alone, in picoseconds: conditions of a run are looked at between stretches. */
const LONGEST_STRETCH_PS = 2_000_000;

/**
 * The agendas of a world of many hosts, one a host and one for the fabric between them, kept in step.
 *
 * Hosts touch each other only through cables, and a cable has a delay. So what a host does before
 *
 *     (the next thing that can happen anywhere) + (the delays between there and here)
 *
 * cannot depend on what the others do meanwhile, and the host may do all of it in one go: its card, its memory and its
 * programs are then in the processor's cache while they are needed, and queues are short. This is the conservative
 * synchronization of parallel simulations (Chandy, Misra and Bryant). The order of events within a host, and within the
 * fabric, is that of time; a run is the same every time.
 *
 * Hosts may be divided among threads (`divide`, shards/shard.ts). Every thread then makes the same calls; they meet, and go
 * on from what is so for all of them.
 *
 * Events of `control` (what a scenario does to the world from outside) happen when all parts have come to their instant.
 */
export class Lockstep {
  readonly fabric = new Agenda();
  /** those that live in this thread: all, until `divide` */
  private hosts: Agenda[] = [];
  private shard: Shard | undefined;
  private arrivals: FrameArrivals = { frameArrives: () => undefined };
  private happened = 0;
  /** Hosts have their turns from one end and then from the other: who was last is still in the processor's cache. */
  private fromTheEnd = true;
  private secondNextPs = Infinity;
  private hostToHostPs = Infinity;
  private hostToFabricPs = Infinity;
  private fabricToHostPs = Infinity;

  constructor(private readonly control: Agenda) {}

  /** An agenda for one more host. */
  addHost(): Agenda {
    const agenda = new Agenda();
    agenda.skipTo(this.control.nowPs);
    this.hosts.push(agenda);
    return agenda;
  }

  /** A cable from one part to another with this delay: nothing that leaves comes earlier. */
  addCable(from: 'host' | 'fabric', to: 'host' | 'fabric', delayPs: number): void {
    if (from === 'host' && to === 'host') this.hostToHostPs = Math.min(this.hostToHostPs, delayPs);
    else if (from === 'host') this.hostToFabricPs = Math.min(this.hostToFabricPs, delayPs);
    else if (to === 'host') this.fabricToHostPs = Math.min(this.fabricToHostPs, delayPs);
  }

  /** From now on only the hosts of `shard` live in this thread; frames between hosts and fabric come out at `arrivals`. */
  divide(shard: Shard, arrivals: FrameArrivals): void {
    const { hosts } = this;
    if (this.hostToHostPs !== Infinity) throw new Error('hosts with a cable between them cannot be divided');
    this.hosts = hosts.filter((_, i) => shard.shardOf(i, hosts.length) === shard.index);
    this.shard = shard;
    this.arrivals = arrivals;
  }

  /** Events that have happened, in all threads. */
  get eventCount(): number {
    return this.happened;
  }

  /** The sum of what every thread says: all make this call at the same place. */
  sum(value: number): number {
    const { shard } = this;
    if (shard === undefined) return value;
    const { meeting } = shard;
    meeting.tell[Told.tally] = value;
    meeting.meet();
    return meeting.sum(Told.tally);
  }

  /**
   * Lets every part run as far as it may alone, none past `untilPs`; returns how many events that were. 0 at the end, and
   * when no thread wants to go on.
   */
  stretch(untilPs: number, wanted = true): number {
    const events = this.shard === undefined && !wanted ? 0 : this.next(untilPs, wanted);
    this.happened += events;
    return events;
  }

  /** Ends a run: everybody comes to the instant that the foremost has reached, or to `timePs`, where that is later. */
  meet(timePs = 0): void {
    let foremost = Math.max(timePs, this.control.nowPs, this.fabric.nowPs);
    for (const host of this.hosts) foremost = Math.max(foremost, host.nowPs);
    if (this.shard !== undefined) {
      const { meeting } = this.shard;
      meeting.tell[Told.nowPs] = foremost;
      meeting.meet();
      foremost = meeting.greatest(Told.nowPs);
    }
    while (this.stretch(foremost - 1) > 0);
    this.bringTo(foremost);
    this.control.skipTo(foremost);
  }

  private next(untilPs: number, wanted: boolean): number {
    const { control, shard } = this;
    shard?.takeForHosts(this.arrivals);
    let hostNext = this.hostNextPs();
    let fabricNext = this.fabric.nextPs();
    const controlNext = control.nextPs();
    if (shard !== undefined) {
      const { meeting } = shard;
      meeting.tell[Told.hostNextPs] = hostNext;
      meeting.tell[Told.fabricNextPs] = fabricNext;
      meeting.tell[Told.wanted] = wanted ? 1 : 0;
      meeting.meet();
      if (meeting.sum(Told.wanted) === 0) return 0;
      hostNext = meeting.least(Told.hostNextPs);
      fabricNext = meeting.least(Told.fabricNextPs);
    }
    const first = Math.min(hostNext, fabricNext, controlNext);
    if (first === Infinity || first > untilPs) return 0;
    if (controlNext === first) {
      this.bringTo(controlNext);
      control.step();
      // A card that is reset may send what was due at this very instant.
      if (shard !== undefined) {
        shard.meeting.meet();
        if (shard.hasFabric) shard.takeForFabric(this.arrivals, this.fromTheEnd);
      }
      return 1;
    }
    const stop = Math.min(controlNext, untilPs + 1);
    // What can reach a host next: something in the fabric, something another host sends there, or directly.
    const fromFabric = Math.min(fabricNext, hostNext + this.hostToFabricPs) + this.fabricToHostPs;
    const events = this.hostTurns(hostNext, Math.min(stop, fromFabric, hostNext + LONGEST_STRETCH_PS));
    if (shard !== undefined) return this.fabricTurnInShard(shard, events, stop);
    if (this.fabric.nextPs() === Infinity) return events;
    return events + this.fabricTurn(this.hostNextPs(), stop);
  }

  /** Every host runs up to `end`, or to what another host may send it over a cable between the two. */
  private hostTurns(hostNext: number, end: number): number {
    // Over a cable from host to host: what another does now, or what the other answers to what this one does now.
    const { hosts, hostToHostPs, secondNextPs } = this;
    const hostEnd = Math.min(end, hostNext + hostToHostPs);
    const foremostEnd = Math.min(end, secondNextPs + hostToHostPs, hostNext + 2 * hostToHostPs);
    let events = 0;
    this.fromTheEnd = !this.fromTheEnd;
    for (let i = 0; i < hosts.length; i++) {
      const host = hosts[this.fromTheEnd ? hosts.length - 1 - i : i]!;
      const next = host.nextPs();
      const itsEnd = next === hostNext ? foremostEnd : hostEnd;
      if (next < itsEnd) events += host.runBefore(itsEnd);
    }
    return events;
  }

  /** The fabric runs up to what a host may send it, by itself or because the fabric has told it something. */
  private fabricTurn(hostNext: number, stop: number): number {
    const { fabric } = this;
    const next = fabric.nextPs();
    const fromHosts = Math.min(hostNext, next + this.fabricToHostPs) + this.hostToFabricPs;
    const end = Math.min(stop, fromHosts, next + LONGEST_STRETCH_PS);
    return next < end ? fabric.runBefore(end) : 0;
  }

  /** The same in a shard, whose hosts have run `events` events: the fabric's thread has its turn, the others wait. */
  private fabricTurnInShard(shard: Shard, events: number, stop: number): number {
    const { meeting } = shard;
    meeting.tell[Told.hostNextPs] = this.hostNextPs();
    meeting.tell[Told.events] = events;
    meeting.meet();
    const ofHosts = meeting.sum(Told.events);
    const hostNext = meeting.least(Told.hostNextPs);
    meeting.tell[Told.events] = 0;
    if (shard.hasFabric) {
      shard.takeForFabric(this.arrivals, this.fromTheEnd);
      meeting.tell[Told.events] = this.fabricTurn(hostNext, stop);
    }
    meeting.meet();
    return ofHosts + meeting.sum(Told.events);
  }

  private bringTo(timePs: number): void {
    this.fabric.skipTo(timePs);
    for (const host of this.hosts) host.skipTo(timePs);
  }

  /** The least next instant of a host; the next to least goes to `secondNextPs`, the same where two share the least. */
  private hostNextPs(): number {
    let next = Infinity;
    let second = Infinity;
    for (const host of this.hosts) {
      const its = host.nextPs();
      if (its < next) {
        second = next;
        next = its;
      } else if (its < second) second = its;
    }
    this.secondNextPs = second;
    return next;
  }
}
