// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { mappedAddress, parseAddress } from '#src/nic/sim/protocol/address.js';
import { foldChecksum, sumBytes } from '#src/nic/sim/protocol/checksum.js';
import { DropCause } from '#src/nic/sim/protocol/drop-cause.js';
import { parseFrame } from '#src/nic/sim/protocol/frame.js';
import { FrameRecord } from '#src/nic/sim/protocol/frame-record.js';
import { IcmpVerdict, portUnreachable } from '#src/nic/sim/protocol/icmp.js';
import { defaultNeighbourSettings, NeighbourFrame, Neighbours } from '#src/nic/sim/protocol/neighbour.js';
import { Station } from '#src/nic/sim/protocol/station.js';
import { runs } from './property-runs.js';

const vectors = (
  JSON.parse(readFileSync('test/fixtures/vectors/homa-vectors.json', 'utf8')) as {
    vectors: { key: string; frame: string }[];
  }
).vectors;
const vector = (key: string): Uint8Array =>
  new Uint8Array(Buffer.from(vectors.find((entry) => entry.key === key)!.frame, 'hex'));
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const settings = {
  ...defaultNeighbourSettings,
  queueFrames: 3,
  retryInterval: 100,
  lifetime: 1000,
  maxEntries: 8,
};

class Host {
  readonly station = new Station();
  readonly sent: Uint8Array[] = [];
  readonly lost: number[] = [];
  readonly found: number[] = [];
  readonly neighbours: Neighbours;
  readonly record = new FrameRecord();

  constructor(last: number) {
    this.station.macHi = 0x0200;
    this.station.macLo = last;
    this.station.ipv4 = 0x0a000000 + last;
    this.station.ipv6 = Uint32Array.of(
      ...parseAddress(`fe80::${last.toString(16)}`)!,
      ...parseAddress(`fd00::${last.toString(16)}`)!,
    );
    this.neighbours = new Neighbours(this.station, settings, (bytes) => this.sent.push(bytes));
    this.neighbours.onUnreachable = (entry) => this.lost.push(entry);
    this.neighbours.onKnown = (entry) => this.found.push(entry);
  }
  /** As the card does: parse, and hand to the neighbours what is not Homa. */
  receive(bytes: Uint8Array): NeighbourFrame | 'homa' | 'dropped' {
    const cause = parseFrame(bytes, this.record, this.station);
    if (cause === DropCause.ok) return 'homa';
    const other = cause === DropCause.otherEtherType || cause === DropCause.otherProtocol;
    return other ? this.neighbours.frameIn(bytes, this.record) : 'dropped';
  }
  take(): Uint8Array[] {
    return this.sent.splice(0);
  }
}

