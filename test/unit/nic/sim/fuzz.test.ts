// SPDX-License-Identifier: Apache-2.0
// Random stores and random frames: nothing throws, no DMA leaves a map, other users do not notice.
// HOMA_NIC_LONG=1 runs ten times as many.
import { expect } from 'chai';
import {
  APERTURE_BYTES,
  CallFlag,
  KernelCall,
  MacRegister,
  Register,
  RegisterTable,
  ResultFlag,
  UserCall,
  UserOperation,
} from '#src/nic/regs.js';
import { Random } from '#src/random/random.js';
import { Bench, callBytes, pattern, type Host } from './bench.js';

const SCALE = process.env['HOMA_NIC_LONG'] === '1' ? 10 : 1;
const US = 1e6;
const VICTIM = 1;
const PORT = 99;

/** One echo RPC of the quiet user between two hosts; true when the right bytes came back. */
function quietRpc(bench: Bench, client: Host, server: Host, round: number): boolean {
  const size = 1 + ((round * 911) % 3000);
  const message = pattern(size, round);
  client.load(VICTIM, 0, message);
  const slot = 1 + (round % 100);
  for (const [host, used] of [
    [client, [slot, 200]],
    [server, [201, 202]],
  ] as const) {
    for (const at of used) host.clearSlot(VICTIM, at);
  }
  client.call(VICTIM, UserCall.recvmsg, { slot: 200, size: 4096, flags: CallFlag.matchResponses }, 7);
  server.call(VICTIM, UserCall.recvmsg, { slot: 201, size: 4096, flags: CallFlag.matchRequests });
  client.call(VICTIM, UserCall.sendmsg, { slot, size, peer: server.ipv4, peerPort: PORT }, 7);
  const got = server.wait(VICTIM, 201, ResultFlag.final, 2e11);
  if ((got.flags & ResultFlag.delivered) === 0) return false;
  const echo = server.received(VICTIM, 0, size);
  server.load(VICTIM, 0, echo);
  server.call(VICTIM, UserCall.sendmsg, {
    slot: 202,
    size,
    id: got.id,
    peer: client.ipv4,
    peerPort: got.peerPort,
  });
  const answer = client.wait(VICTIM, 200, ResultFlag.final, 2e11);
  bench.run(5e9);
  return (
    (answer.flags & ResultFlag.delivered) !== 0 &&
    Buffer.compare(client.received(VICTIM, 0, size), message) === 0
  );
}

function randomBytes(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.nextBelow(256));
}

/** A call that is often nearly right. */
function randomCall(random: Random, peer: Host): Uint8Array {
  const pick = <T>(...values: T[]): T => values[random.nextBelow(values.length)]!;
  const bytes = callBytes({
    flags: pick(0, 0, 0, 1, 2, 4, 6, random.nextUint32()),
    slot: pick(1, 2, 3, 4, 255, 0, 256, random.nextBelow(4096)),
    size: pick(0, 1, 64, 65, 1500, 100000, 1000000, 1000001, random.nextBelow(0x100000)),
    buffAddr: pick(0, 1, 4095, 0x100000, 0x101000, 0xffffffff, random.nextUint32()),
    id: pick(0n, 0n, 2n, 3n, BigInt(random.nextBelow(400)), 0xffffffffffffffffn),
    peer: pick(peer.ipv4, peer.ipv6, randomBytes(random, 16)),
    peerPort: pick(PORT, PORT, 0, random.nextBelow(65536)),
  });
  if (random.nextChance(0.05)) bytes.set(randomBytes(random, 8), random.nextBelow(8) * 8);
  return bytes;
}

/** Takes and cancels requests that others sent to the quiet server. */
function drain(bench: Bench, server: Host): void {
  for (let i = 0; i < 2000; i++) {
    server.clearSlot(VICTIM, 210);
    server.clearSlot(VICTIM, 211);
    server.clearSlot(VICTIM, 212);
    server.call(VICTIM, UserCall.recvmsg, { slot: 210, size: 0 });
    bench.run(20 * US);
    const got = server.result(VICTIM, 210);
    if ((got.flags & ResultFlag.final) === 0) {
      server.call(VICTIM, UserCall.cancel, { slot: 211, buffAddr: 210 });
      bench.run(20 * US);
      return;
    }
    if ((got.flags & ResultFlag.inPool) !== 0) {
      server.call(VICTIM, UserCall.release, { slot: 211, buffAddr: got.buffAddr });
    }
    server.call(VICTIM, UserCall.cancel, {
      slot: 212,
      id: got.id,
      peer: got.bytes.slice(20, 36),
      peerPort: got.peerPort,
    });
    bench.run(20 * US);
  }
}

