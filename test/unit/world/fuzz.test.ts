// SPDX-License-Identifier: Apache-2.0
// Random and mutated frames, and random calls of a hostile application: no exception, no DMA outside a map, and the
// RPCs of other users do not notice. HOMA_NIC_LONG=1: 10^6 frames and 10^5 calls; a tenth otherwise.
import { readFileSync, readdirSync } from 'node:fs';
import { expect } from 'chai';
import { APERTURE_BYTES, BAR0_BYTES, KERNEL_BYTES } from '#src/nic/regs.js';
import { Random } from '#src/random/random.js';
import { mapIpv4, parseIpv4, parseIpv6, parseMac } from '#src/world/addresses.js';
import { RpcClient } from '#src/world/apps/rpc-client.js';
import { RpcServer } from '#src/world/apps/rpc-server.js';
import { homaStart } from '#src/world/frame-summary.js';
import { addNeighbour, bindPort } from '#src/world/host/driver.js';
import type { Host } from '#src/world/host/host.js';
import { readPcap } from '#src/world/pcap.js';
import { World } from '#src/world/world.js';
import { simCard } from './sim-card.js';

const SCALE = process.env['HOMA_NIC_LONG'] === '1' ? 10 : 1;
const FOREIGN_IPV4 = parseIpv4('10.77.0.99');
const FOREIGN_IPV6 = parseIpv6('fd77::99');

interface Member {
  host: Host;
  mac: Uint8Array;
  ipv4: Uint8Array;
  ipv6: Uint8Array;
}

/** Two hosts; user 1 of a calls user 1 of b for as long as `count` lasts; user 2 of both is there to be shot at. */
function arena(seed: number, count: number) {
  const world = new World({ seed });
  const make = (number: number): Member => {
    const mac = parseMac(`02:48:4f:4d:00:0${number}`);
    const ipv4 = parseIpv4(`10.77.0.${number}`);
    const ipv6 = parseIpv6(`fd77::${number}`);
    const card = simCard({ cycleTable: 'u250-gen3x16' });
    return { host: world.addHost(`h${number}`, { mac, ipv4, ipv6 }, card), mac, ipv4, ipv6 };
  };
  const [a, b] = [make(1), make(2)];
  for (const [me, other] of [
    [a, b],
    [b, a],
  ] as const) {
    world.complete(me.host, me.host.probe());
    world.complete(me.host, addNeighbour(other.ipv6, other.mac));
    world.complete(me.host, addNeighbour(mapIpv4(other.ipv4), other.mac));
    world.complete(me.host, addNeighbour(FOREIGN_IPV6, parseMac('02:48:4f:4d:00:63')));
    world.complete(me.host, addNeighbour(mapIpv4(FOREIGN_IPV4), parseMac('02:48:4f:4d:00:63')));
  }
  world.connectHosts(a.host, b.host, { rateMbps: 100_000, delayPs: 100_000 });
  const echo = (member: Member, user: number, port: number): RpcServer => {
    const opened = world.complete(member.host, member.host.openUser(user));
    world.complete(member.host, bindPort(user, port));
    const options = {
      receives: 4,
      capacityBytes: 65_536,
      responseBytes: 0,
      thinkPs: 0,
      postFromPs: 0,
      silent: false,
    };
    return new RpcServer(world.agenda, opened, { ...options, copy: user !== 1 });
  };
  const server = echo(b, 1, 4000);
  const targets = [echo(a, 2, 4002), echo(b, 2, 4002)];
  const outcomes: Record<string, number> = {};
  const client = new RpcClient(
    world.agenda,
    world.complete(a.host, a.host.openUser(1)),
    {
      count,
      outstanding: 4,
      maxResponseBytes: 5000,
      match: 'any',
      inline: true,
      pausePs: () => 5_000_000,
      describe: (index, into) => {
        into.peer = { address: b.ipv6, port: 4000 };
        into.requestBytes = 1 + ((index * 977) % 5000);
        into.responseBytes = 0;
      },
    },
    seed,
    (outcome) => (outcomes[outcome.outcome] = (outcomes[outcome.outcome] ?? 0) + 1),
  );
  const bystander = world.complete(a.host, a.host.openUser(3));
  client.start(world.nowPs);
  return { world, a, b, client, server, targets, outcomes, bystander };
}

function expectUnharmed(it: ReturnType<typeof arena>, count: number): void {
  it.world.runWhile(() => !it.client.quiet, it.world.nowPs + 1e12);
  expect(it.outcomes).to.deep.equal({ ok: count });
  expect(it.client.faults).to.deep.equal([]);
  expect(it.server.faults).to.deep.equal([]);
  for (const { host } of [it.a, it.b]) expect(host.memory.violations).to.deep.equal([]);
  for (const buffer of [it.bystander.h2c, it.bystander.c2h, it.bystander.results]) {
    expect(buffer.residentBytes, 'memory of a user that did nothing').to.equal(0);
  }
}

const seeds = readdirSync('test/fixtures/captures')
  .filter((file) => file.endsWith('.pcap'))
  .map((file) => readPcap(readFileSync(`test/fixtures/captures/${file}`)).map(({ frame }) => frame));

