// SPDX-License-Identifier: Apache-2.0
// Just enough of a frame to count it and to match fault rules: which kind, which message, which offset, which priority.

/** Names of the Homa packet types by code (docs/protocol.md#types). */
export const HOMA_TYPE_NAMES: Readonly<Record<number, string>> = {
  0x10: 'DATA',
  0x11: 'GRANT',
  0x12: 'RESEND',
  0x13: 'RPC_UNKNOWN',
  0x14: 'BUSY',
  0x15: 'CUTOFFS',
  0x16: 'FREEZE',
  0x17: 'NEED_ACK',
  0x18: 'ACK',
};

const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_ARP = 0x0806;
const ETHERTYPE_IPV6 = 0x86dd;
const PROTOCOL_HOMA = 146;
const PROTOCOL_TCP = 6;
const HOMA_HEADER_BYTES = 28;
const NO_OFFSET = 0xffffffff;

function be16(frame: Uint8Array, at: number): number {
  return (frame[at]! << 8) | frame[at + 1]!;
}

function be32(frame: Uint8Array, at: number): number {
  return be16(frame, at) * 65536 + be16(frame, at + 2);
}

/** Where the Homa header begins, or -1 when the frame is not Homa (hijacked TCP counts as Homa by its flags). */
export function homaStart(frame: Uint8Array): number {
  if (frame.length < 14) return -1;
  const ethertype = be16(frame, 12);
  let start: number;
  let protocol: number;
  if (ethertype === ETHERTYPE_IPV4) {
    start = 14 + 4 * (frame[14]! & 15);
    protocol = frame[23]!;
  } else if (ethertype === ETHERTYPE_IPV6) {
    start = 54;
    protocol = frame[20]!;
  } else return -1;
  if (frame.length < start + HOMA_HEADER_BYTES) return -1;
  if (protocol === PROTOCOL_HOMA) return start;
  return protocol === PROTOCOL_TCP && frame[start + 13] === 6 && be16(frame, start + 18) === 0xb97d
    ? start
    : -1;
}

/** The packet's kind: a Homa type by name, else ARP, ICMP, other. */
export function homaType(frame: Uint8Array): string {
  const start = homaStart(frame);
  if (start >= 0) return HOMA_TYPE_NAMES[frame[start + 11]!] ?? 'unknown';
  if (frame.length < 14) return 'other';
  const ethertype = be16(frame, 12);
  if (ethertype === ETHERTYPE_ARP) return 'ARP';
  if (ethertype === ETHERTYPE_IPV4 && frame[23] === 1) return 'ICMP';
  if (ethertype === ETHERTYPE_IPV6 && frame[20] === 58) return 'ICMP';
  return 'other';
}

/** The message offset a DATA, GRANT or RESEND packet names; undefined for others. */
export function homaOffset(frame: Uint8Array): number | undefined {
  const start = homaStart(frame);
  if (start < 0) return undefined;
  const type = frame[start + 11]!;
  if (type === 0x10) {
    if (frame.length < start + 56) return undefined;
    const segment = be32(frame, start + 52);
    return segment === NO_OFFSET ? be32(frame, start + 4) : segment;
  }
  if (type === 0x11 || type === 0x12) return frame.length < start + 32 ? undefined : be32(frame, start + 28);
  return undefined;
}

/** True for a DATA packet that says it is sent again. */
export function isRetransmission(frame: Uint8Array): boolean {
  const start = homaStart(frame);
  return start >= 0 && frame[start + 11] === 0x10 && frame.length >= start + 56 && frame[start + 48] === 1;
}

/** Priority 0 to 7 of a frame: the top three bits of TOS or traffic class; other frames travel at the highest. */
export function framePriority(frame: Uint8Array): number {
  if (frame.length < 16) return 7;
  const ethertype = be16(frame, 12);
  if (ethertype === ETHERTYPE_IPV4) return frame[15]! >>> 5;
  if (ethertype === ETHERTYPE_IPV6) return (frame[14]! & 15) >>> 1;
  return 7;
}
