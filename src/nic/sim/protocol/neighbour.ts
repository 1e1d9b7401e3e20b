// SPDX-License-Identifier: Apache-2.0
/**
 * Whose MAC address is whose (docs/protocol.md#neighbours), and everything on the wire that is not Homa.
 *
 * Sending: `entryFor(address)` gives a small integer, valid while it is asked for or used; `output(entry, frame)` writes the
 * MAC into the frame and passes it on, or keeps a few frames and asks the segment first. A caller that holds its messages
 * back instead uses `resolve(entry)` and `onKnown`, and reads `macHi`, `macLo`. Receiving: frames for which
 * `parseFrame` said `otherEtherType` or `otherProtocol` go to `frameIn`, which answers ARP, neighbour solicitations and
 * echo requests itself and reports errors about our packets in `error`. `tick(now)` repeats questions; time in the unit
 * of the settings. Only hosts on the same segment are reached; another one needs a static entry with its router's MAC.
 */
import { formatAddress, isMapped, mappedAddress } from './address.js';
import { ARP_REPLY, ARP_REQUEST, ArpRecord, encodeArp, parseArp } from './arp.js';
import { put16, put32 } from './big-endian.js';
import { ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6 } from './ethernet.js';
import type { FrameRecord } from './frame-record.js';
import { echoReply, IcmpError, isIcmp, parseIcmpError } from './icmp.js';
import {
  encodeAdvertisement,
  encodeSolicitation,
  NdpRecord,
  NEIGHBOUR_SOLICITATION,
  parseNdp,
} from './ndp.js';
import type { Station } from './station.js';

export interface NeighbourSettings {
  /** Frames kept for an address that is being asked for; the oldest is dropped and counted. */
  queueFrames: number;
  /** Time between two questions, and how many there are before the address counts as unreachable. */
  retryInterval: number;
  maxTries: number;
  /** After this time without news an address is asked for again, while its old MAC stays in use. */
  lifetime: number;
  /** Entries at most; when all are in use, later addresses are refused by `entryFor`. */
  maxEntries: number;
}

/** The usual values of hosts (RFC 4861), in picoseconds. */
export const defaultNeighbourSettings: NeighbourSettings = {
  queueFrames: 64,
  retryInterval: 1e12,
  maxTries: 3,
  lifetime: 30e12,
  maxEntries: 1024,
};

/** What `frameIn` made of a frame. */
export const NeighbourFrame = { ignored: 0, arp: 1, discovery: 2, echo: 3, error: 4 } as const;
export type NeighbourFrame = (typeof NeighbourFrame)[keyof typeof NeighbourFrame];

interface Entry {
  address: Uint32Array;
  macHi: number;
  macLo: number;
  known: boolean;
  fixed: boolean;
  heardAt: number;
  tries: number;
  askedAt: number;
  /** Nobody answered the last time. */
  givenUp: boolean;
  queue: Uint8Array[];
}

export class Neighbours {
  now = 0;
  /** Frames dropped because a queue was full or its address did not answer. */
  dropped = 0;
  /** Told when an entry's MAC becomes known or changes, and when a question about it is answered. */
  onKnown: (entry: number) => void = () => undefined;
  /** Told when an entry's address did not answer, after its frames were dropped. */
  onUnreachable: (entry: number) => void = () => undefined;
  /** The last error that `frameIn` reported. */
  readonly error = new IcmpError();
  private readonly entries: Entry[] = [];
  private readonly byAddress = new Map<string, number>();
  /** Entries with a question open. */
  private readonly asking = new Set<Entry>();
  private readonly arp = new ArpRecord();
  private readonly ndp = new NdpRecord();

  constructor(
    private readonly station: Station,
    private readonly settings: NeighbourSettings,
    private readonly frameOut: (bytes: Uint8Array) => void,
  ) {}

  /**
   * The number of an address, new or known; -1 when the table is full. In a full table the answered or given-up entry of
   * which nothing was heard for longest makes room: its number is the new address's from then on.
   */
  entryFor(address: Uint32Array): number {
    const key = formatAddress(address);
    const found = this.byAddress.get(key);
    if (found !== undefined) return found;
    let index = this.entries.length;
    if (index >= this.settings.maxEntries) {
      index = this.oldest();
      if (index < 0) return -1;
      this.byAddress.delete(formatAddress(this.entries[index]!.address));
    }
    this.entries[index] = {
      address: address.slice(0, 4),
      macHi: 0,
      macLo: 0,
      known: false,
      fixed: false,
      heardAt: 0,
      tries: 0,
      askedAt: 0,
      givenUp: false,
      queue: [],
    };
    this.byAddress.set(key, index);
    return index;
  }

