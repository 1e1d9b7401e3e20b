// SPDX-License-Identifier: Apache-2.0
/**
 * Whole frames: bytes to record and back.
 *
 * Receive: `const cause = parseFrame(bytes, record, station)`; 0 means a Homa packet for this card whose fields are in
 * the record (payload at bytes[dataOffset, dataOffset + dataLength)). `otherEtherType` and `otherProtocol` go to the
 * neighbour module, every other cause is counted and the frame forgotten. Nothing is allocated.
 *
 * Send: set addresses, `trafficClass` (or `setPriority`), `startPacket(record, type)`, the fields of the type, then
 * `encodeFrame(record, payload, start, length)`, which gives a new array with the finished checksum.
 */
import { isMapped } from './address.js';
import { put16, get16 } from './big-endian.js';
import { foldChecksum, sumBytes, sumPseudoHeader } from './checksum.js';
import { DropCause } from './drop-cause.js';
import { encodeEthernet, ETHERTYPE_IPV4, ETHERTYPE_IPV6, parseEthernet } from './ethernet.js';
import type { FrameRecord } from './frame-record.js';
import { newFrame } from '../../frame-slab.js';
import {
  encodeHoma,
  headerSize,
  HOMA_FLAGS,
  HOMA_URGENT,
  HomaType,
  parseHoma,
  PROTOCOL_HOMA,
  PROTOCOL_TCP,
} from './homa-header.js';
import { encodeIpv4, IPV4_HEADER, parseIpv4 } from './ipv4.js';
import { encodeIpv6, IPV6_HEADER, parseIpv6 } from './ipv6.js';
import type { Station } from './station.js';

const NO_BYTES = new Uint8Array(0);

/**
 * Reads one frame (no FCS) in the order of docs/protocol.md#receive-checks. With a station, frames for another MAC or
 * IP address are `notOurs`; with null every address is accepted. Never throws, whatever the bytes.
 */
export function parseFrame(bytes: Uint8Array, out: FrameRecord, station: Station | null): DropCause {
  const at = parseEthernet(bytes, out);
  if (at < 0) return DropCause.shortFrame;
  if (station !== null && !station.acceptsMac(out.destinationMacHi, out.destinationMacLo))
    return DropCause.notOurs;
  let cause: DropCause;
  if (out.etherType === ETHERTYPE_IPV6) cause = parseIpv6(bytes, at, out);
  else if (out.etherType === ETHERTYPE_IPV4) cause = parseIpv4(bytes, at, out);
  else return DropCause.otherEtherType;
  if (cause !== DropCause.ok) return cause;
  out.prio = out.trafficClass >>> 5;
  out.hijacked = false;
  if (out.ipProtocol !== PROTOCOL_HOMA) {
    if (!isHijacked(bytes, out)) return DropCause.otherProtocol;
    out.hijacked = true;
  }
  if (station !== null && !station.hasAddress(out.destination)) return DropCause.notOurs;
  return parseHoma(bytes, out.ipPayloadOffset, out.ipPayloadLength, out);
}

/** A TCP packet that is Homa's: flags exactly SYN and RST, and the urgent value (docs/protocol.md#hijack). */
function isHijacked(bytes: Uint8Array, out: FrameRecord): boolean {
  const at = out.ipPayloadOffset;
  return (
    out.ipProtocol === PROTOCOL_TCP &&
    out.ipPayloadLength >= 20 &&
    bytes[at + 13] === HOMA_FLAGS &&
    get16(bytes, at + 18) === HOMA_URGENT
  );
}

/**
 * The bounds check on a DATA packet (docs/protocol.md#receive-checks, last step) against the message's length: the
 * packet's own when it is the first, else the one remembered.
 */
export function dataFits(record: FrameRecord, messageLength: number): boolean {
  return record.offset < messageLength && record.offset + record.dataLength <= messageLength;
}

/** Sets the traffic class for a priority level (docs/protocol.md#priority-byte). */
export function setPriority(record: FrameRecord, prio: number): void {
  record.prio = prio;
  record.trafficClass = prio << 5;
}

/** Sets both addresses and what follows from them: IP version and EtherType come from the destination's family. */
export function setAddresses(record: FrameRecord, source: Uint32Array, destination: Uint32Array): void {
  record.source.set(source);
  record.destination.set(destination);
  const mapped = isMapped(destination);
  record.ipVersion = mapped ? 4 : 6;
  record.etherType = mapped ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6;
}

/** Bytes before the payload of a DATA frame without a VLAN tag. */
export function dataHeaderBytes(ipv4: boolean): number {
  return 14 + (ipv4 ? IPV4_HEADER : IPV6_HEADER) + headerSize(HomaType.data);
}

/** Frame bytes without FCS that `encodeFrame` makes for this record with `payloadLength` bytes of DATA. */
export function encodedLength(record: FrameRecord, payloadLength: number): number {
  const ethernet = record.vlanTag < 0 ? 14 : 18;
  return (
    ethernet + (record.ipVersion === 4 ? IPV4_HEADER : IPV6_HEADER) + headerSize(record.type) + payloadLength
  );
}

/**
 * Writes the record as a frame without FCS. DATA takes payload[start, start + length); other types take none. The
 * checksum is finished (docs/protocol.md#checksum).
 */
export function encodeFrame(
  record: FrameRecord,
  payload: Uint8Array = NO_BYTES,
  start = 0,
  length = 0,
): Uint8Array {
  const dataLength = record.type === HomaType.data ? length : 0;
  const bytes = newFrame(encodedLength(record, dataLength));
  if (dataLength > 0) bytes.set(payload.subarray(start, start + dataLength), bytes.length - dataLength);
  encodeAround(record, bytes, dataLength);
  return bytes;
}

/** Writes all headers before the last `dataLength` bytes of a frame, which are its payload already, and the checksum. */
export function encodeAround(record: FrameRecord, bytes: Uint8Array, dataLength: number): void {
  const homaLength = headerSize(record.type) + dataLength;
  const ip = encodeEthernet(record, bytes);
  const at =
    record.ipVersion === 4
      ? encodeIpv4(record, bytes, ip, homaLength)
      : encodeIpv6(record, bytes, ip, homaLength);
  encodeHoma(record, bytes, at);
  const pseudo = sumPseudoHeader(
    record.source,
    record.destination,
    record.ipVersion === 4,
    homaLength,
    PROTOCOL_TCP,
  );
  put16(bytes, at + 16, foldChecksum(sumBytes(bytes, at, bytes.length, pseudo)));
}
