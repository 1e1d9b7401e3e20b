// SPDX-License-Identifier: Apache-2.0
import { readFileSync, readdirSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { Random } from '#src/random/random.js';
import {
  AddressError,
  formatAddress,
  formatMac,
  parseAddress,
  parseIpv6,
  parseMac,
} from '#src/world/addresses.js';
import { framePriority, homaOffset, homaType } from '#src/world/frame-summary.js';
import { FaultInjector } from '#src/world/network/faults.js';
import { wireBytes, type FrameTarget } from '#src/world/network/link.js';
import { Switch } from '#src/world/network/switch.js';
import { PcapError, PcapWriter, readPcap } from '#src/world/pcap.js';
import { checkExpectations } from '#src/world/scenario/report.js';
import { World } from '#src/world/world.js';

class Sink implements FrameTarget {
  readonly got: { timePs: number; frame: Uint8Array }[] = [];
  frameIn(timePs: number, frame: Uint8Array): void {
    this.got.push({ timePs, frame });
  }
}

/** An IPv6 frame of `bytes` bytes from host `from` to host `to` with a priority and a mark. */
function frameOf(from: number, to: number, priority: number, mark: number, bytes = 100): Uint8Array {
  const frame = new Uint8Array(bytes);
  frame.set([2, 0, 0, 0, 0, to, 2, 0, 0, 0, 0, from, 0x86, 0xdd, 0x60 | (priority << 1)]);
  frame[bytes - 1] = mark;
  return frame;
}

const macOf = (number: number): Uint8Array => Uint8Array.of(2, 0, 0, 0, 0, number);

describe('world: links', () => {
  it('deliver the last byte after serialization and delay, exactly, and keep frames apart', () => {
    const world = new World({ seed: 1 });
    const sink = new Sink();
    const link = world.addDirection('a>b', { rateMbps: 100_000, delayPs: 500_000 }, sink);
    for (let i = 0; i < 3; i++) link.onFrame(0, frameOf(1, 2, 0, i, 1514));
    world.runWhile(() => true);
    const slot = 80 * wireBytes(1514);
    expect(sink.got.map(({ timePs }) => timePs)).to.deep.equal(
      [1, 2, 3].map((n) => n * slot - 12 * 80 + 500_000),
    );
    expect(wireBytes(20)).to.equal(84);
  });

  it('lose what goes onto them while they are down, not what is on the way', () => {
    const world = new World({ seed: 1 });
    const sink = new Sink();
    const link = world.addDirection('a>b', { rateMbps: 100_000, delayPs: 5_000_000 }, sink);
    link.setDown(1_000_000, 2_000_000);
    for (const time of [900_000, 1_000_000, 1_999_999, 2_000_000]) link.onFrame(time, frameOf(1, 2, 0, 0));
    world.runWhile(() => true);
    expect(sink.got.length).to.equal(2);
    expect(link.counts.lostWhileDown).to.equal(2);
  });
});

describe('world: switches', () => {
  function star(portBufferBytes: number) {
    const world = new World({ seed: 1 });
    const made = new Switch(world.agenda, 's', { bufferBytes: 1_000_000, portBufferBytes });
    const sinks = [1, 2, 3].map((number) => {
      const sink = new Sink();
      const port = made.addPort(`s>${number}`);
      port.connect(world.addDirection(`s>${number}`, { rateMbps: 10_000, delayPs: 0 }, sink));
      made.setRoute(macOf(number), [port]);
      return sink;
    });
    return { world, made, sinks };
  }

  it('send higher priorities first and keep order within one', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(7), { minLength: 1, maxLength: 60 }), (priorities) => {
        const { world, made, sinks } = star(1_000_000);
        priorities.forEach((priority, i) => {
          made.ports[0]!.frameIn(0, frameOf(1, 2, priority, i));
        });
        world.runWhile(() => true);
        // the first finds the port idle; the rest wait and leave by priority
        const [first, ...rest] = priorities.map((priority, i) => ({ priority, i }));
        const expected = [first!, ...rest.sort((a, b) => b.priority - a.priority || a.i - b.i)];
        expect(sinks[1]!.got.map(({ frame }) => frame[99])).to.deep.equal(expected.map(({ i }) => i));
        expect(made.queuedBytes).to.equal(0);
      }),
      { seed: 21 },
    );
  });

  it('drop and count what the buffer does not hold', () => {
    const { world, made, sinks } = star(1000);
    for (let i = 0; i < 20; i++) made.ports[0]!.frameIn(0, frameOf(1, 2, 0, i));
    world.runWhile(() => true);
    expect(sinks[1]!.got.length).to.equal(11);
    expect(made.droppedFrames).to.equal(9);
    expect(made.maxQueuedBytes).to.equal(1000);
  });

  it('flood what they do not know, and learn from it', () => {
    const { world, made, sinks } = star(100_000);
    made.ports[0]!.frameIn(0, frameOf(9, 8, 0, 1));
    world.runWhile(() => true);
    expect(sinks.map((sink) => sink.got.length)).to.deep.equal([0, 1, 1]);
    made.ports[1]!.frameIn(world.nowPs, frameOf(8, 9, 0, 2));
    world.runWhile(() => true);
    expect(sinks.map((sink) => sink.got.length)).to.deep.equal([1, 1, 1]);
  });

  it('follow a host that moves to another port, and back', () => {
    const { world, made, sinks } = star(100_000);
    const expected = [0, 0, 0];
    for (const port of [0, 0, 1, 0, 1, 1]) {
      made.ports[port]!.frameIn(world.nowPs, frameOf(9, 3, 0, 1));
      made.ports[2]!.frameIn(world.nowPs, frameOf(3, 9, 0, 2));
      world.runWhile(() => true);
      expected[2]!++;
      expected[port]!++;
      expect(
        sinks.map((sink) => sink.got.length),
        `port ${port}`,
      ).to.deep.equal(expected);
    }
    expect(made.flooded).to.equal(0);
  });

  it('tell hundreds of hosts apart, routes and learned places alike', () => {
    const { world, made, sinks } = star(1_000_000);
    for (let host = 10; host < 250; host++) {
      if (host % 2 === 0) made.setRoute(macOf(host), [made.ports[host % 3]!]);
      else made.ports[host % 3]!.frameIn(world.nowPs, frameOf(host, (host % 3) + 1, 0, 0)); // to its own port: learned only
    }
    world.runWhile(() => true);
    const before = sinks.map((sink) => sink.got.length);
    for (let host = 10; host < 250; host++) {
      made.ports[(host + 1) % 3]!.frameIn(world.nowPs, frameOf(((host + 1) % 3) + 1, host, 0, 0));
      world.runWhile(() => true);
      before[host % 3]!++;
      expect(
        sinks.map((sink) => sink.got.length),
        `host ${host}`,
      ).to.deep.equal(before);
    }
  });
});

