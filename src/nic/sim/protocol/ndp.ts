// SPDX-License-Identifier: Apache-2.0
/** IPv6 neighbour discovery (RFC 4861): solicitations and advertisements, read and written (docs/protocol.md#neighbours). */
import { get16, get32, put16, put32 } from './big-endian.js';
import { FrameRecord } from './frame-record.js';
import { encodeIcmp } from './icmp.js';
import type { Station } from './station.js';

export const NEIGHBOUR_SOLICITATION = 135;
export const NEIGHBOUR_ADVERTISEMENT = 136;
const SOURCE_OPTION = 1;
const TARGET_OPTION = 2;
const FIXED = 24;
/** Neighbour discovery packets cannot come from behind a router: they arrive with the largest hop limit. */
const HOP_LIMIT = 255;
const SOLICITED = 0x40;
const OVERRIDE = 0x20;
const ALL_NODES = Uint32Array.of(0xff020000, 0, 0, 1);

/** One solicitation or advertisement, filled by `parseNdp`. */
export class NdpRecord {
  type = 0;
  override = false;
  readonly target = new Uint32Array(4);
  /** Link-layer address option; hasMac false when there is none. */
  hasMac = false;
  macHi = 0;
  macLo = 0;
}

/** Reads a solicitation or advertisement (checked by `isIcmp`); false for other messages and for malformed ones. */
export function parseNdp(bytes: Uint8Array, record: FrameRecord, out: NdpRecord): boolean {
  const at = record.ipPayloadOffset;
  out.type = bytes[at]!;
  if (out.type !== NEIGHBOUR_SOLICITATION && out.type !== NEIGHBOUR_ADVERTISEMENT) return false;
  if (record.ipPayloadLength < FIXED || record.hopLimit !== HOP_LIMIT || bytes[at + 1] !== 0) return false;
  out.override = (bytes[at + 4]! & OVERRIDE) !== 0;
  for (let i = 0; i < 4; i++) out.target[i] = get32(bytes, at + 8 + 4 * i);
  if (out.target[0]! >>> 24 === 0xff) return false;
  out.hasMac = false;
  const wanted = out.type === NEIGHBOUR_SOLICITATION ? SOURCE_OPTION : TARGET_OPTION;
  const end = at + record.ipPayloadLength;
  for (let option = at + FIXED; option < end;) {
    const length = option + 1 < end ? bytes[option + 1]! * 8 : 0;
    if (length === 0 || option + length > end) return false;
    if (bytes[option] === wanted) {
      out.hasMac = true;
      out.macHi = get16(bytes, option + 2);
      out.macLo = get32(bytes, option + 4);
    }
    option += length;
  }
  return true;
}

function message(
  type: number,
  flags: number,
  target: Uint32Array,
  option: number,
  station: Station,
): Uint8Array {
  const bytes = new Uint8Array(FIXED + 8);
  bytes[0] = type;
  bytes[4] = flags;
  for (let i = 0; i < 4; i++) put32(bytes, 8 + 4 * i, target[i]!);
  bytes[FIXED] = option;
  bytes[FIXED + 1] = 1;
  put16(bytes, FIXED + 2, station.macHi);
  put32(bytes, FIXED + 4, station.macLo);
  return bytes;
}

function recordFrom(station: Station, source: Uint32Array): FrameRecord {
  const record = new FrameRecord();
  record.sourceMacHi = station.macHi;
  record.sourceMacLo = station.macLo;
  record.hopLimit = HOP_LIMIT;
  record.source.set(source);
  return record;
}

/** MAC of an IPv6 multicast group: 33:33 and the last four bytes. */
function toGroup(record: FrameRecord, group: Uint32Array): void {
  record.destination.set(group);
  record.destinationMacHi = 0x3333;
  record.destinationMacLo = group[3]!;
}

/** Asks the segment who has `target`; `source` is the address of ours that wants to know. */
export function encodeSolicitation(station: Station, source: Uint32Array, target: Uint32Array): Uint8Array {
  const record = recordFrom(station, source);
  toGroup(record, Uint32Array.of(0xff020000, 0, 1, (0xff000000 | (target[3]! & 0xffffff)) >>> 0));
  return encodeIcmp(record, message(NEIGHBOUR_SOLICITATION, 0, target, SOURCE_OPTION, station));
}

/**
 * Answers a solicitation for our address `target`. A host that checks whether its own address is taken asks from the
 * unspecified address; that answer goes to all.
 */
export function encodeAdvertisement(station: Station, asked: FrameRecord, target: Uint32Array): Uint8Array {
  const record = recordFrom(station, target);
  record.vlanTag = asked.vlanTag;
  const unspecified = asked.source.every((word) => word === 0);
  if (unspecified) toGroup(record, ALL_NODES);
  else {
    record.destination.set(asked.source);
    record.destinationMacHi = asked.sourceMacHi;
    record.destinationMacLo = asked.sourceMacLo;
  }
  const flags = OVERRIDE | (unspecified ? 0 : SOLICITED);
  return encodeIcmp(record, message(NEIGHBOUR_ADVERTISEMENT, flags, target, TARGET_OPTION, station));
}
