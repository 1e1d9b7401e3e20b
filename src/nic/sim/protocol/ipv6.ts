// SPDX-License-Identifier: Apache-2.0
/** IPv6 headers (docs/protocol.md#ip): no extension headers; a packet with one is another protocol's packet. */
import { get16, get32, put16, put32 } from './big-endian.js';
import { DropCause } from './drop-cause.js';
import type { FrameRecord } from './frame-record.js';

export const IPV6_HEADER = 40;

/** Reads and checks the IPv6 header at `at`; bytes after the payload length (padding) are ignored. */
export function parseIpv6(bytes: Uint8Array, at: number, out: FrameRecord): DropCause {
  if (bytes.length < at + IPV6_HEADER) return DropCause.badIpHeader;
  const first = get32(bytes, at);
  if (first >>> 28 !== 6) return DropCause.badIpHeader;
  const payloadLength = get16(bytes, at + 4);
  if (at + IPV6_HEADER + payloadLength > bytes.length) return DropCause.ipLength;
  out.ipVersion = 6;
  out.ipOffset = at;
  out.trafficClass = (first >>> 20) & 0xff;
  out.flowLabel = first & 0xfffff;
  out.ipProtocol = bytes[at + 6]!;
  out.hopLimit = bytes[at + 7]!;
  for (let i = 0; i < 4; i++) {
    out.source[i] = get32(bytes, at + 8 + 4 * i);
    out.destination[i] = get32(bytes, at + 24 + 4 * i);
  }
  out.ipPayloadOffset = at + IPV6_HEADER;
  out.ipPayloadLength = payloadLength;
  return DropCause.ok;
}

/** Writes the header for `payloadLength` bytes; answers where they start. */
export function encodeIpv6(from: FrameRecord, bytes: Uint8Array, at: number, payloadLength: number): number {
  put32(bytes, at, 0x60000000 | (from.trafficClass << 20) | from.flowLabel);
  put16(bytes, at + 4, payloadLength);
  bytes[at + 6] = from.ipProtocol;
  bytes[at + 7] = from.hopLimit;
  for (let i = 0; i < 4; i++) {
    put32(bytes, at + 8 + 4 * i, from.source[i]!);
    put32(bytes, at + 24 + 4 * i, from.destination[i]!);
  }
  return at + IPV6_HEADER;
}
