// SPDX-License-Identifier: Apache-2.0
/** ARP for IPv4 over Ethernet (RFC 826): reading, and writing requests and answers (docs/protocol.md#neighbours). */
import { get16, get32, put16, put32 } from './big-endian.js';
import { encodeEthernet, ETHERTYPE_ARP, ETHERTYPE_IPV4 } from './ethernet.js';
import { FrameRecord } from './frame-record.js';

export const ARP_REQUEST = 1;
export const ARP_REPLY = 2;
const ARP_LENGTH = 28;
/** Ethernet's shortest frame without FCS; ARP is the only packet here that needs padding. */
const SHORTEST_FRAME = 60;

/** One ARP packet, filled by `parseArp`. */
export class ArpRecord {
  operation = 0;
  senderMacHi = 0;
  senderMacLo = 0;
  senderIpv4 = 0;
  targetIpv4 = 0;
}

/** Reads the ARP packet at `at`; false when it is too short or not IPv4 over Ethernet. */
export function parseArp(bytes: Uint8Array, at: number, out: ArpRecord): boolean {
  if (bytes.length < at + ARP_LENGTH) return false;
  if (get16(bytes, at) !== 1 || get16(bytes, at + 2) !== ETHERTYPE_IPV4 || get16(bytes, at + 4) !== 0x0604) {
    return false;
  }
  out.operation = get16(bytes, at + 6);
  out.senderMacHi = get16(bytes, at + 8);
  out.senderMacLo = get32(bytes, at + 10);
  out.senderIpv4 = get32(bytes, at + 14);
  out.targetIpv4 = get32(bytes, at + 24);
  return true;
}

/** Who sends and who is meant: the fields of an ARP packet to be written. A target MAC of zero means "not known". */
export interface ArpParts {
  operation: number;
  senderMacHi: number;
  senderMacLo: number;
  senderIpv4: number;
  targetMacHi: number;
  targetMacLo: number;
  targetIpv4: number;
}

/** Writes an ARP frame: to the target's MAC, or to all when that is zero. */
export function encodeArp(parts: ArpParts): Uint8Array {
  const record = new FrameRecord();
  const known = parts.targetMacHi !== 0 || parts.targetMacLo !== 0;
  record.destinationMacHi = known ? parts.targetMacHi : 0xffff;
  record.destinationMacLo = known ? parts.targetMacLo : 0xffffffff;
  record.sourceMacHi = parts.senderMacHi;
  record.sourceMacLo = parts.senderMacLo;
  record.etherType = ETHERTYPE_ARP;
  const bytes = new Uint8Array(SHORTEST_FRAME);
  const at = encodeEthernet(record, bytes);
  put16(bytes, at, 1);
  put16(bytes, at + 2, ETHERTYPE_IPV4);
  put16(bytes, at + 4, 0x0604);
  put16(bytes, at + 6, parts.operation);
  put16(bytes, at + 8, parts.senderMacHi);
  put32(bytes, at + 10, parts.senderMacLo);
  put32(bytes, at + 14, parts.senderIpv4);
  put16(bytes, at + 18, parts.targetMacHi);
  put32(bytes, at + 20, parts.targetMacLo);
  put32(bytes, at + 24, parts.targetIpv4);
  return bytes;
}