describe('neighbours', function () {
  this.timeout(600_000);

  for (const [family, address, packet] of [
    ['ARP', '10.0.0.11', 'M'],
    ['neighbour discovery', 'fd00::b', 'A'],
  ] as const) {
    it(`are found by ${family}: asked once, frames kept in order, then sent to the answered MAC`, () => {
      const a = new Host(0x0a);
      const b = new Host(0x0b);
      const entry = a.neighbours.entryFor(parseAddress(address)!);
      for (const mark of [1, 2, 3, 4]) {
        const frame = vector(packet);
        frame.fill(0, 0, 6);
        frame[frame.length - 1] = mark;
        a.neighbours.output(entry, frame);
      }
      expect(a.neighbours.dropped).to.equal(1);
      const [question, ...more] = a.take();
      expect(more.length).to.equal(0);
      expect(b.receive(question!)).to.equal(family === 'ARP' ? NeighbourFrame.arp : NeighbourFrame.discovery);
      const [answer] = b.take();
      expect(a.neighbours.isKnown(entry)).to.equal(false);
      a.receive(answer!);
      const out = a.take();
      expect(out.map((frame) => frame.at(-1))).to.deep.equal([2, 3, 4]);
      for (const frame of out) {
        expect(hex(frame.subarray(0, 6))).to.equal('02000000000b');
        expect(b.receive(frame)).to.equal('homa');
      }
      expect(a.neighbours.nextEvent).to.equal(Infinity);
    });

    it(`${family}: an address that does not answer is asked three times and given up`, () => {
      const a = new Host(0x0a);
      const entry = a.neighbours.entryFor(parseAddress(address)!);
      a.neighbours.output(entry, vector(packet));
      const asked: number[] = [];
      for (let now = 0; now <= 400; now += 10) {
        a.neighbours.tick(now);
        if (a.take().length > 0) asked.push(now);
      }
      expect(asked).to.deep.equal([0, 100, 200]);
      expect(a.lost).to.deep.equal([entry]);
      expect(a.neighbours.dropped).to.equal(1);
      expect(a.neighbours.nextEvent).to.equal(Infinity);
      a.neighbours.output(entry, vector(packet));
      expect(a.take().length).to.equal(1);
    });
  }

  it('writes the ARP request and answer that every host expects', () => {
    const a = new Host(0x0a);
    const b = new Host(0x0b);
    a.neighbours.output(a.neighbours.entryFor(mappedAddress(0x0a00000b)), vector('M'));
    const question = a.take()[0]!;
    const padding = '00'.repeat(18);
    expect(hex(question)).to.equal(
      `ffffffffffff02000000000a08060001080006040001${'02000000000a0a00000a'}${'0000000000000a00000b'}${padding}`,
    );
    b.receive(question);
    expect(hex(b.take()[0]!)).to.equal(
      `02000000000a02000000000b08060001080006040002${'02000000000b0a00000b'}${'02000000000a0a00000a'}${padding}`,
    );
  });

  it('writes the solicitation and advertisement that every host expects', () => {
    const a = new Host(0x0a);
    const b = new Host(0x0b);
    a.neighbours.output(a.neighbours.entryFor(parseAddress('fd00::b')!), vector('A'));
    const question = a.take()[0]!;
    expect(hex(question).replace(/(.{112}).{4}/, '$1....')).to.equal(
      '3333ff00000b02000000000a86dd' +
        '6000000000203affFD00000000000000000000000000000aff0200000000000000000001ff00000b'.toLowerCase() +
        '8700....00000000fd00000000000000000000000000000b010102000000000a',
    );
    b.receive(question);
    const answer = b.take()[0]!;
    expect(hex(answer).replace(/(.{112}).{4}/, '$1....')).to.equal(
      '02000000000a02000000000b86dd' +
        '6000000000203afffd00000000000000000000000000000bfd00000000000000000000000000000a' +
        '8800....60000000fd00000000000000000000000000000b020102000000000b',
    );
    for (const frame of [question, answer]) {
      const pseudo = sumBytes(frame, 22, 54) + 32 + 58;
      expect(foldChecksum(sumBytes(frame, 54, frame.length, pseudo))).to.equal(0);
    }
  });

  it('answers duplicate address detection to all nodes, unsolicited', () => {
    const b = new Host(0x0b);
    const a = new Host(0x0a);
    a.neighbours.output(a.neighbours.entryFor(parseAddress('fd00::b')!), vector('A'));
    const question = a.take()[0]!;
    question.fill(0, 22, 38);
    question[56] = question[57] = 0;
    const sum = foldChecksum(sumBytes(question, 54, question.length, sumBytes(question, 22, 54) + 32 + 58));
    question.set([sum >>> 8, sum & 255], 56);
    expect(b.receive(question)).to.equal(NeighbourFrame.discovery);
    const answer = b.take()[0]!;
    expect(hex(answer.subarray(0, 6))).to.equal('333300000001');
    expect(answer[58]).to.equal(0x20);
  });

  it('asks from the address of the same scope', () => {
    const a = new Host(0x0a);
    a.neighbours.output(a.neighbours.entryFor(parseAddress('fe80::b')!), vector('A'));
    parseFrame(a.take()[0]!, a.record, null);
    expect([...a.record.source]).to.deep.equal([...parseAddress('fe80::a')!]);
  });

  it('never asks for a static entry, and ignores news about it', () => {
    const a = new Host(0x0a);
    const b = new Host(0x0b);
    expect(a.neighbours.setStatic(mappedAddress(0x0a00000b), 0x0200, 0x77)).to.equal(true);
    const entry = a.neighbours.entryFor(mappedAddress(0x0a00000b));
    b.neighbours.output(b.neighbours.entryFor(mappedAddress(0x0a00000a)), vector('M'));
    a.receive(b.take()[0]!);
    a.take();
    a.neighbours.tick(1e9);
    a.neighbours.output(entry, vector('M'));
    const sent = a.take();
    expect(sent.length).to.equal(1);
    expect(hex(sent[0]!.subarray(0, 6))).to.equal('020000000077');
  });

  it('learns from the question of a host it wants to talk to, and asks again after the lifetime', () => {
    const a = new Host(0x0a);
    const b = new Host(0x0b);
    const entry = a.neighbours.entryFor(mappedAddress(0x0a00000b));
    b.neighbours.output(b.neighbours.entryFor(mappedAddress(0x0a00000a)), vector('M'));
    a.receive(b.take()[0]!);
    expect(a.neighbours.isKnown(entry)).to.equal(true);
    a.take();
    a.neighbours.tick(1001);
    a.neighbours.output(entry, vector('M'));
    a.neighbours.output(entry, vector('M'));
    const sent = a.take();
    expect(sent.length).to.equal(3);
    expect(b.receive(sent[1]!)).to.equal(NeighbourFrame.arp);
  });

  it('can be asked without a frame, and tells when the answer is there', () => {
    const a = new Host(0x0a);
    const b = new Host(0x0b);
    const entry = a.neighbours.entryFor(parseAddress('fd00::b')!);
    expect([a.neighbours.resolve(entry), a.neighbours.resolve(entry)]).to.deep.equal([false, false]);
    const questions = a.take();
    expect(questions.length).to.equal(1);
    b.receive(questions[0]!);
    a.receive(b.take()[0]!);
    expect(a.found).to.deep.equal([entry]);
    expect([a.neighbours.macHi(entry), a.neighbours.macLo(entry)]).to.deep.equal([0x0200, 0x0b]);
    expect(a.neighbours.resolve(entry)).to.equal(true);
    expect(a.take().length).to.equal(0);
  });

  it('has a bounded table', () => {
    const a = new Host(0x0a);
    const entries = Array.from({ length: 9 }, (_, i) => a.neighbours.entryFor(mappedAddress(i + 1)));
    expect(entries).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7, -1]);
    expect(a.neighbours.setStatic(mappedAddress(99), 0x0200, 1)).to.equal(false);
  });
});

