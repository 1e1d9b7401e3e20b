// SPDX-License-Identifier: Apache-2.0
// Every recording of two Linux hosts, replayed at the card in either role: the other host's frames go in, and what the
// card sends must agree with what the host sent in type, order, offsets, lengths, priorities and acks. Times differ,
// and so do four things on purpose (docs/protocol.md#deviations): both offsets are written, checksums are finished, no
// GRANT without increment is sent, and ids and client ports are the card's own (translated here).
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { CallFlag, ResultFlag, UserCall } from '#src/nic/regs.js';
import { FrameRecord } from '#src/nic/sim/protocol/frame-record.js';
import { parseFrame } from '#src/nic/sim/protocol/frame.js';
import { homaTypeName, HomaType } from '#src/nic/sim/protocol/homa-header.js';
import { Bench, Host } from './bench.js';
import { readCapture } from './protocol/pcap-reader.js';

const NAMES = [
  'first-contact-ipv6',
  '64B-ipv6',
  '64B-ipv4',
  '5000B-ipv6',
  '100kB-ipv6',
  '5000B-drop-middle-ipv6',
];
const OWN_CLIENT_PORT = 0x8001;
const FIRST_OWN_ID = 2;

interface Step {
  frame: Uint8Array;
  fromA: boolean;
  dropped: boolean;
  record: FrameRecord;
}

function read(name: string): Step[] {
  const listing = readFileSync(`test/fixtures/captures/${name}.txt`, 'utf8').trimEnd().split('\n');
  return readCapture(`test/fixtures/captures/${name}.pcap`).map((frame, i) => {
    const record = new FrameRecord();
    expect(parseFrame(frame, record, null)).to.equal(0);
    return { frame, record, fromA: frame[11] === 1, dropped: listing[i]!.includes('[DROPPED]') };
  });
}

/** The fields that have to agree, with the client's id and port as they are in the recording. */
function fields(record: FrameRecord, idShift: number): Record<string, unknown> {
  const id = record.senderIdLo + idShift;
  const all: Record<string, unknown> = { type: homaTypeName(record.type), id, tos: record.trafficClass };
  if (record.type === HomaType.data) {
    const { offset, dataLength, messageLength, incoming, cutoffVersion, retransmit, ackClientIdLo } = record;
    const ack =
      ackClientIdLo === 0 ? 'none' : `${String(ackClientIdLo + idShift)} ${String(record.ackServerPort)}`;
    return { ...all, offset, dataLength, messageLength, incoming, cutoffVersion, retransmit, ack };
  }
  if (record.type === HomaType.grant) return { ...all, offset: record.offset, priority: record.priority };
  if (record.type === HomaType.resend) {
    return { ...all, offset: record.offset, length: record.length, priority: record.priority };
  }
  if (record.type === HomaType.cutoffs) {
    return { ...all, cutoffs: [...record.cutoffs].join(), version: record.cutoffVersion };
  }
  if (record.type === HomaType.ack) {
    const acks = Array.from(
      { length: record.numAcks },
      (_, i) => `${String(record.ackIdLo[i]! + idShift)} ${String(record.ackPort[i]!)}`,
    );
    return { ...all, acks };
  }
  return all;
}

/** Without GRANTs that raise nothing: HomaModule sends them, the card does not. */
function withoutEmptyGrants(records: FrameRecord[]): FrameRecord[] {
  const highest = new Map<number, number>();
  return records.filter((record) => {
    if (record.type !== HomaType.grant) return true;
    const before = highest.get(record.senderIdLo) ?? -1;
    highest.set(record.senderIdLo, Math.max(before, record.offset));
    return record.offset > before;
  });
}

/** Changes the recording's client port and ids in a frame that goes into the card. */
function translate(
  frame: Uint8Array,
  record: FrameRecord,
  toPort: number,
  fromPort: number,
  idShift: number,
): Uint8Array {
  const copy = frame.slice();
  const view = new DataView(copy.buffer);
  const at = record.ipPayloadOffset;
  if (view.getUint16(at) === fromPort) view.setUint16(at, toPort);
  if (view.getUint16(at + 2) === fromPort) view.setUint16(at + 2, toPort);
  view.setUint32(at + 24, view.getUint32(at + 24) + idShift);
  if (record.type === HomaType.data && record.ackClientIdLo !== 0) {
    view.setUint32(at + 40, view.getUint32(at + 40) + idShift);
  }
  for (let i = 0; record.type === HomaType.ack && i < record.numAcks; i++) {
    view.setUint32(at + 30 + 10 * i + 4, record.ackIdLo[i]! + idShift);
  }
  return copy;
}