  /** The entry that can make room, -1 without one. */
  private oldest(): number {
    let oldest = -1;
    for (const [index, entry] of this.entries.entries()) {
      if (entry.fixed || this.asking.has(entry) || !(entry.known || entry.givenUp)) continue;
      if (oldest < 0 || entry.heardAt < this.entries[oldest]!.heardAt) oldest = index;
    }
    return oldest;
  }

  /** Enters an address that is never asked for. Answers false when the table is full. */
  setStatic(address: Uint32Array, macHi: number, macLo: number): boolean {
    const index = this.entryFor(address);
    if (index < 0) return false;
    this.entries[index]!.fixed = true;
    this.learn(this.entries[index]!, macHi, macLo, true);
    return true;
  }

  /** Turns a static entry back into one that is asked for when needed. */
  clearStatic(address: Uint32Array): void {
    const index = this.byAddress.get(formatAddress(address));
    if (index !== undefined) this.entries[index]!.fixed = this.entries[index]!.known = false;
  }

  /** Whether frames to the entry leave at once. */
  isKnown(index: number): boolean {
    return this.entries[index]!.known;
  }

  /** The static entry of an address, -1 without. */
  fixedEntry(address: Uint32Array): number {
    const index = this.byAddress.get(formatAddress(address));
    return index !== undefined && this.entries[index]!.fixed ? index : -1;
  }
  address(index: number): Uint32Array {
    return this.entries[index]!.address;
  }
  macHi(index: number): number {
    return this.entries[index]!.macHi;
  }
  macLo(index: number): number {
    return this.entries[index]!.macLo;
  }

  /** Whether the entry's MAC is known; if not, or not any more for sure, asks for it. */
  resolve(index: number): boolean {
    const entry = this.entries[index]!;
    const stale = !entry.fixed && (!entry.known || this.now - entry.heardAt > this.settings.lifetime);
    if (stale && !this.asking.has(entry)) this.ask(entry);
    return entry.known;
  }

  /** Sends a frame (its first six bytes are filled in here) to the entry, now or when its MAC is known. */
  output(index: number, frame: Uint8Array): void {
    const entry = this.entries[index]!;
    if (!entry.known) {
      entry.queue.push(frame);
      if (entry.queue.length > this.settings.queueFrames) {
        entry.queue.shift();
        this.dropped++;
      }
    } else {
      put16(frame, 0, entry.macHi);
      put32(frame, 2, entry.macLo);
      this.frameOut(frame);
    }
    this.resolve(index);
  }

  /** The caller's clock was moved back. */
  rebase(by: number): void {
    this.now -= by;
    for (const entry of this.entries) {
      entry.heardAt -= by;
      entry.askedAt -= by;
    }
  }

  /** Time of the next repeated question, Infinity when none is open. */
  get nextEvent(): number {
    let first = Infinity;
    for (const entry of this.asking) first = Math.min(first, entry.askedAt + this.settings.retryInterval);
    return first;
  }

  /** Repeats questions that are due and gives up on those asked often enough. */
  tick(now: number): void {
    this.now = now;
    for (const entry of this.asking) {
      if (now < entry.askedAt + this.settings.retryInterval) continue;
      if (entry.tries < this.settings.maxTries) this.ask(entry);
      else this.giveUp(entry);
    }
  }

  /** Takes in a frame that is not Homa; `record` is as `parseFrame` left it. */
  frameIn(bytes: Uint8Array, record: FrameRecord): NeighbourFrame {
    if (record.etherType === ETHERTYPE_ARP) return this.arpIn(bytes, record.vlanTag < 0 ? 14 : 18);
    if (record.etherType !== ETHERTYPE_IPV4 && record.etherType !== ETHERTYPE_IPV6)
      return NeighbourFrame.ignored;
    if (!isIcmp(bytes, record)) return NeighbourFrame.ignored;
    if (record.ipVersion === 6 && parseNdp(bytes, record, this.ndp)) return this.ndpIn(record);
    const reply = echoReply(bytes, record, this.station);
    if (reply !== null) {
      this.frameOut(reply);
      return NeighbourFrame.echo;
    }
    if (parseIcmpError(bytes, record, this.station, this.error)) return NeighbourFrame.error;
    return NeighbourFrame.ignored;
  }

