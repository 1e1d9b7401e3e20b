// SPDX-License-Identifier: Apache-2.0
import { Agenda } from './agenda.js';

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
 * synchronization of parallel simulations (Chandy, Misra and Bryant), here without the parallelism. The order of events
 * within a host, and within the fabric, is that of time; a run is the same every time.
 *
 * Events of `control` (what a scenario does to the world from outside) happen when all parts have come to their instant.
 */
export class Lockstep {
  readonly fabric = new Agenda();
  private readonly hosts: Agenda[] = [];
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

  /** Events of hosts and fabric that have happened. */
  get eventCount(): number {
    return this.hosts.reduce((sum, host) => sum + host.eventCount, this.fabric.eventCount);
  }

  /** The instant of the next event anywhere; Infinity when there is none. */
  nextPs(): number {
    return Math.min(this.control.nextPs(), this.fabric.nextPs(), this.hostNextPs());
  }

  /** Lets every part run as far as it may alone, none past `untilPs`; returns how many events that were, 0 at the end. */
  stretch(untilPs: number): number {
    const { control, fabric } = this;
    const hostNext = this.hostNextPs();
    const fabricNext = fabric.nextPs();
    const controlNext = control.nextPs();
    const first = Math.min(hostNext, fabricNext, controlNext);
    if (first === Infinity || first > untilPs) return 0;
    if (controlNext === first) {
      this.bringTo(controlNext);
      control.step();
      return 1;
    }
    const stop = Math.min(controlNext, untilPs + 1);
    // What can reach a host next: something in the fabric, something another host sends there, or directly.
    const fromFabric = Math.min(fabricNext, hostNext + this.hostToFabricPs) + this.fabricToHostPs;
    const end = Math.min(stop, fromFabric, hostNext + LONGEST_STRETCH_PS);
    // Over a cable from host to host: what another does now, or what the other answers to what this one does now.
    const { hostToHostPs, secondNextPs } = this;
    const hostEnd = Math.min(end, hostNext + hostToHostPs);
    const foremostEnd = Math.min(end, secondNextPs + hostToHostPs, hostNext + 2 * hostToHostPs);
    let events = 0;
    const { hosts } = this;
    this.fromTheEnd = !this.fromTheEnd;
    for (let i = 0; i < hosts.length; i++) {
      const host = hosts[this.fromTheEnd ? hosts.length - 1 - i : i]!;
      const next = host.nextPs();
      const itsEnd = next === hostNext ? foremostEnd : hostEnd;
      if (next < itsEnd) events += host.runBefore(itsEnd);
    }
    if (fabric.nextPs() === Infinity) return events;
    // What can reach the fabric next: something a host sends, by itself or because the fabric has told it something.
    const fromHosts =
      Math.min(this.hostNextPs(), fabric.nextPs() + this.fabricToHostPs) + this.hostToFabricPs;
    const fabricEnd = Math.min(stop, fromHosts, fabric.nextPs() + LONGEST_STRETCH_PS);
    if (fabric.nextPs() < fabricEnd) events += fabric.runBefore(fabricEnd);
    return events;
  }

  /** Ends a run: everybody comes to the instant that the foremost has reached, or to `timePs`, where that is later. */
  meet(timePs = 0): void {
    let foremost = Math.max(timePs, this.control.nowPs, this.fabric.nowPs);
    for (const host of this.hosts) foremost = Math.max(foremost, host.nowPs);
    while (this.nextPs() < foremost) this.stretch(foremost - 1);
    this.bringTo(foremost);
    this.control.skipTo(foremost);
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
