// SPDX-License-Identifier: Apache-2.0
/**
 * ICMP and ICMPv6 as far as a Homa card needs them (docs/protocol.md#icmp): the checksum, echo answers, port unreachable
 * for a packet that no socket wants, and errors that quote a packet of ours. Neighbour discovery is in `ndp.ts`.
 */
import { isMapped } from './address.js';
import { get16, get32, put16 } from './big-endian.js';
import { foldChecksum, sumBytes, sumPseudoHeader } from './checksum.js';
import { encodeEthernet, ETHERTYPE_IPV4, ETHERTYPE_IPV6 } from './ethernet.js';
import { FrameRecord } from './frame-record.js';
import { COMMON_HEADER, PROTOCOL_HOMA } from './homa-header.js';
import { encodeIpv4, IPV4_HEADER } from './ipv4.js';
import { encodeIpv6, IPV6_HEADER } from './ipv6.js';
import type { Station } from './station.js';

export const PROTOCOL_ICMP = 1;
export const PROTOCOL_ICMPV6 = 58;
const ECHO_REQUEST = 8;
const ECHO_REPLY = 0;
const UNREACHABLE = 3;
const V6_UNREACHABLE = 1;
const V6_PARAMETER_PROBLEM = 4;
const V6_ECHO_REQUEST = 128;
const V6_ECHO_REPLY = 129;
const HEADER = 8;
/** Longest IP packet that carries an error: what every host must take in (RFC 1812, RFC 4443). */
const ERROR_LIMIT = 576;
const V6_ERROR_LIMIT = 1280;

/** Whether the record's IP payload is ICMP of its own family with a right checksum. */
export function isIcmp(bytes: Uint8Array, record: FrameRecord): boolean {
  const ipv4 = record.ipVersion === 4;
  if (record.ipProtocol !== (ipv4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6) || record.ipPayloadLength < HEADER)
    return false;
  const { ipPayloadOffset: at, ipPayloadLength: length } = record;
  const pseudo = ipv4
    ? 0
    : sumPseudoHeader(record.source, record.destination, false, length, PROTOCOL_ICMPV6);
  return foldChecksum(sumBytes(bytes, at, at + length, pseudo)) === 0;
}

/**
 * Writes a frame around an ICMP message whose checksum field is zero: addresses, MACs and hop limit from `to`, whose IP
 * version, EtherType and protocol follow from its destination.
 */
export function encodeIcmp(to: FrameRecord, message: Uint8Array): Uint8Array {
  const ipv4 = isMapped(to.destination);
  to.ipVersion = ipv4 ? 4 : 6;
  to.etherType = ipv4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6;
  to.ipProtocol = ipv4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
  const bytes = new Uint8Array(
    (to.vlanTag < 0 ? 14 : 18) + (ipv4 ? IPV4_HEADER : IPV6_HEADER) + message.length,
  );
  const ip = encodeEthernet(to, bytes);
  const at = ipv4 ? encodeIpv4(to, bytes, ip, message.length) : encodeIpv6(to, bytes, ip, message.length);
  bytes.set(message, at);
  const pseudo = ipv4
    ? 0
    : sumPseudoHeader(to.source, to.destination, false, message.length, PROTOCOL_ICMPV6);
  put16(bytes, at + 2, foldChecksum(sumBytes(bytes, at, bytes.length, pseudo)));
  return bytes;
}

/** A record for the way back: addresses and MACs exchanged, from `station`'s MAC. */
function answerTo(received: FrameRecord, station: Station): FrameRecord {
  const to = new FrameRecord();
  to.destinationMacHi = received.sourceMacHi;
  to.destinationMacLo = received.sourceMacLo;
  to.sourceMacHi = station.macHi;
  to.sourceMacLo = station.macLo;
  to.vlanTag = received.vlanTag;
  to.source.set(received.destination);
  to.destination.set(received.source);
  return to;
}

/** The answer to an echo request for one of our addresses (checked by `isIcmp` before), or null for anything else. */
export function echoReply(bytes: Uint8Array, record: FrameRecord, station: Station): Uint8Array | null {
  const at = record.ipPayloadOffset;
  const request = record.ipVersion === 4 ? ECHO_REQUEST : V6_ECHO_REQUEST;
  if (bytes[at] !== request || bytes[at + 1] !== 0 || !station.hasAddress(record.destination)) return null;
  const message = bytes.slice(at, at + record.ipPayloadLength);
  message[0] = record.ipVersion === 4 ? ECHO_REPLY : V6_ECHO_REPLY;
  put16(message, 2, 0);
  return encodeIcmp(answerTo(record, station), message);
}