  private arpIn(bytes: Uint8Array, at: number): NeighbourFrame {
    const { arp, station } = this;
    if (!parseArp(bytes, at, arp)) return NeighbourFrame.ignored;
    if (arp.senderIpv4 !== 0)
      this.hear(mappedAddress(arp.senderIpv4), arp.senderMacHi, arp.senderMacLo, true);
    if (arp.operation !== ARP_REQUEST || station.ipv4 === 0 || arp.targetIpv4 !== station.ipv4) {
      return arp.operation === ARP_REPLY ? NeighbourFrame.arp : NeighbourFrame.ignored;
    }
    this.frameOut(
      encodeArp({
        operation: ARP_REPLY,
        senderMacHi: station.macHi,
        senderMacLo: station.macLo,
        senderIpv4: station.ipv4,
        targetMacHi: arp.senderMacHi,
        targetMacLo: arp.senderMacLo,
        targetIpv4: arp.senderIpv4,
      }),
    );
    return NeighbourFrame.arp;
  }

  private ndpIn(record: FrameRecord): NeighbourFrame {
    const { ndp, station } = this;
    if (ndp.type !== NEIGHBOUR_SOLICITATION) {
      if (ndp.hasMac) this.hear(ndp.target, ndp.macHi, ndp.macLo, ndp.override);
      return NeighbourFrame.discovery;
    }
    if (ndp.hasMac) this.hear(record.source, ndp.macHi, ndp.macLo, true);
    if (!station.hasAddress(ndp.target)) return NeighbourFrame.ignored;
    this.frameOut(encodeAdvertisement(station, record, ndp.target));
    return NeighbourFrame.discovery;
  }

  /** News about an address: kept only for addresses somebody here talks to. */
  private hear(address: Uint32Array, macHi: number, macLo: number, override: boolean): void {
    const index = this.byAddress.get(formatAddress(address));
    if (index === undefined) return;
    const entry = this.entries[index]!;
    if (!entry.fixed && (macHi & 0x0100) === 0) this.learn(entry, macHi, macLo, override);
  }

  private learn(entry: Entry, macHi: number, macLo: number, override: boolean): void {
    if (entry.known && !override && (entry.macHi !== macHi || entry.macLo !== macLo)) return;
    const news = !entry.known || this.asking.has(entry) || entry.macHi !== macHi || entry.macLo !== macLo;
    entry.macHi = macHi;
    entry.macLo = macLo;
    entry.known = true;
    entry.givenUp = false;
    entry.heardAt = this.now;
    entry.tries = 0;
    this.asking.delete(entry);
    for (const frame of entry.queue.splice(0)) {
      put16(frame, 0, macHi);
      put32(frame, 2, macLo);
      this.frameOut(frame);
    }
    if (news) this.onKnown(this.entries.indexOf(entry));
  }

  private ask(entry: Entry): void {
    entry.tries++;
    entry.askedAt = this.now;
    this.asking.add(entry);
    const { station } = this;
    if (!isMapped(entry.address)) {
      const source = this.sourceFor(entry.address);
      if (source !== null) this.frameOut(encodeSolicitation(station, source, entry.address));
    } else if (station.ipv4 !== 0) {
      this.frameOut(
        encodeArp({
          operation: ARP_REQUEST,
          senderMacHi: station.macHi,
          senderMacLo: station.macLo,
          senderIpv4: station.ipv4,
          targetMacHi: 0,
          targetMacLo: 0,
          targetIpv4: entry.address[3]!,
        }),
      );
    }
  }

  /** Our IPv6 address of the same scope (link-local or wider) as the target, else any, else null. */
  private sourceFor(target: Uint32Array): Uint32Array | null {
    const linkLocal = (word: number): boolean => word >>> 22 === 0x3fa;
    const { ipv6 } = this.station;
    for (let i = 0; i < ipv6.length; i += 4) {
      if (linkLocal(ipv6[i]!) === linkLocal(target[0]!)) return ipv6.subarray(i, i + 4);
    }
    return ipv6.length === 0 ? null : ipv6.subarray(0, 4);
  }

  private giveUp(entry: Entry): void {
    this.asking.delete(entry);
    entry.tries = 0;
    entry.known = false;
    entry.givenUp = true;
    this.dropped += entry.queue.length;
    entry.queue.length = 0;
    this.onUnreachable(this.entries.indexOf(entry));
  }
}
