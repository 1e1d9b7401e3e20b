// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { DropCause } from '#src/nic/sim/protocol/drop-cause.js';
import { encodeFrame, parseFrame } from '#src/nic/sim/protocol/frame.js';
import { FrameRecord } from '#src/nic/sim/protocol/frame-record.js';
import { HomaType, homaTypeName } from '#src/nic/sim/protocol/homa-header.js';
import { readCapture } from './pcap-reader.js';

const folder = 'test/fixtures/captures';
const captures: Record<string, number> = {
  'first-contact-ipv6': 6,
  '64B-ipv6': 12,
  '64B-ipv4': 12,
  '5000B-ipv6': 10,
  '100kB-ipv6': 154,
  '5000B-drop-middle-ipv6': 14,
};

function typeFields(record: FrameRecord): string {
  const id = (hi: number, lo: number): bigint => (BigInt(hi) << 32n) | BigInt(lo);
  switch (record.type) {
    case HomaType.data: {
      const ackId = id(record.ackClientIdHi, record.ackClientIdLo);
      const ack = ackId === 0n ? '' : ` ack id ${ackId} port ${record.ackServerPort}`;
      const retransmit = record.retransmit === 1 ? ' RETRANSMIT' : '';
      return (
        `off ${record.offset} len ${record.dataLength} msg ${record.messageLength} incoming ${record.incoming} ` +
        `cutoff_version ${record.cutoffVersion}${retransmit} seg.offset ${record.segOffset | 0}${ack}`
      );
    }
    case HomaType.grant:
      return `offset ${record.offset} prio ${record.priority}`;
    case HomaType.resend:
      return `offset ${record.offset} length ${record.length} prio ${record.priority}`;
    case HomaType.cutoffs:
      return `cutoffs [${[...record.cutoffs].join(', ')}] version ${record.cutoffVersion}`;
    case HomaType.ack: {
      const acks = Array.from({ length: record.numAcks }, (_, i) => {
        return `(${id(record.ackIdHi[i]!, record.ackIdLo[i]!)}, ${record.ackPort[i]})`;
      });
      return `num_acks ${record.numAcks} [${acks.join(', ')}]`;
    }
    default:
      return '';
  }
}

/** A frame in the notation of the listings, without number, time and marks of the network. */
function listed(bytes: Uint8Array, record: FrameRecord): string {
  const sender = record.sourceMacLo === 0x4f4d4101 ? 'A>' : 'B>';
  const id = (BigInt(record.senderIdHi) << 32n) | BigInt(record.senderIdLo);
  const tos = record.trafficClass.toString(16).padStart(2, '0');
  return (
    `${sender} ${bytes.length} B IPv${record.ipVersion} tos ${tos} ${record.sourcePort}>${record.destinationPort} ` +
    `id ${id} ${homaTypeName(record.type)} ${typeFields(record)}`
  ).trim();
}

describe('captured frames of HomaModule hosts', () => {
  for (const [name, count] of Object.entries(captures)) {
    it(`${name}: ${count} frames decode as their listing says`, () => {
      const lines = readFileSync(`${folder}/${name}.txt`, 'utf8').trim().split('\n');
      const frames = readCapture(`${folder}/${name}.pcap`);
      expect(frames.length).to.equal(count);
      expect(lines.length).to.equal(count);
      const record = new FrameRecord();
      frames.forEach((bytes, i) => {
        expect(parseFrame(bytes, record, null)).to.equal(DropCause.ok);
        const line = lines[i]!.replace(/^\s*\d+\s+[\d.]+ ms\s+/, '')
          .replace(/\s+\[(DROPPED|DUPLICATED|DELAYED|x2)[^\]]*\]/g, '')
          .replace(/\s+/g, ' ')
          .trim();
        expect(listed(bytes, record)).to.equal(line);
      });
    });

    it(`${name}: frames encode to the same bytes, but for the checksum that the capture leaves unfinished`, () => {
      const record = new FrameRecord();
      for (const bytes of readCapture(`${folder}/${name}.pcap`)) {
        parseFrame(bytes, record, null);
        const again = encodeFrame(record, bytes, record.dataOffset, record.dataLength);
        const at = record.ipPayloadOffset + 16;
        again.set(bytes.subarray(at, at + 2), at);
        expect(Buffer.from(again).equals(Buffer.from(bytes))).to.equal(true);
      }
    });
  }
});
