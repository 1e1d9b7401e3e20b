// SPDX-License-Identifier: Apache-2.0
import { MAPPED_WORD, sameAddress } from './address.js';

/**
 * The addresses a card answers to: one MAC, one IPv4 address or none, a few IPv6 addresses. Given to `parseFrame` and to
 * the neighbour module; change it in place when the kernel page sets another address.
 */
export class Station {
  macHi = 0;
  macLo = 0;
  /** 0 when the card has no IPv4 address. */
  ipv4 = 0;
  /** Four words an address. */
  ipv6: Uint32Array = new Uint32Array(0);

  /** Frames to our MAC, to all, or to any multicast group reach the upper layers. */
  acceptsMac(hi: number, lo: number): boolean {
    return (hi === this.macHi && lo === this.macLo) || (hi & 0x0100) !== 0;
  }

  /** Whether the address at `at` (IPv4 mapped) is one of ours. */
  hasAddress(words: Uint32Array, at = 0): boolean {
    if (words[at + 2] === MAPPED_WORD && words[at] === 0 && words[at + 1] === 0) {
      return this.ipv4 !== 0 && words[at + 3] === this.ipv4;
    }
    for (let i = 0; i < this.ipv6.length; i += 4) if (sameAddress(this.ipv6, i, words, at)) return true;
    return false;
  }
}