describe('world: faults', () => {
  const frames = readPcap(readFileSync('test/fixtures/captures/5000B-ipv6.pcap')).map(({ frame }) => frame);

  it('by rule hit exactly the frames that match', () => {
    const faults = new FaultInjector(
      [
        { action: 'drop', type: 'DATA', offset: 1404, first: 2 },
        { action: 'duplicate', type: 'NEED_ACK', delayPs: 7 },
        { action: 'delay', type: 'ACK', afterPs: 100, delayPs: 9 },
      ],
      undefined,
      Random.fromSeed(1),
    );
    const result = frames.map(
      (frame, i) => `${homaType(frame)} ${faults.judge(50 * i, frame)} ${faults.delaysPs[0]}`,
    );
    expect(result.filter((text) => text.startsWith('DATA 0'))).to.have.length(1);
    expect(frames.filter((frame) => homaOffset(frame) === 1404)).to.have.length(2);
    expect(result).to.include('NEED_ACK 2 0');
    expect(result).to.include('ACK 1 9');
    expect(faults.counts).to.deep.equal({ dropped: 1, duplicated: 1, delayed: 1, corrupted: 0 });
  });

  it('at random come at their rate and are the same for a seed', () => {
    const run = (seed: number): string => {
      const faults = new FaultInjector(
        [],
        { drop: 0.05, duplicate: 0.1, reorder: 0.2 },
        Random.fromSeed(seed),
      );
      const copies = Array.from({ length: 10_000 }, () => faults.judge(0, frames[0]!));
      expect(faults.counts.dropped).to.be.within(400, 600);
      expect(faults.counts.duplicated).to.be.within(850, 1150);
      expect(faults.counts.delayed).to.be.within(1750, 2250);
      return copies.join('');
    };
    expect(run(1)).to.equal(run(1));
    expect(run(1)).to.not.equal(run(2));
  });

  it('a corrupt frame is lost to its FCS, or delivered with one bit changed', () => {
    const lost = new FaultInjector([{ action: 'corrupt' }], undefined, Random.fromSeed(1));
    expect(lost.judge(0, frames[0]!)).to.equal(0);
    const passed = new FaultInjector([{ action: 'corrupt' }], undefined, Random.fromSeed(1), true);
    const before = frames[0]!.slice();
    expect(passed.judge(0, frames[0]!)).to.equal(1);
    expect(frames[0]).to.deep.equal(before);
    let bits = 0;
    before.forEach((byte, i) => {
      for (let x = byte ^ passed.frames[0]![i]!; x !== 0; x >>= 1) bits += x & 1;
    });
    expect(bits).to.equal(1);
  });
});

