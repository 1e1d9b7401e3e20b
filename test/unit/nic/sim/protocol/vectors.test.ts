// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { DropCause } from '#src/nic/sim/protocol/drop-cause.js';
import { frameCheckSequence } from '#src/nic/sim/protocol/fcs.js';
import { encodeFrame, parseFrame, setAddresses, setPriority } from '#src/nic/sim/protocol/frame.js';
import { FrameRecord } from '#src/nic/sim/protocol/frame-record.js';
import {
  type HomaType,
  homaTypeName,
  homaTypeNames,
  startPacket,
} from '#src/nic/sim/protocol/homa-header.js';
import { parseAddress } from '#src/nic/sim/protocol/address.js';

interface Vector {
  key: string;
  title: string;
  frame: string;
  fcs: string;
  bytes: number;
  fields: Record<string, unknown>;
}
const file = JSON.parse(readFileSync('test/fixtures/vectors/homa-vectors.json', 'utf8')) as {
  vectors: Vector[];
};

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
const id = (hi: number, lo: number): bigint => (BigInt(hi) << 32n) | BigInt(lo);
const number = (value: unknown): bigint => BigInt(value as string | number);

/** What the record says about a field of the vector file, in the file's own notation. */
function field(record: FrameRecord, name: string): unknown {
  const get: Record<string, () => unknown> = {
    type: () => homaTypeName(record.type),
    prio: () => record.prio,
    sport: () => record.sourcePort,
    dport: () => record.destinationPort,
    sender_id: () => id(record.senderIdHi, record.senderIdLo),
    local_id: () => id(record.senderIdHi, record.localIdLo),
    doff: () => record.doff,
    flags: () => record.flags,
    urgent: () => BigInt(record.urgent),
    message_length: () => record.messageLength,
    incoming: () => record.incoming,
    ack_client_id: () => id(record.ackClientIdHi, record.ackClientIdLo),
    ack_server_port: () => record.ackServerPort,
    cutoff_version: () => record.cutoffVersion,
    retransmit: () => record.retransmit,
    seg_offset: () => BigInt(record.segOffset),
    sequence: () => record.sequence,
    offset: () => record.offset,
    data_len: () => record.dataLength,
    length: () => record.length,
    priority: () => record.priority,
    num_acks: () => record.numAcks,
    cutoffs: () => [...record.cutoffs],
    acks: () =>
      Array.from({ length: record.numAcks }, (_, i) => [
        hex(record.ackIdHi[i]!, 8) + hex(record.ackIdLo[i]!, 8),
        record.ackPort[i],
      ]),
  };
  if (get[name] === undefined)
    throw new Error(`the vector file has a field this test does not know: ${name}`);
  return get[name]();
}

/** A record made from the listed fields and the hosts of the examples alone, not from the frame. */
function build(vector: Vector): FrameRecord {
  const record = new FrameRecord();
  const fields = vector.fields;
  const get = (name: string): number => Number(fields[name] ?? 0);
  const fromClient = get('sport') === 32768;
  const ipv4 = vector.key === 'M' || vector.key === 'N';
  const client = parseAddress(ipv4 ? '10.0.0.10' : 'fd00::a')!;
  const server = parseAddress(ipv4 ? '10.0.0.11' : 'fd00::b')!;
  setAddresses(record, fromClient ? client : server, fromClient ? server : client);
  record.ipProtocol = vector.key === 'N' ? 6 : 146;
  record.sourceMacHi = record.destinationMacHi = 0x0200;
  record.sourceMacLo = fromClient ? 0x0a : 0x0b;
  record.destinationMacLo = fromClient ? 0x0b : 0x0a;
  startPacket(record, (0x10 + homaTypeNames.indexOf(fields['type'] as string)) as HomaType);
  setPriority(record, get('prio'));
  record.doff = get('doff');
  record.sourcePort = get('sport');
  record.destinationPort = get('dport');
  const sender = BigInt(fields['sender_id'] as string);
  record.senderIdHi = Number(sender >> 32n);
  record.senderIdLo = Number(sender & 0xffffffffn);
  record.messageLength = get('message_length');
  record.incoming = get('incoming');
  const ack = BigInt((fields['ack_client_id'] as string | undefined) ?? 0);
  record.ackClientIdHi = Number(ack >> 32n);
  record.ackClientIdLo = Number(ack & 0xffffffffn);
  record.ackServerPort = get('ack_server_port');
  record.cutoffVersion = get('cutoff_version');
  record.retransmit = get('retransmit');
  record.sequence = get('sequence');
  record.segOffset = get('seg_offset');
  record.offset = get('offset');
  record.length = get('length');
  record.priority = get('priority');
  record.numAcks = get('num_acks');
  ((fields['acks'] ?? []) as [string, number][]).forEach(([ackId, port], i) => {
    record.ackIdHi[i] = Number.parseInt(ackId.slice(0, 8), 16);
    record.ackIdLo[i] = Number.parseInt(ackId.slice(8), 16);
    record.ackPort[i] = port;
  });
  record.cutoffs.set((fields['cutoffs'] ?? []) as number[]);
  return record;
}

describe('worked frames (homa-vectors.json)', () => {
  it('holds the sixteen vectors', () => {
    expect(file.vectors.map((vector) => vector.key).join('')).to.equal('ABCDEFGHIJKLMNOQ');
  });

  for (const vector of file.vectors) {
    const bytes = new Uint8Array(Buffer.from(vector.frame, 'hex'));

    it(`${vector.key} decodes: ${vector.title}`, () => {
      const record = new FrameRecord();
      expect(parseFrame(bytes, record, null)).to.equal(DropCause.ok);
      expect(bytes.length).to.equal(vector.bytes);
      for (const [name, expected] of Object.entries(vector.fields)) {
        const got = field(record, name);
        expect(got, name).to.deep.equal(typeof got === 'bigint' ? number(expected) : expected);
      }
      expect(record.hijacked).to.equal(vector.key === 'N');
    });

    it(`${vector.key} encodes byte for byte from its listed fields`, () => {
      const payload = bytes.subarray(bytes.length - Number(vector.fields['data_len'] ?? 0));
      const again = encodeFrame(build(vector), payload, 0, payload.length);
      expect(Buffer.from(again).toString('hex')).to.equal(vector.frame);
    });

    it(`${vector.key} has the listed frame check sequence`, () => {
      const fcs = Buffer.alloc(4);
      fcs.writeUInt32LE(frameCheckSequence(bytes));
      expect(fcs.toString('hex')).to.equal(vector.fcs);
    });
  }
});
