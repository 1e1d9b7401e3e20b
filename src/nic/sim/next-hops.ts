// SPDX-License-Identifier: Apache-2.0
/**
 * Which MAC address a peer's frames go to: our own for ourselves, a static neighbour's, else the one its frames come
 * from, else what the segment answers. Messages wait while it is unknown (see `timers.ts` for how long).
 */
import { Counter, NEIGHBOUR_ENTRIES } from '../regs.js';
import type { Agenda } from './agenda.js';
import type { Counters } from './counters.js';
import type { NeighbourSetter } from './kernel-calls.js';
import type { Outbox } from './outbox.js';
import type { Peers } from './peers.js';
import { isUnicast } from './protocol/address.js';
import { get16, get32 } from './protocol/big-endian.js';
import type { FrameRecord } from './protocol/frame-record.js';
import { type IcmpError, portUnreachable } from './protocol/icmp.js';
import { defaultNeighbourSettings, NeighbourFrame, Neighbours } from './protocol/neighbour.js';
import type { Settings } from './settings.js';

/** Ticks between two questions for one address. */
const RETRY_TICKS = 50;

export class NextHops implements NeighbourSetter {
  /** Told when the MAC address of a peer is found that had none: its messages may go. */
  onResolved: (peer: number) => void = () => undefined;
  /** Told of an ICMP error about one of our packets; the record is valid during the call. */
  onError: (error: IcmpError) => void = () => undefined;
  private readonly timing = { ...defaultNeighbourSettings, maxEntries: NEIGHBOUR_ENTRIES };
  private neighbours: Neighbours;

  constructor(
    private readonly agenda: Agenda,
    private readonly peers: Peers,
    private readonly settings: Settings,
    private readonly outbox: Outbox,
    private readonly counters: Counters,
  ) {
    this.neighbours = this.emptyTable();
  }

  reset(): void {
    this.neighbours = this.emptyTable();
  }

  /** The card's clock was moved back. */
  rebase(byPs: number): void {
    this.neighbours.rebase(byPs);
  }

  /** Takes the timing in from the settings. */
  configure(): void {
    const { tickPs, neighbourTicks } = this.settings;
    this.timing.retryInterval = RETRY_TICKS * tickPs;
    this.timing.maxTries = Math.max(1, Math.ceil(neighbourTicks / RETRY_TICKS));
  }

  setStatic(address: Uint8Array, mac: Uint8Array, valid: boolean): boolean {
    const words = Uint32Array.from({ length: 4 }, (_, i) => get32(address, 4 * i));
    this.neighbours.now = this.agenda.nowPs;
    if (valid) {
      const set = this.neighbours.setStatic(words, get16(mac, 0), get32(mac, 2));
      if (set) this.found(this.neighbours.entryFor(words));
      return set;
    }
    this.neighbours.clearStatic(words);
    const peer = this.peers.find(words);
    if (peer >= 0) this.peers.forgetMac(peer);
    return true;
  }

  /**
   * Whether the peer's MAC address is known; if not, or when nothing has been heard of the peer for long, asks for it. A
   * known address stays in use until the answer, or until the question has been asked in vain.
   */
  resolve(peer: number): boolean {
    const { peers } = this;
    const known = peers.isResolved(peer);
    if (known && !this.isStale(peer)) return true;
    const address = peers.address(peer);
    const { station } = this.settings;
    if (station.hasAddress(address)) {
      peers.setMac(peer, station.macHi, station.macLo);
      return true;
    }
    const entry = this.neighbours.entryFor(address);
    if (entry < 0) return known;
    this.neighbours.now = this.agenda.nowPs;
    const found = this.neighbours.resolve(entry);
    if (found && !known) peers.setMac(peer, this.neighbours.macHi(entry), this.neighbours.macLo(entry));
    return known || found;
  }

  private isStale(peer: number): boolean {
    return this.agenda.nowPs - this.peers.heardPs(peer) > defaultNeighbourSettings.lifetime;
  }

  /** A frame of the peer came from this MAC address: answers go there, unless a static entry says otherwise. */
  heardFrom(peer: number, macHi: number, macLo: number): void {
    const { peers } = this;
    if (peers.hasMac(peer, macHi, macLo)) return;
    if ((macHi & 0x0100) !== 0) return;
    const isNews = !peers.isResolved(peer);
    const fixed = this.neighbours.fixedEntry(peers.address(peer));
    if (fixed < 0) peers.setMac(peer, macHi, macLo);
    else if (isNews) peers.setMac(peer, this.neighbours.macHi(fixed), this.neighbours.macLo(fixed));
    if (isNews) this.onResolved(peer);
  }

  /** Takes in a frame that is not Homa; false when it concerns nobody here. */
  frameIn(frame: Uint8Array, record: FrameRecord): boolean {
    this.neighbours.now = this.agenda.nowPs;
    const kind = this.neighbours.frameIn(frame, record);
    if (kind === NeighbourFrame.ignored) return false;
    this.counters.add(Counter.neighbourFramesReceived);
    if (kind === NeighbourFrame.error) this.onError(this.neighbours.error);
    return true;
  }

  /** Tells the sender of a packet that nobody has the port; never to more than one host (RFC 1122, RFC 4443). */
  refusePort(frame: Uint8Array, record: FrameRecord): void {
    if ((record.destinationMacHi & 0x0100) !== 0 || !isUnicast(record.source)) return;
    this.send(portUnreachable(frame, record, this.settings.station));
  }

  /** One timer tick; true while an address is being asked for. */
  tick(): boolean {
    this.neighbours.tick(this.agenda.nowPs);
    return this.neighbours.nextEvent !== Infinity;
  }

  private emptyTable(): Neighbours {
    const table = new Neighbours(this.settings.station, this.timing, (frame) => this.send(frame));
    table.onKnown = (entry) => this.found(entry);
    table.onUnreachable = (entry) => this.lost(entry);
    return table;
  }

  private send(frame: Uint8Array): void {
    this.counters.add(Counter.neighbourFramesSent);
    this.outbox.sendControl(frame);
  }

  private found(entry: number): void {
    const peer = this.peers.find(this.neighbours.address(entry));
    if (peer < 0) return;
    const isNews = !this.peers.isResolved(peer);
    this.peers.setMac(peer, this.neighbours.macHi(entry), this.neighbours.macLo(entry));
    this.peers.setHeard(peer, this.agenda.nowPs);
    if (isNews) this.onResolved(peer);
  }

  /** Nobody answered for the address: it is not used any more, unless its host has been heard meanwhile. */
  private lost(entry: number): void {
    const peer = this.peers.find(this.neighbours.address(entry));
    if (peer >= 0 && this.isStale(peer)) this.peers.forgetMac(peer);
  }
}