function replay(name: string, asClient: boolean): void {
  const steps = read(name);
  const own = (step: Step): boolean => step.fromA === asClient;
  const clientPort = steps[0]!.record.sourcePort;
  const serverPort = steps[0]!.record.destinationPort;
  const idShift = asClient ? FIRST_OWN_ID - steps[0]!.record.senderIdLo : 0;

  const bench = new Bench();
  const host = bench.addHost();
  const record = steps.find(own)!.record;
  const address = (words: Uint32Array): Uint8Array => {
    const bytes = new Uint8Array(16);
    words.forEach((word, i) => new DataView(bytes.buffer).setUint32(4 * i, word));
    return bytes;
  };
  host.mac.set([2, 0x48, 0x4f, 0x4d, 0x41, asClient ? 1 : 2]);
  host.ipv4.set(record.ipVersion === 4 ? address(record.source) : host.ipv4);
  host.ipv6.set(record.ipVersion === 6 ? address(record.source) : host.ipv6);
  host.configure().open(1, asClient ? undefined : serverPort);
  const peer = new Host(bench, {}, 7);
  peer.mac.set([2, 0x48, 0x4f, 0x4d, 0x41, asClient ? 2 : 1]);
  (record.ipVersion === 4 ? peer.ipv4 : peer.ipv6).set(address(record.destination));
  host.knows(peer);
  bench.wire = () => undefined;
  // Except in the first contact the hosts knew each other's cutoffs: they are told to the card before.
  if (name !== 'first-contact-ipv6') host.nic.frameIn(cutoffsFrom(steps, own));
  bench.run(1e6);
  host.frames.length = 0;

  const sent = (): FrameRecord[] =>
    host.frames.map(({ frame }) => {
      const got = new FrameRecord();
      expect(parseFrame(frame, got, null)).to.equal(0);
      return got;
    });
  const wanted = withoutEmptyGrants(steps.filter(own).map((step) => step.record));
  const started = new Set<number>();
  let slot = 1;
  let due = 0;
  for (const step of steps) {
    if (own(step)) {
      const { senderIdLo, messageLength, type } = step.record;
      if (type === HomaType.data && !started.has(senderIdLo)) {
        started.add(senderIdLo);
        slot += 1;
        if (asClient) {
          host.call(1, UserCall.recvmsg, {
            slot: 100 + slot,
            size: messageLength,
            flags: CallFlag.matchResponses,
          });
          const to = record.ipVersion === 4 ? peer.ipv4 : peer.ipv6;
          host.call(1, UserCall.sendmsg, { slot, size: messageLength, peer: to, peerPort: serverPort });
        } else {
          // The request lies in the pool: it is taken and answered with as many bytes.
          host.call(1, UserCall.recvmsg, { slot: 100 + slot, size: 0 });
          const request = host.wait(1, 100 + slot, ResultFlag.final, 1e9);
          const { id, peerPort } = request;
          const to = request.bytes.slice(20, 36);
          host.call(1, UserCall.sendmsg, { slot, size: messageLength, id, peer: to, peerPort });
          host.call(1, UserCall.release, { slot: 200 + (slot % 50), buffAddr: request.buffAddr });
        }
      }
      if (wanted.includes(step.record)) due++;
      bench.run(2e11, () => withoutEmptyGrants(sent()).length >= due);
      continue;
    }
    if (step.dropped) continue;
    host.nic.frameIn(
      asClient ? translate(step.frame, step.record, OWN_CLIENT_PORT, clientPort, idShift) : step.frame,
    );
    bench.run(2e6);
  }
  bench.run(2e9);
  expect(withoutEmptyGrants(sent()).map((got) => fields(got, -idShift))).to.deep.equal(
    wanted.map((want) => fields(want, 0)),
  );
  expect(host.nic.liveState().rpcs).to.equal(0);
  expect(host.violations).to.deep.equal([]);
}

/** A CUTOFFS packet of the other host with the default cutoffs, made from one of its frames. */
function cutoffsFrom(steps: Step[], own: (step: Step) => boolean): Uint8Array {
  const model = steps.find((step) => !own(step))!;
  const cutoffs = read(model.record.ipVersion === 4 ? '64B-ipv4' : 'first-contact-ipv6');
  const base = cutoffs.find((step) => step.fromA === model.fromA)!.frame;
  const at = model.record.ipPayloadOffset;
  const bytes = new Uint8Array(at + 62);
  bytes.set(base.subarray(0, at + 28));
  const view = new DataView(bytes.buffer);
  // To a port that is open here; CUTOFFS need no RPC.
  view.setUint16(at + 2, model.fromA ? model.record.destinationPort : OWN_CLIENT_PORT);
  bytes[at + 11] = 0x15;
  [0, 0, 0, 0, 1_000_000, 15_000, 2_800, 200].forEach((value, i) => view.setUint32(at + 28 + 4 * i, value));
  view.setUint16(at + 60, 1);
  if (model.record.ipVersion === 6) view.setUint16(18, 62);
  else {
    view.setUint16(16, 82);
    view.setUint16(24, 0);
    let sum = 0;
    for (let i = 14; i < 34; i += 2) sum += view.getUint16(i);
    sum = (sum & 0xffff) + (sum >>> 16);
    view.setUint16(24, ~((sum & 0xffff) + (sum >>> 16)) & 0xffff);
  }
  return bytes;
}

describe('captures: the card in the place of a Linux host', () => {
  for (const name of NAMES) {
    it(`answers as the client did in ${name}`, () => replay(name, true));
    it(`answers as the server did in ${name}`, () => replay(name, false));
  }
});
