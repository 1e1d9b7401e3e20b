// SPDX-License-Identifier: Apache-2.0
/**
 * The nine Homa packet types: names, header sizes, reading and writing (docs/protocol.md#types and the sections after).
 *
 * Everything works on a `FrameRecord`; `at` is where the Homa header begins in the frame. Writing puts `sequence` and
 * `segOffset` into DATA as they stand in the record: `setDataOffset` sets both to the true offset, which is what this
 * card sends (docs/protocol.md#data-offset).
 */
import { get16, get32, put16, put32 } from './big-endian.js';
import { DropCause } from './drop-cause.js';
import type { FrameRecord } from './frame-record.js';

/** IP protocol number of Homa (docs/protocol.md#frame) and of TCP, used by hijacked packets. */
export const PROTOCOL_HOMA = 146;
export const PROTOCOL_TCP = 6;

/** Signature of a Homa packet that travels as TCP (docs/protocol.md#hijack). */
export const HOMA_FLAGS = 0x06;
export const HOMA_URGENT = 0xb97d;

/** Packet type codes (docs/protocol.md#types). */
export const HomaType = {
  data: 0x10,
  grant: 0x11,
  resend: 0x12,
  rpcUnknown: 0x13,
  busy: 0x14,
  cutoffs: 0x15,
  freeze: 0x16,
  needAck: 0x17,
  ack: 0x18,
} as const;
export type HomaType = (typeof HomaType)[keyof typeof HomaType];

const FIRST_TYPE = HomaType.data;
const LAST_TYPE = HomaType.ack;

/** Names as written in the protocol, indexed by type - 0x10. */
export const homaTypeNames: readonly string[] = [
  'DATA',
  'GRANT',
  'RESEND',
  'RPC_UNKNOWN',
  'BUSY',
  'CUTOFFS',
  'FREEZE',
  'NEED_ACK',
  'ACK',
];

/** Header bytes, indexed by type - 0x10 (docs/protocol.md#types). */
const headerSizes = Uint8Array.of(56, 33, 37, 28, 28, 62, 28, 28, 80);
/** Shortest accepted, the same but for a RESEND without priority (docs/protocol.md#resend). */
const acceptedSizes = Uint8Array.of(56, 33, 36, 28, 28, 62, 28, 28, 80);

export const COMMON_HEADER = 28;
export const DATA_HEADER = 56;
const RESEND_HEADER = 37;
const ACK_ELEMENT = 10;
/** Most acks in an ACK packet and in a peer's store (docs/protocol.md#ack). */
export const MAX_ACKS = 5;
/** `segOffset` value that says "the offset is in sequence" (docs/protocol.md#data-offset). */
export const OFFSET_IN_SEQUENCE = 0xffffffff;
/** Data-offset nibble: one-segment DATA, and every control packet (docs/protocol.md#common-header). */
export const DOFF_DATA = 14;
export const DOFF_CONTROL = 5;
/** Longest message (docs/protocol.md#parameters). */
export const MAX_MESSAGE_LENGTH = 1_000_000;

/** Header bytes of a type; the type must be one of the nine. */
export function headerSize(type: number): number {
  return headerSizes[type - FIRST_TYPE]!;
}

/** Name of a type, or its number for an unknown one. */
export function homaTypeName(type: number): string {
  return homaTypeNames[type - FIRST_TYPE] ?? `type 0x${type.toString(16)}`;
}

/** Puts the true offset into both places of a DATA packet. */
export function setDataOffset(record: FrameRecord, offset: number): void {
  record.offset = offset;
  record.sequence = offset;
  record.segOffset = offset;
}

/** Makes the record a packet of this type with the constant fields every sender writes. */
export function startPacket(record: FrameRecord, type: HomaType): void {
  record.type = type;
  record.doff = type === HomaType.data ? DOFF_DATA : DOFF_CONTROL;
  record.flags = HOMA_FLAGS;
  record.urgent = HOMA_URGENT;
  record.sequence = 0;
}

/**
 * Reads the Homa header at `at` with `length` bytes of IP payload: length and type checks in the order of
 * docs/protocol.md#receive-checks, then every field of the type.
 */
export function parseHoma(bytes: Uint8Array, at: number, length: number, out: FrameRecord): DropCause {
  if (length < COMMON_HEADER) return DropCause.shortHoma;
  const type = bytes[at + 11]!;
  if (type < FIRST_TYPE || type > LAST_TYPE) return DropCause.unknownType;
  if (length < acceptedSizes[type - FIRST_TYPE]!) return DropCause.shortForType;
  out.sourcePort = get16(bytes, at);
  out.destinationPort = get16(bytes, at + 2);
  out.sequence = get32(bytes, at + 4);
  out.type = type;
  out.doff = bytes[at + 12]! >>> 4;
  out.flags = bytes[at + 13]!;
  out.checksum = get16(bytes, at + 16);
  out.urgent = get16(bytes, at + 18);
  out.senderIdHi = get32(bytes, at + 20);
  out.senderIdLo = get32(bytes, at + 24);
  out.localIdLo = (out.senderIdLo ^ 1) >>> 0;
  if (type === HomaType.data) parseData(bytes, at, length, out);
  else if (type === HomaType.grant) parseGrant(bytes, at, out);
  else if (type === HomaType.resend) parseResend(bytes, at, length, out);
  else if (type === HomaType.cutoffs) parseCutoffs(bytes, at, out);
  else if (type === HomaType.ack) parseAck(bytes, at, out);
  return DropCause.ok;
}

