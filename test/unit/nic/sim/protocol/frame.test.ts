// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { mappedAddress, parseAddress } from '#src/nic/sim/protocol/address.js';
import { DropCause, dropCauseNames } from '#src/nic/sim/protocol/drop-cause.js';
import {
  dataFits,
  encodedLength,
  encodeFrame,
  parseFrame,
  setAddresses,
  setPriority,
} from '#src/nic/sim/protocol/frame.js';
import { FrameRecord } from '#src/nic/sim/protocol/frame-record.js';
import { HomaType, headerSize, setDataOffset, startPacket } from '#src/nic/sim/protocol/homa-header.js';
import { Station } from '#src/nic/sim/protocol/station.js';
import { readCapture } from './pcap-reader.js';
import { runs } from './property-runs.js';

const vectors = (
  JSON.parse(readFileSync('test/fixtures/vectors/homa-vectors.json', 'utf8')) as {
    vectors: { key: string; frame: string }[];
  }
).vectors;
const vector = (key: string): Uint8Array =>
  new Uint8Array(Buffer.from(vectors.find((entry) => entry.key === key)!.frame, 'hex'));

function causeOf(bytes: Uint8Array, station: Station | null = null): string {
  return dropCauseNames[parseFrame(bytes, new FrameRecord(), station)]!;
}
function changed(bytes: Uint8Array, at: number, ...values: number[]): Uint8Array {
  const copy = bytes.slice();
  copy.set(values, at);
  return copy;
}

function serverStation(): Station {
  const station = new Station();
  station.macHi = 0x0200;
  station.macLo = 0x0b;
  station.ipv4 = 0x0a00000b;
  station.ipv6 = parseAddress('fd00::b')!;
  return station;
}

describe('parseFrame', function () {
  this.timeout(600_000);

  it('gives each kind of bad frame its cause, in the order of the checks', () => {
    expect(causeOf(new Uint8Array(13))).to.equal('shortFrame');
    expect(causeOf(changed(vector('A'), 12, 0x81, 0x00).subarray(0, 17))).to.equal('shortFrame');
    expect(causeOf(changed(vector('A'), 12, 0x08, 0x06))).to.equal('otherEtherType');
    expect(causeOf(changed(vector('A'), 14, 0x4e))).to.equal('badIpHeader');
    expect(causeOf(vector('A').subarray(0, 50))).to.equal('badIpHeader');
    expect(causeOf(changed(vector('A'), 18, 0xff))).to.equal('ipLength');
    expect(causeOf(vector('A').subarray(0, 173))).to.equal('ipLength');
    expect(causeOf(changed(vector('A'), 20, 17))).to.equal('otherProtocol');
    expect(causeOf(changed(vector('M'), 14, 0x44))).to.equal('badIpHeader');
    expect(causeOf(changed(vector('M'), 22, 63))).to.equal('badIpv4Checksum');
    expect(causeOf(changed(vector('M'), 20, 0x20, 0, 64, 146, 0x44, 0xec))).to.equal('fragment');
    expect(causeOf(changed(vector('A'), 18, 0, 27))).to.equal('shortHoma');
    expect(causeOf(changed(vector('A'), 65, 0x0f))).to.equal('unknownType');
    expect(causeOf(changed(vector('A'), 65, 0x19))).to.equal('unknownType');
    expect(causeOf(changed(vector('A'), 18, 0, 55))).to.equal('shortForType');
    expect(causeOf(changed(vector('A'), 18, 0, 56))).to.equal('ok');
  });

  it('accepts every type at its shortest and refuses one byte less; a RESEND may lack its priority', () => {
    const base = vector('J');
    for (let type = 0x10; type <= 0x18; type++) {
      const shortest = type === HomaType.resend ? 36 : headerSize(type);
      const frame = changed(base, 65, type);
      expect(causeOf(changed(frame, 18, 0, shortest))).to.equal('ok');
      expect(causeOf(changed(frame, 18, 0, shortest - 1))).to.equal(
        shortest === 28 ? 'shortHoma' : 'shortForType',
      );
    }
    const record = new FrameRecord();
    expect(parseFrame(changed(vector('E'), 18, 0, 36), record, null)).to.equal(DropCause.ok);
    expect([record.offset, record.length, record.priority]).to.deep.equal([1404, 1404, 7]);
  });

  it('takes TCP only with the exact signature', () => {
    expect(causeOf(vector('N'))).to.equal('ok');
    expect(causeOf(changed(vector('N'), 34 + 13, 0x02))).to.equal('otherProtocol');
    expect(causeOf(changed(vector('N'), 34 + 13, 0x07))).to.equal('otherProtocol');
    expect(causeOf(changed(vector('N'), 34 + 18, 0xb9, 0x7c))).to.equal('otherProtocol');
  });

  it('tolerates an 802.1Q tag, padding, IPv4 options and long control packets', () => {
    const tagged = new Uint8Array(178);
    tagged.set(vector('A').subarray(0, 12));
    tagged.set([0x81, 0x00, 0xe0, 0x05], 12);
    tagged.set(vector('A').subarray(12), 16);
    const record = new FrameRecord();
    expect(parseFrame(tagged, record, null)).to.equal(DropCause.ok);
    expect([record.vlanTag, record.messageLength, record.dataOffset]).to.deep.equal([0xe005, 64, 114]);
    expect(Buffer.from(encodeFrame(record, tagged, 114, 64)).equals(Buffer.from(tagged))).to.equal(true);

    const padded = new Uint8Array(200);
    padded.set(vector('M'));
    expect(parseFrame(padded, record, null)).to.equal(DropCause.ok);
    expect([record.vlanTag, record.dataLength]).to.deep.equal([-1, 64]);

    const long = changed(vector('J'), 65, HomaType.grant);
    expect(causeOf(long)).to.equal('ok');
  });

  it('masks priorities to three bits, counts at most five acks', () => {
    const record = new FrameRecord();
    parseFrame(changed(vector('D'), 86, 0xff), record, null);
    expect(record.priority).to.equal(7);
    parseFrame(changed(vector('J'), 82, 0xff, 0xff), record, null);
    expect(record.numAcks).to.equal(5);
  });

  it('knows its own addresses', () => {
    const station = serverStation();
    expect(causeOf(vector('A'), station)).to.equal('ok');
    expect(causeOf(vector('M'), station)).to.equal('ok');
    expect(causeOf(vector('B'), station)).to.equal('notOurs');
    station.ipv4 = 0x0a00000c;
    expect(causeOf(vector('M'), station)).to.equal('notOurs');
    station.ipv6 = Uint32Array.of(...parseAddress('fe80::1')!, ...parseAddress('fd00::c')!);
    expect(causeOf(vector('A'), station)).to.equal('notOurs');
    station.ipv6 = Uint32Array.of(...parseAddress('fe80::1')!, ...parseAddress('fd00::b')!);
    expect(causeOf(vector('A'), station)).to.equal('ok');
  });

  it('bounds: a packet must begin and end inside its message', () => {
    const record = new FrameRecord();
    const fits = (offset: number, dataLength: number): boolean => {
      record.offset = offset;
      record.dataLength = dataLength;
      return dataFits(record, 100);
    };
    expect([fits(0, 0), fits(0, 100), fits(99, 1)]).to.deep.equal([true, true, true]);
    expect([fits(100, 0), fits(0, 101), fits(0xfffffff0, 20)]).to.deep.equal([false, false, false]);
  });
});