describe('ICMP', function () {
  this.timeout(600_000);

  /** An echo request as text tools show it: built from numbers, checksums by the checksum function. */
  function echoRequest(ipv4: boolean): Uint8Array {
    const ip = ipv4
      ? '4500002800010000400100000a00000a0a00000b'
      : '6000000000143a40fd00000000000000000000000000000afd00000000000000000000000000000b';
    const body = `${ipv4 ? '0800' : '8000'}0000123400017061796c6f61642121212121`.slice(0, 40);
    const bytes = new Uint8Array(
      Buffer.from(`02000000000b02000000000a${ipv4 ? '0800' : '86dd'}${ip}${body}`, 'hex'),
    );
    const at = ipv4 ? 34 : 54;
    if (ipv4) {
      const header = foldChecksum(sumBytes(bytes, 14, 34));
      bytes.set([header >>> 8, header & 255], 24);
    }
    const pseudo = ipv4 ? 0 : sumBytes(bytes, 22, 54) + 20 + 58;
    const sum = foldChecksum(sumBytes(bytes, at, bytes.length, pseudo));
    bytes.set([sum >>> 8, sum & 255], at + 2);
    return bytes;
  }

  for (const ipv4 of [true, false]) {
    const name = ipv4 ? 'ICMP' : 'ICMPv6';
    it(`${name} echo is answered with the same bytes to the sender`, () => {
      const b = new Host(0x0b);
      const request = echoRequest(ipv4);
      expect(b.receive(request)).to.equal(NeighbourFrame.echo);
      const reply = b.take()[0]!;
      const at = ipv4 ? 34 : 54;
      const a = new Host(0x0a);
      parseFrame(reply, a.record, a.station);
      expect(hex(reply.subarray(0, 12))).to.equal('02000000000a02000000000b');
      expect(a.station.hasAddress(a.record.destination)).to.equal(true);
      expect(reply[at]).to.equal(ipv4 ? 0 : 129);
      expect(hex(reply.subarray(at + 4))).to.equal(hex(request.subarray(at + 4)));
      expect(a.receive(reply)).to.equal(NeighbourFrame.ignored);
      request[at + 5]! ^= 1;
      expect(b.receive(request)).to.equal(NeighbourFrame.ignored);
    });

    it(`${name} port unreachable is understood by the host whose packet it quotes`, () => {
      const a = new Host(0x0a);
      const b = new Host(0x0b);
      const packet = vector(ipv4 ? 'M' : 'A');
      expect(b.receive(packet)).to.equal('homa');
      const error = portUnreachable(packet, b.record, b.station);
      const ip = ipv4 ? 34 : 54;
      expect([...error.subarray(ip, ip + 2)]).to.deep.equal(ipv4 ? [3, 3] : [1, 4]);
      expect(hex(error.subarray(ip + 8))).to.equal(hex(packet.subarray(14)));
      expect(a.receive(error)).to.equal(NeighbourFrame.error);
      const { verdict, peer, sourcePort, destinationPort, hasId, senderIdHi, senderIdLo } =
        a.neighbours.error;
      expect(verdict).to.equal(IcmpVerdict.portUnreachable);
      expect([...peer]).to.deep.equal([...parseAddress(ipv4 ? '10.0.0.11' : 'fd00::b')!]);
      expect([sourcePort, destinationPort, hasId]).to.deep.equal([32768, 4000, true]);
      expect([senderIdHi, senderIdLo]).to.deep.equal([0x01020304, 0x05060708]);
      expect(new Host(0x0c).receive(error)).to.equal('dropped');
    });

    it(`${name} verdicts follow type and code`, () => {
      const a = new Host(0x0a);
      const b = new Host(0x0b);
      const packet = vector(ipv4 ? 'M' : 'A');
      b.receive(packet);
      const verdict = (type: number, code: number): number => {
        const error = portUnreachable(packet, b.record, b.station);
        const at = ipv4 ? 34 : 54;
        error.set([type, code, 0, 0], at);
        const pseudo = ipv4 ? 0 : sumBytes(error, 22, 54) + error.length - 54 + 58;
        const sum = foldChecksum(sumBytes(error, at, error.length, pseudo));
        error.set([sum >>> 8, sum & 255], at + 2);
        return a.receive(error) === NeighbourFrame.error ? a.neighbours.error.verdict : 0;
      };
      const table = ipv4
        ? [verdict(3, 3), verdict(3, 2), verdict(3, 1), verdict(3, 0), verdict(11, 0), verdict(5, 0)]
        : [verdict(1, 4), verdict(4, 1), verdict(1, 0), verdict(1, 3), verdict(3, 0), verdict(2, 0)];
      expect(table).to.deep.equal([1, 3, 2, 2, 0, 0]);
    });
  }

  it('quotes long packets up to the limit of error packets', () => {
    const b = new Host(0x0b);
    const long = new Uint8Array(1514);
    long.set(vector('A'));
    long.set([(1514 - 54) >>> 8, (1514 - 54) & 255], 18);
    expect(b.receive(long)).to.equal('homa');
    expect(portUnreachable(long, b.record, b.station).length).to.equal(14 + 1280);
  });

  it('never throws, whatever comes', () => {
    const a = new Host(0x0a);
    const b = new Host(0x0b);
    b.neighbours.output(b.neighbours.entryFor(parseAddress('fd00::a')!), vector('A'));
    b.neighbours.output(b.neighbours.entryFor(mappedAddress(0x0a00000a)), vector('M'));
    const seeds = [...b.take(), echoRequest(true), echoRequest(false)];
    for (const packet of [vector('A'), vector('M')]) {
      b.receive(packet);
      seeds.push(portUnreachable(packet, b.record, b.station));
    }
    for (const seed of seeds.slice(0, 4)) {
      a.receive(seed);
      seeds.push(...a.take());
    }
    let state = 99;
    const draw = (bound: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 0x100000000) * bound);
    };
    const rounds = runs(20_000);
    const seen = new Set<unknown>();
    for (let round = 0; round < rounds; round++) {
      let bytes: Uint8Array = seeds[draw(seeds.length)]!.slice();
      for (let i = draw(3); i > 0; i--) bytes[draw(bytes.length)] = draw(256);
      if (draw(5) === 0) bytes = bytes.subarray(0, draw(bytes.length));
      // The checksum is made right half of the time, or nothing mutated would get past it.
      const record = new FrameRecord();
      if (
        draw(2) === 0 &&
        parseFrame(bytes, record, null) === DropCause.otherProtocol &&
        record.ipPayloadLength >= 8
      ) {
        const { ipPayloadOffset: at, ipPayloadLength: length } = record;
        bytes.set([0, 0], at + 2);
        const pseudo = record.ipVersion === 4 ? 0 : sumBytes(bytes, 22, 54) + length + 58;
        const sum = foldChecksum(sumBytes(bytes, at, at + length, pseudo));
        bytes.set([sum >>> 8, sum & 255], at + 2);
      }
      seen.add((draw(2) === 0 ? a : b).receive(bytes));
      a.take();
      b.take();
    }
    expect([0, 1, 2, 3, 4, 'dropped'].filter((kind) => !seen.has(kind))).to.deep.equal([]);
  });
});