/** Port unreachable, quoting the received packet as far as the limit of error packets allows. */
export function portUnreachable(bytes: Uint8Array, record: FrameRecord, station: Station): Uint8Array {
  const ipv4 = record.ipVersion === 4;
  const room = ipv4 ? ERROR_LIMIT - IPV4_HEADER - HEADER : V6_ERROR_LIMIT - IPV6_HEADER - HEADER;
  const end = Math.min(record.ipPayloadOffset + record.ipPayloadLength, record.ipOffset + room);
  const message = new Uint8Array(HEADER + end - record.ipOffset);
  message[0] = ipv4 ? UNREACHABLE : V6_UNREACHABLE;
  message[1] = ipv4 ? 3 : 4;
  message.set(bytes.subarray(record.ipOffset, end), HEADER);
  return encodeIcmp(answerTo(record, station), message);
}

/** What an ICMP error means for our RPCs (docs/protocol.md#icmp). */
export const IcmpVerdict = { portUnreachable: 1, hostUnreachable: 2, protocolUnreachable: 3 } as const;
export type IcmpVerdict = (typeof IcmpVerdict)[keyof typeof IcmpVerdict];

/** An error about a Homa packet of ours: the peer it was for, its ports, and its RPC id when enough was quoted. */
export class IcmpError {
  verdict: IcmpVerdict = IcmpVerdict.hostUnreachable;
  readonly peer = new Uint32Array(4);
  readonly own = new Uint32Array(4);
  /** Our port and the peer's, as in the quoted packet. */
  sourcePort = 0;
  destinationPort = 0;
  hasId = false;
  senderIdHi = 0;
  senderIdLo = 0;
}

function verdictOf(ipv4: boolean, type: number, code: number): IcmpVerdict | 0 {
  if (ipv4) {
    if (type !== UNREACHABLE) return 0;
    if (code === 3) return IcmpVerdict.portUnreachable;
    return code === 2 ? IcmpVerdict.protocolUnreachable : IcmpVerdict.hostUnreachable;
  }
  if (type === V6_UNREACHABLE) return code === 4 ? IcmpVerdict.portUnreachable : IcmpVerdict.hostUnreachable;
  return type === V6_PARAMETER_PROBLEM && code === 1 ? IcmpVerdict.protocolUnreachable : 0;
}

/**
 * Reads an error (checked by `isIcmp`) that quotes a Homa packet sent from one of our addresses. False for every other
 * ICMP message, and for quotes that end before the Homa ports.
 */
export function parseIcmpError(
  bytes: Uint8Array,
  record: FrameRecord,
  station: Station,
  out: IcmpError,
): boolean {
  const ipv4 = record.ipVersion === 4;
  const at = record.ipPayloadOffset;
  const verdict = verdictOf(ipv4, bytes[at]!, bytes[at + 1]!);
  if (verdict === 0) return false;
  const quote = at + HEADER;
  const end = at + record.ipPayloadLength;
  const homa = ipv4 ? readQuotedIpv4(bytes, quote, end, out) : readQuotedIpv6(bytes, quote, end, out);
  if (homa < 0 || homa + 8 > end || !station.hasAddress(out.own)) return false;
  out.verdict = verdict;
  out.sourcePort = get16(bytes, homa);
  out.destinationPort = get16(bytes, homa + 2);
  out.hasId = homa + COMMON_HEADER <= end;
  if (out.hasId) {
    out.senderIdHi = get32(bytes, homa + 20);
    out.senderIdLo = get32(bytes, homa + 24);
  }
  return true;
}

function readQuotedIpv4(bytes: Uint8Array, at: number, end: number, out: IcmpError): number {
  if (end < at + IPV4_HEADER || bytes[at]! >> 4 !== 4 || bytes[at + 9] !== PROTOCOL_HOMA) return -1;
  out.own.set([0, 0, 0xffff, get32(bytes, at + 12)]);
  out.peer.set([0, 0, 0xffff, get32(bytes, at + 16)]);
  return at + (bytes[at]! & 15) * 4;
}

function readQuotedIpv6(bytes: Uint8Array, at: number, end: number, out: IcmpError): number {
  if (end < at + IPV6_HEADER || bytes[at]! >> 4 !== 6 || bytes[at + 6] !== PROTOCOL_HOMA) return -1;
  for (let i = 0; i < 4; i++) {
    out.own[i] = get32(bytes, at + 8 + 4 * i);
    out.peer[i] = get32(bytes, at + 24 + 4 * i);
  }
  return at + IPV6_HEADER;
}