const u32 = fc.nat(0xffffffff);
const u16 = fc.nat(0xffff);

describe('encodeFrame and parseFrame', function () {
  this.timeout(600_000);

  it('are inverse for every type, both families, any payload position', () => {
    const packet = fc.record({
      type: fc.integer({ min: 0x10, max: 0x18 }),
      ipv4: fc.boolean(),
      tag: fc.option(u16, { nil: -1 }),
      words: fc.array(u32, { minLength: 12, maxLength: 12 }),
      ports: fc.tuple(u16, u16, u16, u16),
      prio: fc.nat(7),
      numAcks: fc.nat(5),
      payload: fc.uint8Array({ minLength: 0, maxLength: 1500, size: 'max' }),
      cut: fc.nat(20),
    });
    fc.assert(
      fc.property(packet, (value) => {
        const record = new FrameRecord();
        const w = value.words;
        const addresses = value.ipv4
          ? [mappedAddress(w[0]!), mappedAddress(w[1]!)]
          : [
              Uint32Array.of(0xfd000000, w[0]!, w[1]!, w[2]!),
              Uint32Array.of(0xfd000000, w[3]!, w[4]!, w[5]!),
            ];
        setAddresses(record, addresses[0]!, addresses[1]!);
        record.vlanTag = value.tag;
        [record.sourceMacLo, record.destinationMacLo] = [w[6]!, w[7]!];
        [record.sourceMacHi, record.destinationMacHi] = [value.ports[0], value.ports[1]];
        startPacket(record, value.type as HomaType);
        setPriority(record, value.prio);
        [record.sourcePort, record.destinationPort, record.ackServerPort, record.cutoffVersion] = value.ports;
        [record.senderIdHi, record.senderIdLo, record.ackClientIdHi, record.ackClientIdLo] = w.slice(
          2,
          6,
        ) as [number, number, number, number];
        [record.messageLength, record.incoming] = [w[8]!, w[9]!];
        if (value.type === HomaType.data) setDataOffset(record, w[10]! >>> 1);
        record.offset = w[10]! >>> 1;
        record.length = w[11]! | 0;
        record.priority = value.prio;
        record.retransmit = value.numAcks & 1;
        record.numAcks = value.numAcks;
        for (let i = 0; i < 5; i++) {
          record.ackIdHi[i] = w[i]!;
          record.ackIdLo[i] = w[i + 1]!;
          record.ackPort[i] = w[i + 2]! & 0xffff;
        }
        for (let i = 0; i < 8; i++) record.cutoffs[i] = w[i]!;

        const start = Math.min(value.cut, value.payload.length);
        const length = value.type === HomaType.data ? value.payload.length - start : 0;
        const frame = encodeFrame(record, value.payload, start, length);
        expect(frame.length).to.equal(encodedLength(record, length));
        const back = new FrameRecord();
        expect(parseFrame(frame, back, null)).to.equal(DropCause.ok);
        const same: (keyof FrameRecord)[] = [
          'type',
          'sourcePort',
          'destinationPort',
          'senderIdHi',
          'senderIdLo',
        ];
        same.push(
          'prio',
          'doff',
          'vlanTag',
          'ipVersion',
          'sourceMacHi',
          'destinationMacLo',
          'source',
          'destination',
        );
        if (value.type === HomaType.data) {
          same.push(
            'messageLength',
            'incoming',
            'offset',
            'sequence',
            'segOffset',
            'retransmit',
            'cutoffVersion',
          );
          same.push('ackClientIdHi', 'ackClientIdLo', 'ackServerPort');
        }
        if (value.type === HomaType.grant) same.push('offset', 'priority');
        if (value.type === HomaType.resend) same.push('offset', 'length', 'priority');
        if (value.type === HomaType.cutoffs) same.push('cutoffs', 'cutoffVersion');
        if (value.type === HomaType.ack) same.push('numAcks');
        for (const key of same) expect(back[key], key).to.deep.equal(record[key]);
        if (value.type === HomaType.ack) {
          expect([...back.ackIdLo].slice(0, back.numAcks)).to.deep.equal(
            [...record.ackIdLo].slice(0, back.numAcks),
          );
          expect([...back.ackPort].slice(0, back.numAcks)).to.deep.equal(
            [...record.ackPort].slice(0, back.numAcks),
          );
        }
        expect(back.dataLength * Number(value.type === HomaType.data)).to.equal(length);
        if (length > 0) {
          const data = frame.subarray(back.dataOffset, back.dataOffset + back.dataLength);
          expect(Buffer.from(data).equals(Buffer.from(value.payload.subarray(start)))).to.equal(true);
        }
      }),
      { seed: 20261122, numRuns: runs(500) },
    );
  });
});

