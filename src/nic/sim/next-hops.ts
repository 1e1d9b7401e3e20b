// SPDX-License-Identifier: Apache-2.0
/**
 * Which MAC address a peer's frames go to: our own for ourselves, a static neighbour's, or the one its frames came from.
 */
import { NEIGHBOUR_ENTRIES } from '../regs.js';
import type { NeighbourSetter } from './kernel-calls.js';
import type { Peers } from './peers.js';
import { get32 } from './protocol/big-endian.js';
import type { Settings } from './settings.js';

interface Neighbour {
  address: Uint32Array;
  macHi: number;
  macLo: number;
}

export class NextHops implements NeighbourSetter {
  private readonly neighbours: Neighbour[] = [];
  /** Told when a peer's MAC address is found: its messages may go. */
  onResolved: (peer: number) => void = () => undefined;

  constructor(
    private readonly peers: Peers,
    private readonly settings: Settings,
  ) {}

  reset(): void {
    this.neighbours.length = 0;
  }

  setStatic(address: Uint8Array, mac: Uint8Array, valid: boolean): boolean {
    const words = Uint32Array.from({ length: 4 }, (_, i) => get32(address, 4 * i));
    const at = this.neighbours.findIndex((entry) => entry.address.every((word, i) => word === words[i]));
    if (at >= 0) this.neighbours.splice(at, 1);
    if (!valid) return true;
    if (this.neighbours.length >= NEIGHBOUR_ENTRIES) return false;
    const entry = { address: words, macHi: (mac[0]! << 8) | mac[1]!, macLo: get32(mac, 2) };
    this.neighbours.push(entry);
    const peer = this.peers.find(words);
    if (peer >= 0) this.learn(peer, entry.macHi, entry.macLo);
    return true;
  }

  /** Whether the peer's MAC address is known; if not, looks for it. */
  resolve(peer: number): boolean {
    if (this.peers.resolved[peer] === 1) return true;
    const address = this.peers.address(peer);
    const { station } = this.settings;
    if (station.hasAddress(address)) {
      this.peers.setMac(peer, station.macHi, station.macLo);
      return true;
    }
    const known = this.neighbours.find((entry) => entry.address.every((word, i) => word === address[i]));
    if (known === undefined) return false;
    this.peers.setMac(peer, known.macHi, known.macLo);
    return true;
  }

  /** A frame of the peer came from this MAC address. */
  heardFrom(peer: number, macHi: number, macLo: number): void {
    if (this.peers.resolved[peer] === 0 && (macHi & 0x0100) === 0) this.learn(peer, macHi, macLo);
  }

  /** One timer tick; true while a search is under way. */
  tick(): boolean {
    return false;
  }

  private learn(peer: number, macHi: number, macLo: number): void {
    this.peers.setMac(peer, macHi, macLo);
    this.onResolved(peer);
  }
}
