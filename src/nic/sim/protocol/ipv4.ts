// SPDX-License-Identifier: Apache-2.0
/** IPv4 headers (docs/protocol.md#ip): options are skipped on receive and never sent; fragments are refused. */
import { MAPPED_WORD } from './address.js';
import { get16, get32, put16, put32 } from './big-endian.js';
import { foldChecksum, sumBytes } from './checksum.js';
import { DropCause } from './drop-cause.js';
import type { FrameRecord } from './frame-record.js';

export const IPV4_HEADER = 20;
const DONT_FRAGMENT = 0x4000;
const FRAGMENT_BITS = 0x3fff;

/** Reads and checks the IPv4 header at `at`; bytes after the IP length (padding) are ignored. */
export function parseIpv4(bytes: Uint8Array, at: number, out: FrameRecord): DropCause {
  if (bytes.length < at + IPV4_HEADER) return DropCause.badIpHeader;
  const first = bytes[at]!;
  const headerLength = (first & 15) * 4;
  if (first >> 4 !== 4 || headerLength < IPV4_HEADER) return DropCause.badIpHeader;
  if (bytes.length < at + headerLength) return DropCause.badIpHeader;
  if (foldChecksum(sumBytes(bytes, at, at + headerLength)) !== 0) return DropCause.badIpv4Checksum;
  const totalLength = get16(bytes, at + 2);
  if (totalLength < headerLength || at + totalLength > bytes.length) return DropCause.ipLength;
  out.ipVersion = 4;
  out.ipOffset = at;
  out.trafficClass = bytes[at + 1]!;
  out.ipv4Id = get16(bytes, at + 4);
  out.hopLimit = bytes[at + 8]!;
  out.ipProtocol = bytes[at + 9]!;
  const { source, destination } = out;
  source[0] = source[1] = destination[0] = destination[1] = 0;
  source[2] = destination[2] = MAPPED_WORD;
  source[3] = get32(bytes, at + 12);
  destination[3] = get32(bytes, at + 16);
  out.ipPayloadOffset = at + headerLength;
  out.ipPayloadLength = totalLength - headerLength;
  if ((get16(bytes, at + 6) & FRAGMENT_BITS) !== 0) return DropCause.fragment;
  return DropCause.ok;
}

/** Writes a header without options and with "don't fragment" for `payloadLength` bytes; answers where they start. */
export function encodeIpv4(from: FrameRecord, bytes: Uint8Array, at: number, payloadLength: number): number {
  bytes[at] = 0x45;
  bytes[at + 1] = from.trafficClass;
  put16(bytes, at + 2, IPV4_HEADER + payloadLength);
  put16(bytes, at + 4, from.ipv4Id);
  put16(bytes, at + 6, DONT_FRAGMENT);
  bytes[at + 8] = from.hopLimit;
  bytes[at + 9] = from.ipProtocol;
  put16(bytes, at + 10, 0);
  put32(bytes, at + 12, from.source[3]!);
  put32(bytes, at + 16, from.destination[3]!);
  put16(bytes, at + 10, foldChecksum(sumBytes(bytes, at, at + IPV4_HEADER)));
  return at + IPV4_HEADER;
}