describe('parseFrame under fuzz', function () {
  this.timeout(300_000);

  it('never throws on mutated frames, always answers ok or a cause, and keeps payload inside the frame', () => {
    const rounds = runs(100_000);
    const seeds: Uint8Array[] = vectors.map((entry) => new Uint8Array(Buffer.from(entry.frame, 'hex')));
    seeds.push(...readCapture('test/fixtures/captures/5000B-drop-middle-ipv6.pcap'));
    const record = new FrameRecord();
    const station = serverStation();
    const seen = new Map<number, number>();
    let state = 12345;
    const draw = (bound: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 0x100000000) * bound);
    };
    for (let run = 0; run < rounds; run++) {
      const seed = seeds[draw(seeds.length)]!;
      let bytes: Uint8Array = seed.slice();
      for (let i = draw(4); i > 0; i--) bytes[draw(bytes.length)] = draw(256);
      if (draw(4) === 0) bytes = bytes.subarray(0, draw(bytes.length + 1));
      if (draw(16) === 0) for (let i = 0; i < bytes.length; i++) bytes[i] = draw(256);
      const cause = parseFrame(bytes, record, draw(2) === 0 ? null : station);
      seen.set(cause, (seen.get(cause) ?? 0) + 1);
      if (cause === DropCause.ok) {
        if (record.ipPayloadOffset + record.ipPayloadLength > bytes.length)
          expect.fail(`run ${run}: past the frame`);
        if (record.type === HomaType.data && record.dataOffset + record.dataLength > bytes.length) {
          expect.fail(`run ${run}: payload past the frame`);
        }
      }
    }
    expect([...seen.values()].reduce((a, b) => a + b, 0)).to.equal(rounds);
    const names = [...seen.keys()].map((cause) => dropCauseNames[cause]);
    expect(names).to.include.members([
      'ok',
      'notOurs',
      'shortFrame',
      'badIpHeader',
      'badIpv4Checksum',
      'ipLength',
    ]);
    expect(names).to.include.members([
      'otherEtherType',
      'otherProtocol',
      'shortHoma',
      'unknownType',
      'shortForType',
    ]);
    expect(names).to.not.include(undefined);
  });
});