describe('device: random stores', () => {
  // Never the quiet user's aperture, maps or port, nor the registers that hold for all users.
  const own = new Set<number>([
    Register.control,
    Register.mtu,
    Register.tick,
    MacRegister.macControl,
    Register.macAddressLow,
    Register.macAddressHigh,
    Register.ipv4Address,
    Register.timeoutTicks,
    Register.resendTicks,
    Register.resendInterval,
  ]);
  const registers = RegisterTable.filter((register) => !own.has(register.offset));

  function store(random: Random, host: Host, peer: Host): void {
    const user = 2 + random.nextBelow(3);
    const base = user * APERTURE_BYTES;
    const kind = random.nextBelow(20);
    if (kind < 10) {
      const call = [0, 64, 128, 192, 256, 320][random.nextBelow(6)]!;
      host.nic.mmioWrite(base + random.nextBelow(8) * 512 + call, randomCall(random, peer));
    } else if (kind < 13) {
      const bytes = randomCall(random, peer);
      const at = base + random.nextBelow(8) * 64;
      for (let word = 0; word < 8; word++) {
        if (random.nextChance(0.9)) host.nic.mmioWrite(at + word * 8, bytes.slice(word * 8, word * 8 + 8));
      }
    } else if (kind < 15) {
      host.nic.mmioWrite(base + random.nextBelow(0x4000), randomBytes(random, 1 + random.nextBelow(64)));
    } else if (kind < 16) {
      const register = registers[random.nextBelow(registers.length)]!;
      const value =
        register.reset !== undefined && random.nextChance(0.5) ? register.reset : random.nextUint32();
      if (random.nextChance(0.2)) host.register(register.offset, value);
    } else if (kind < 17) {
      // Lifecycle of the noisy users; their memory stays mapped in the bench.
      host.nic.mmioWrite(KernelCall.user, userBytes(user, 1 + random.nextBelow(3)));
      if (random.nextChance(0.5)) host.open(user, 200 + user);
    } else if (kind < 18) {
      host.nic.mmioWrite(0x20000000 + random.nextBelow(0x10000000), randomBytes(random, 8));
      host.nic.mmioRead(1e6 + random.nextBelow(1000), random.nextBelow(0x4000000), random.nextBelow(65));
    } else {
      const bytes = randomCall(random, peer);
      bytes.set(randomBytes(random, 4), 44);
      host.nic.mmioWrite(base + random.nextBelow(64) * 64, bytes);
    }
  }

  function userBytes(user: number, operation: number): Uint8Array {
    const bytes = new Uint8Array(64);
    bytes[0] = user;
    bytes[2] = operation;
    return bytes;
  }

  it('never throw, never DMA outside a map, never disturb another user', function () {
    this.timeout(300_000);
    const random = Random.fromSeed(20261122);
    const bench = new Bench();
    const a = bench.addHost().configure();
    const b = bench.addHost().configure();
    a.knows(b).open(VICTIM);
    b.knows(a).open(VICTIM, PORT);
    for (let user = 2; user <= 4; user++) a.open(user, 200 + user);
    let rounds = 0;
    let good = 0;
    for (let i = 0; i < 10_000 * SCALE; i++) {
      store(random, a, random.nextChance(0.5) ? b : a);
      if (random.nextChance(0.3)) bench.run(random.nextBelow(20) * US);
      if (i % 500 === 499) {
        for (const register of registers) {
          if (register.access === 'rw' && register.reset !== undefined)
            a.register(register.offset, register.reset);
        }
        // What the noisy users sent to the quiet user's server is taken away first.
        drain(bench, b);
        rounds++;
        if (quietRpc(bench, a, b, rounds)) good++;
      }
    }
    expect(good).to.equal(rounds);
    expect([...a.violations, ...b.violations]).to.deep.equal([]);
    for (let user = 2; user <= 4; user++) {
      a.userCall(user, UserOperation.quiesce);
      bench.run(1e9);
      a.userCall(user, UserOperation.close);
    }
    expect(a.nic.liveState().rpcs).to.be.lessThan(2);
  });
});

