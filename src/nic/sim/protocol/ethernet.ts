// SPDX-License-Identifier: Apache-2.0
/** Ethernet II headers with at most one 802.1Q tag (docs/protocol.md#frame). */
import { get16, get32, put16, put32 } from './big-endian.js';
import type { FrameRecord } from './frame-record.js';

export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;
export const ETHERTYPE_VLAN = 0x8100;
export const ETHERTYPE_IPV6 = 0x86dd;

/** Reads the Ethernet header; answers where its payload starts, or -1 when the frame ends before that. */
export function parseEthernet(bytes: Uint8Array, out: FrameRecord): number {
  if (bytes.length < 14) return -1;
  out.destinationMacHi = get16(bytes, 0);
  out.destinationMacLo = get32(bytes, 2);
  out.sourceMacHi = get16(bytes, 6);
  out.sourceMacLo = get32(bytes, 8);
  out.etherType = get16(bytes, 12);
  out.vlanTag = -1;
  if (out.etherType !== ETHERTYPE_VLAN) return 14;
  if (bytes.length < 18) return -1;
  out.vlanTag = get16(bytes, 14);
  out.etherType = get16(bytes, 16);
  return 18;
}

/** Writes the Ethernet header (with a tag when `vlanTag` is not -1); answers where its payload starts. */
export function encodeEthernet(from: FrameRecord, bytes: Uint8Array): number {
  put16(bytes, 0, from.destinationMacHi);
  put32(bytes, 2, from.destinationMacLo);
  put16(bytes, 6, from.sourceMacHi);
  put32(bytes, 8, from.sourceMacLo);
  if (from.vlanTag < 0) {
    put16(bytes, 12, from.etherType);
    return 14;
  }
  put16(bytes, 12, ETHERTYPE_VLAN);
  put16(bytes, 14, from.vlanTag);
  put16(bytes, 16, from.etherType);
  return 18;
}