describe('world: pcap', () => {
  it('writes what it reads', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(4e15), fc.uint8Array({ maxLength: 200 })), { maxLength: 30 }),
        (list) => {
          const writer = new PcapWriter();
          for (const [timePs, frame] of list) writer.add(timePs, frame);
          expect(readPcap(writer.toBytes())).to.deep.equal(
            list.map(([timePs, frame]) => ({ timeNs: Math.floor(timePs / 1000), frame })),
          );
        },
      ),
      { seed: 31 },
    );
  });

  it('reads captures of other tools, and refuses what is none', () => {
    for (const file of readdirSync('test/fixtures/captures').filter((f) => f.endsWith('.pcap'))) {
      const lines = readFileSync(`test/fixtures/captures/${file.replace('.pcap', '.txt')}`, 'utf8')
        .trimEnd()
        .split('\n');
      const frames = readPcap(readFileSync(`test/fixtures/captures/${file}`));
      expect(frames.length).to.equal(lines.length);
      frames.forEach(({ frame }, i) => {
        expect(lines[i], `${file} frame ${i + 1}`).to.contain(` ${homaType(frame)}`);
        expect(lines[i]).to.contain(`tos ${(framePriority(frame) << 5).toString(16).padStart(2, '0')}`);
      });
    }
    expect(() => readPcap(new Uint8Array(10))).to.throw(PcapError, 'shorter than its header');
    expect(() => readPcap(new Uint8Array(100))).to.throw(PcapError, 'not a classic pcap');
    const writer = new PcapWriter();
    writer.add(0, new Uint8Array(50));
    expect(() => readPcap(writer.toBytes().subarray(0, 60))).to.throw(PcapError, 'frame 1: cut short');
  });
});

describe('world: addresses', () => {
  it('are read and written back', () => {
    for (const text of ['::', '::1', 'fd77::2', '1:2:3:4:5:6:7:8', 'fe80::1:0:0:1', '10.77.0.1']) {
      expect(formatAddress(parseAddress(text))).to.equal(text);
    }
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        expect(parseAddress(formatAddress(bytes))).to.deep.equal(bytes);
      }),
      { seed: 41 },
    );
    expect(formatMac(parseMac('02:00:5e:10:00:ff'))).to.equal('02:00:5e:10:00:ff');
  });

  it('are refused when they are none', () => {
    for (const text of [
      '',
      ':',
      '1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:8:9',
      '1::2::3',
      'g::',
      '1:2:3:4:5:6:7::8',
      '12345::',
    ]) {
      expect(() => parseIpv6(text), text).to.throw(AddressError);
    }
  });
});

describe('world: expectations', () => {
  it('hold or do not, and absent counters are 0', () => {
    const report = { rpcs: { ok: 3, byOutcome: { ok: 3 } }, idle: true };
    const check = (expectation: object) =>
      checkExpectations(report, [{ path: 'rpcs.ok', ...expectation }])[0]!.ok;
    expect(check({ equals: 3 })).to.equal(true);
    expect(check({ equals: 4 })).to.equal(false);
    expect(check({ atLeast: 3, atMost: 3 })).to.equal(true);
    expect(check({ atLeast: 4 })).to.equal(false);
    expect(check({ atMost: 2 })).to.equal(false);
    expect(check({ path: 'idle', equals: true })).to.equal(true);
    expect(check({ path: 'idle', atLeast: 0 })).to.equal(false);
    expect(check({ path: 'rpcs.byOutcome.timedOut', equals: 0 })).to.equal(true);
    expect(check({ path: 'rpcs.nothing', equals: 0 })).to.equal(false);
  });
});