describe('device: random frames', () => {
  /** Frames of a short exchange in both families, as material for mutation. */
  function material(): { bench: Bench; a: Host; b: Host; frames: Uint8Array[] } {
    const bench = new Bench();
    const a = bench.addHost().configure();
    const b = bench.addHost().configure();
    a.knows(b).open(VICTIM);
    b.knows(a).open(VICTIM, PORT);
    const frames: Uint8Array[] = [];
    const deliver = bench.wire;
    bench.wire = (from, frame) => {
      frames.push(frame.slice());
      deliver(from, frame);
    };
    for (let round = 1; round <= 4; round++) expect(quietRpc(bench, a, b, round)).to.equal(true);
    bench.wire = deliver;
    return { bench, a, b, frames };
  }

  it('never throw, never DMA outside a map, never disturb what is under way', function () {
    this.timeout(600_000);
    const random = Random.fromSeed(20261123);
    const { bench, a, b, frames } = material();
    let rounds = 0;
    let good = 0;
    for (let i = 0; i < 100_000 * SCALE; i++) {
      let frame: Uint8Array;
      if (random.nextChance(0.05)) frame = randomBytes(random, random.nextBelow(200));
      else {
        frame = frames[random.nextBelow(frames.length)]!.slice();
        const changes = 1 + random.nextBelow(4);
        for (let change = 0; change < changes; change++) mutate(random, frame);
        if (random.nextChance(0.1)) frame = frame.slice(0, random.nextBelow(frame.length + 1));
        refreshIpv4(frame);
      }
      // Frames that the peers could have sent end what is under way as they should; here they must be strangers.
      if (!isKnownPair(frame)) (random.nextChance(0.5) ? a : b).nic.frameIn(frame);
      if (i % 50 === 0) bench.run(10 * US);
      if (i % 10_000 === 9_999) {
        bench.run(3e11);
        drain(bench, b);
        rounds++;
        if (quietRpc(bench, a, b, rounds)) good++;
      }
    }
    expect(good).to.equal(rounds);
    expect([...a.violations, ...b.violations]).to.deep.equal([]);
    const { framesReceived, dropMalformed, dropShort, dropUnknownType } = b.nic.counterValues();
    expect(framesReceived).to.be.greaterThan(1000);
    expect(Math.min(dropMalformed, dropShort, dropUnknownType)).to.be.greaterThan(0);
  });

  function mutate(random: Random, frame: Uint8Array): void {
    const at = random.nextChance(0.7)
      ? 14 + random.nextBelow(Math.min(100, frame.length - 14))
      : random.nextBelow(frame.length);
    frame[at] = random.nextChance(0.5) ? random.nextBelow(256) : frame[at]! ^ (1 << random.nextBelow(8));
  }

  /** Puts the right header checksum into an IPv4 frame, so that mutations get past it. */
  function refreshIpv4(frame: Uint8Array): void {
    if (frame.length < 34 || frame[12] !== 8 || frame[13] !== 0 || frame[14] !== 0x45) return;
    frame[24] = frame[25] = 0;
    let sum = 0;
    for (let i = 14; i < 34; i += 2) sum += (frame[i]! << 8) | frame[i + 1]!;
    sum = (sum & 0xffff) + (sum >>> 16);
    sum = (sum & 0xffff) + (sum >>> 16);
    const check = ~sum & 0xffff;
    frame[24] = check >>> 8;
    frame[25] = check & 0xff;
  }

  /** Whether both addresses of an IPv4 frame are still those of the two hosts. */
  function isKnownPair(frame: Uint8Array): boolean {
    if (frame.length < 34 || frame[12] !== 8 || frame[13] !== 0) return false;
    const source = [...frame.subarray(26, 30)].join('.');
    return source === '10.0.0.10' || source === '10.0.0.11';
  }
});
