// SPDX-License-Identifier: Apache-2.0
/**
 * One record for all layers of one frame, made once and reused: `parseFrame` fills it, `encodeFrame` writes it out.
 *
 * Fields of a layer or packet type that the frame does not have keep old values; look at `ipVersion`, `type` first.
 * 64-bit ids are two unsigned 32-bit halves. Addresses are four words, IPv4 in mapped form.
 */
export class FrameRecord {
  // Ethernet (docs/protocol.md#frame)
  destinationMacHi = 0;
  destinationMacLo = 0;
  sourceMacHi = 0;
  sourceMacLo = 0;
  /** Tag control information of an 802.1Q tag, -1 without a tag. */
  vlanTag = -1;
  etherType = 0;

  // IP (docs/protocol.md#ip). ipOffset and ipPayloadOffset are byte positions in the frame.
  ipVersion = 6;
  ipOffset = 0;
  trafficClass = 0;
  ipProtocol = 146;
  hopLimit = 64;
  flowLabel = 0;
  ipv4Id = 0;
  readonly source = new Uint32Array(4);
  readonly destination = new Uint32Array(4);
  ipPayloadOffset = 0;
  ipPayloadLength = 0;

  // Homa common header (docs/protocol.md#common-header)
  /** The packet came as IP protocol 6 with the Homa signature (docs/protocol.md#hijack). */
  hijacked = false;
  /** Priority level 0 to 7 the packet travelled at: the upper 3 bits of the traffic class. */
  prio = 0;
  sourcePort = 0;
  destinationPort = 0;
  sequence = 0;
  type = 0;
  doff = 0;
  flags = 6;
  checksum = 0;
  urgent = 0xb97d;
  senderIdHi = 0;
  senderIdLo = 0;
  /** The receiver's own id of the RPC: the sender's with bit 0 flipped. Low half; the high halves are equal. */
  localIdLo = 0;

  // DATA (docs/protocol.md#data)
  messageLength = 0;
  incoming = 0;
  ackClientIdHi = 0;
  ackClientIdLo = 0;
  ackServerPort = 0;
  retransmit = 0;
  /** As written in the packet; 0xffffffff says that `sequence` holds the offset. */
  segOffset = 0;
  dataOffset = 0;
  dataLength = 0;

  /** DATA: message offset of the first byte (rule applied); GRANT: granted up to; RESEND: first byte wanted. */
  offset = 0;
  /** RESEND: bytes wanted, -1 for everything sent so far. */
  length = 0;
  /** GRANT and RESEND: priority value inside the packet, masked to 3 bits on receive. */
  priority = 0;

  // DATA and CUTOFFS
  cutoffVersion = 0;
  readonly cutoffs = new Uint32Array(8);

  // ACK (docs/protocol.md#ack): numAcks valid entries, at most 5
  numAcks = 0;
  readonly ackIdHi = new Uint32Array(5);
  readonly ackIdLo = new Uint32Array(5);
  readonly ackPort = new Uint16Array(5);
}