function parseData(bytes: Uint8Array, at: number, length: number, out: FrameRecord): void {
  out.messageLength = get32(bytes, at + 28);
  out.incoming = get32(bytes, at + 32);
  out.ackClientIdHi = get32(bytes, at + 36);
  out.ackClientIdLo = get32(bytes, at + 40);
  out.ackServerPort = get16(bytes, at + 44);
  out.cutoffVersion = get16(bytes, at + 46);
  out.retransmit = bytes[at + 48]!;
  out.segOffset = get32(bytes, at + 52);
  out.offset = out.segOffset === OFFSET_IN_SEQUENCE ? out.sequence : out.segOffset;
  out.dataOffset = at + DATA_HEADER;
  out.dataLength = length - DATA_HEADER;
}

function parseGrant(bytes: Uint8Array, at: number, out: FrameRecord): void {
  out.offset = get32(bytes, at + 28);
  out.priority = bytes[at + 32]! & 7;
}

function parseResend(bytes: Uint8Array, at: number, length: number, out: FrameRecord): void {
  out.offset = get32(bytes, at + 28);
  out.length = get32(bytes, at + 32) | 0;
  out.priority = length < RESEND_HEADER ? 7 : bytes[at + 36]! & 7;
}

function parseCutoffs(bytes: Uint8Array, at: number, out: FrameRecord): void {
  for (let i = 0; i < 8; i++) out.cutoffs[i] = get32(bytes, at + 28 + 4 * i);
  out.cutoffVersion = get16(bytes, at + 60);
}

function parseAck(bytes: Uint8Array, at: number, out: FrameRecord): void {
  out.numAcks = Math.min(get16(bytes, at + 28), MAX_ACKS);
  for (let i = 0; i < out.numAcks; i++) {
    const element = at + 30 + ACK_ELEMENT * i;
    out.ackIdHi[i] = get32(bytes, element);
    out.ackIdLo[i] = get32(bytes, element + 4);
    out.ackPort[i] = get16(bytes, element + 8);
  }
}

/** Writes every byte of the header of the record's type at `at`, checksum field zero; answers its size. */
export function encodeHoma(from: FrameRecord, bytes: Uint8Array, at: number): number {
  const type = from.type;
  const size = headerSizes[type - FIRST_TYPE]!;
  put16(bytes, at, from.sourcePort);
  put16(bytes, at + 2, from.destinationPort);
  put32(bytes, at + 4, from.sequence);
  put32(bytes, at + 8, 0);
  bytes[at + 11] = type;
  bytes[at + 12] = from.doff << 4;
  bytes[at + 13] = from.flags;
  put32(bytes, at + 14, 0);
  put16(bytes, at + 18, from.urgent);
  put32(bytes, at + 20, from.senderIdHi);
  put32(bytes, at + 24, from.senderIdLo);
  if (type === HomaType.data) encodeData(from, bytes, at);
  else if (type === HomaType.ack) encodeAck(from, bytes, at);
  else if (type === HomaType.cutoffs) {
    for (let i = 0; i < 8; i++) put32(bytes, at + 28 + 4 * i, from.cutoffs[i]!);
    put16(bytes, at + 60, from.cutoffVersion);
  } else if (type === HomaType.grant) {
    put32(bytes, at + 28, from.offset);
    bytes[at + 32] = from.priority;
  } else if (type === HomaType.resend) {
    put32(bytes, at + 28, from.offset);
    put32(bytes, at + 32, from.length);
    bytes[at + 36] = from.priority;
  }
  return size;
}

function encodeData(from: FrameRecord, bytes: Uint8Array, at: number): void {
  put32(bytes, at + 28, from.messageLength);
  put32(bytes, at + 32, from.incoming);
  put32(bytes, at + 36, from.ackClientIdHi);
  put32(bytes, at + 40, from.ackClientIdLo);
  put16(bytes, at + 44, from.ackServerPort);
  put16(bytes, at + 46, from.cutoffVersion);
  put32(bytes, at + 48, from.retransmit << 24);
  put32(bytes, at + 52, from.segOffset);
}

function encodeAck(from: FrameRecord, bytes: Uint8Array, at: number): void {
  put16(bytes, at + 28, from.numAcks);
  for (let i = 0; i < from.numAcks; i++) {
    const element = at + 30 + ACK_ELEMENT * i;
    put32(bytes, element, from.ackIdHi[i]!);
    put32(bytes, element + 4, from.ackIdLo[i]!);
    put16(bytes, element + 8, from.ackPort[i]!);
  }
  bytes.fill(0, at + 30 + ACK_ELEMENT * from.numAcks, at + headerSize(HomaType.ack));
}