/** A frame that nobody should send: mutated from a real one, or noise; never in the name of a real peer. */
function hostileFrame(random: Random, to: Member): Uint8Array {
  if (random.nextBelow(20) === 0) {
    const noise = Uint8Array.from({ length: random.nextBelow(200) }, () => random.nextBelow(256));
    if (noise.length >= 14) noise.set(to.mac);
    return noise;
  }
  const capture = seeds[random.nextBelow(seeds.length)]!;
  let frame = capture[random.nextBelow(capture.length)]!.slice();
  frame.set(to.mac);
  const start = homaStart(frame);
  const put16 = (at: number, value: number): void => {
    frame[at] = value >>> 8;
    frame[at + 1] = value;
  };
  if (start > 0) {
    if (random.nextBelow(2) === 0) frame[start + 11] = 0x10 + random.nextBelow(10);
    put16(start + 2, [4002, 0x8002, random.nextBelow(65_536) | 2][random.nextBelow(3)]!);
    if (random.nextBelow(2) === 0)
      for (let i = 20; i < 28; i++) frame[start + i] = i < 26 ? 0 : random.nextBelow(256);
    if (random.nextBelow(3) === 0 && frame.length >= start + 56) put16(start + 30, random.nextBelow(65_536));
  }
  for (let flips = random.nextBelow(4); flips > 0; flips--) {
    const at = 12 + random.nextBelow(Math.max(1, Math.min(frame.length, 130) - 12));
    frame[at] = random.nextBelow(256);
  }
  if (random.nextBelow(8) === 0) frame = frame.slice(0, random.nextBelow(frame.length + 1));
  // whatever was changed: it comes from a stranger and is meant for user 2 or for nobody
  const again = homaStart(frame);
  if (again > 0) {
    const version6 = frame[12] === 0x86;
    frame.set(version6 ? FOREIGN_IPV6 : FOREIGN_IPV4, version6 ? 22 : 26);
    if (frame.length >= again && random.nextBelow(10) > 0)
      frame.set(version6 ? to.ipv6 : to.ipv4, version6 ? 38 : 30);
    const port = (frame[again + 2]! << 8) | frame[again + 3]!;
    if (port === 4000 || port === 0x8001) put16(again + 2, 4002);
  }
  return frame;
}

describe('world: fuzz', () => {
  it('random and mutated frames harm nobody', function () {
    this.timeout(600_000);
    const rounds = 10 * SCALE;
    const each = 10_000;
    const rpcs = 300;
    let requests = 0;
    for (let round = 0; round < rounds; round++) {
      const it = arena(round + 1, rpcs);
      const random = Random.fromSeed(round + 1).stream('frames');
      for (let i = 0; i < each; i++) {
        const to = i % 2 === 0 ? it.a : it.b;
        it.world.runUntil(it.world.nowPs + 10_000_000);
        to.host.slot.frameIn(it.world.nowPs, hostileFrame(random, to));
      }
      expectUnharmed(it, rpcs);
      requests += it.targets.reduce((sum, target) => sum + target.requests, 0);
    }
    expect(requests, 'frames that were good enough to be served').to.be.above(10);
  });

  it('random calls of a hostile application harm nobody but itself', function () {
    this.timeout(600_000);
    const each = 10_000 * SCALE;
    const rpcs = 300;
    const it = arena(77, rpcs);
    const random = Random.fromSeed(5).stream('calls');
    const hostile = it.world.complete(it.a.host, it.a.host.openUser(4));
    const bytes = new Uint8Array(64);
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < each; i++) {
      for (let at = 0; at < 64; at++) bytes[at] = random.nextBelow(2) === 0 ? 0 : random.nextBelow(256);
      if (random.nextBelow(2) === 0) view.setUint32(0, random.nextBelow(8), true);
      if (random.nextBelow(2) === 0) bytes.set(it.b.ipv6, 20);
      if (random.nextBelow(2) === 0) view.setUint16(38, 4002, true);
      if (random.nextBelow(2) === 0) view.setUint32(40, random.nextBelow(2_200_000), true);
      if (random.nextBelow(2) === 0)
        view.setUint32(44, random.nextBelow(3000) * 4096 + random.nextBelow(300), true);
      if (random.nextBelow(2) === 0) view.setBigUint64(48, BigInt(random.nextBelow(200)), true);
      const call = 64 * random.nextBelow(random.nextBelow(4) === 0 ? 64 : 6);
      it.world.runUntil(it.world.nowPs + random.nextBelow(300_000));
      if (random.nextBelow(5) === 0) {
        const length = 1 + random.nextBelow(64);
        const address = 4 * APERTURE_BYTES + random.nextBelow(APERTURE_BYTES - 64);
        it.a.host.slot.mmioWrite(it.world.nowPs, address, bytes.subarray(0, length));
      } else hostile.rawCall(it.world.nowPs, call, bytes);
    }
    it.world.runUntil(it.world.nowPs + 1e12);
    expectUnharmed(it, rpcs);
    it.world.complete(it.a.host, it.a.host.closeUser(hostile));
    expect(it.a.host.memory.violations).to.deep.equal([]);
  });

  it('random writes and reads anywhere in the BAR throw nothing and reach no memory but what is mapped', function () {
    this.timeout(120_000);
    const it = arena(9, 1);
    const random = Random.fromSeed(6).stream('bar');
    const bytes = new Uint8Array(64);
    let answers = 0;
    const count = 10_000 * SCALE;
    for (let i = 0; i < count; i++) {
      for (let at = 0; at < 64; at++) bytes[at] = random.nextBelow(256);
      const length = 1 + random.nextBelow(64);
      const address = random.nextBelow(random.nextBelow(2) === 0 ? 20 * KERNEL_BYTES : BAR0_BYTES);
      // a DMA map of the kernel's would be believed: it is the one thing a random write must not make
      const mapCall = address < 64 && address + length > 0;
      it.world.runUntil(it.world.nowPs + 100_000);
      if (!mapCall) it.a.host.slot.mmioWrite(it.world.nowPs, address, bytes.subarray(0, length));
      it.a.host.load(it.world.nowPs, address, length, (_timePs, data) => {
        expect(data.length).to.equal(length);
        answers++;
      });
    }
    it.world.runUntil(it.world.nowPs + 1e9);
    expect(answers).to.equal(count);
    expect(it.a.host.memory.violations).to.deep.equal([]);
  });
});
