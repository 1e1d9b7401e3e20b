// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import {
  APERTURE_BYTES,
  CALL_BYTES,
  CALL_FIFO_ENTRIES,
  Code,
  KernelCall,
  MAGIC,
  Region,
  Register,
  RegisterTable,
  ResultFlag,
  USER_STATES,
  UserCall,
  UserOperation,
  UserState,
} from '#src/nic/regs.js';
import { CYCLE_PS, cycleTables, echoCycles } from '#src/nic/sim/cycle-table.js';
import { Bench, callBytes, type Host } from './bench.js';

const DONE = ResultFlag.accepted | ResultFlag.final;

function oneHost(): { bench: Bench; host: Host } {
  const bench = new Bench();
  return { bench, host: bench.addHost().configure().open(1) };
}

describe('device: calls', () => {
  for (const name of ['u250-gen3x16', 'u250-original'] as const) {
    it(`answers a nop after exactly the cycles of ${name}`, () => {
      const bench = new Bench();
      const host = bench.addHost({ cycleTable: name }).configure().open(1);
      host.keepWrites = true;
      const start = bench.nowPs;
      host.call(1, UserCall.nop, { slot: 7, cookie: 0x1122334455667788n, buffAddr: 99 });
      const result = host.wait(1, 7, DONE);
      expect(result.cookie).to.equal(0x1122334455667788n);
      expect(result.buffAddr).to.equal(99);
      expect(result.sequence).to.equal(1);
      expect(host.writes).to.have.length(1);
      expect(host.writes[0]!.timePs - start).to.equal(echoCycles(cycleTables[name]) * CYCLE_PS);
    });
  }

  it('has the echo totals that the cycle tables promise', () => {
    expect(echoCycles(cycleTables['u250-gen3x16'])).to.equal(24);
    expect(echoCycles(cycleTables['u250-original'])).to.equal(70);
  });

  it('takes a call whose eight words come in any order', () => {
    const { host } = oneHost();
    const bytes = callBytes({ slot: 3, cookie: 5n });
    for (const word of [5, 0, 7, 2, 1, 6, 3, 4]) {
      host.nic.mmioWrite(APERTURE_BYTES + UserCall.nop + word * 8, bytes.slice(word * 8, word * 8 + 8));
    }
    expect(host.wait(1, 3, DONE).cookie).to.equal(5n);
  });

  for (const burst of [8, 16, 24, 32, 40, 64]) {
    it(`takes a call stored in bursts of ${String(burst)} bytes, in any of the eight sets`, () => {
      const { host } = oneHost();
      for (let set = 0; set < 8; set++) {
        const bytes = callBytes({ slot: 3 + set, cookie: BigInt(set) });
        for (let at = 0; at < CALL_BYTES; at += burst) {
          host.nic.mmioWrite(
            APERTURE_BYTES + set * 512 + UserCall.nop + at,
            bytes.slice(at, Math.min(at + burst, CALL_BYTES)),
          );
        }
        expect(host.wait(1, 3 + set, DONE).cookie).to.equal(BigInt(set));
      }
      expect(host.nic.counterValues()).to.include({ calls: 8, callsTorn: 0, callsMisaligned: 0 });
    });
  }

  it('discards a torn call when a word repeats, and takes the next one whole', () => {
    const { host } = oneHost();
    const bytes = callBytes({ slot: 3, cookie: 6n });
    const store = (word: number): void =>
      host.nic.mmioWrite(APERTURE_BYTES + UserCall.nop + word * 8, bytes.slice(word * 8, word * 8 + 8));
    for (const word of [0, 1, 2]) store(word);
    for (const word of [0, 1, 2, 3, 4, 5, 6, 7]) store(word);
    expect(host.wait(1, 3, DONE).cookie).to.equal(6n);
    expect(host.nic.counterValues()).to.include({ callsTorn: 1, calls: 1 });
  });

  it('counts stores that are not whole aligned words, and forgets them', () => {
    const { bench, host } = oneHost();
    host.nic.mmioWrite(APERTURE_BYTES + 4, new Uint8Array(8));
    host.nic.mmioWrite(APERTURE_BYTES, new Uint8Array(4));
    host.nic.mmioWrite(APERTURE_BYTES + 0x2000, new Uint8Array(64));
    bench.run(1e7);
    expect(host.nic.counterValues()).to.include({ callsMisaligned: 3, calls: 0 });
  });

  it('reports a bad slot in the error slot with the first 24 bytes of the call', () => {
    const { host } = oneHost();
    const bytes = callBytes({ slot: 256, cookie: 1n });
    bytes.fill(0xab, 4, 20);
    host.nic.mmioWrite(APERTURE_BYTES + UserCall.nop, bytes);
    const result = host.wait(1, 0, ResultFlag.failed | ResultFlag.final);
    expect(result.code).to.equal(Code.badSlot);
    expect([...result.bytes.subarray(4, 28)]).to.deep.equal([...bytes.subarray(0, 24)]);
  });

  it('refuses calls at offsets where no call is, and reserved flags', () => {
    const { host } = oneHost();
    host.nic.mmioWrite(APERTURE_BYTES + 320, callBytes({ slot: 4 }));
    expect(host.wait(1, 4, ResultFlag.failed).code).to.equal(Code.badCall);
    host.call(1, UserCall.nop, { slot: 5, flags: 8 });
    expect(host.wait(1, 5, ResultFlag.failed).code).to.equal(Code.badFlags);
  });

  it('answers busy when the call FIFO is full and never stalls', () => {
    const { bench, host } = oneHost();
    for (let i = 0; i < CALL_FIFO_ENTRIES + 10; i++) host.call(1, UserCall.nop, { slot: 1 + (i % 255) });
    bench.run(1e9);
    expect(host.nic.counterValues()).to.include({ calls: CALL_FIFO_ENTRIES, callsBusy: 10 });
    expect(host.read32(Register.status) & 1).to.equal(1);
  });

  it('numbers results with a sequence that skips 0', () => {
    const { bench, host } = oneHost();
    for (let i = 0; i < 65536; i++) {
      host.call(1, UserCall.nop, { slot: 1 + (i % 255) });
      if (i % 1000 === 0) bench.run(1e8);
    }
    host.call(1, UserCall.nop, { slot: 255, cookie: 77n });
    bench.run(1e8);
    expect(host.result(1, 255)).to.include({ cookie: 77n, sequence: 2 });
  });
});

describe('device: identity and registers', () => {
  it('gives the identity block in its place and in every aperture, without side effects', () => {
    const { host } = oneHost();
    const identity = host.readBytes(Register.magic, 64);
    expect(new DataView(identity.buffer).getUint32(0, true)).to.equal(MAGIC);
    expect([...host.readBytes(5 * APERTURE_BYTES + 0x1040, 64)]).to.deep.equal([...identity]);
  });

  it('has each register at its reset value, refuses writes out of range and to read-only ones', () => {
    const bench = new Bench();
    const host = bench.addHost();
    for (const register of RegisterTable) {
      if (register.reset !== undefined) {
        expect(host.read32(register.offset), register.name).to.equal(register.reset);
      }
    }
    host.register(Register.mtu, 9001);
    host.register(Register.users, 3);
    expect(host.read32(Register.mtu)).to.equal(1500);
    expect(host.read32(Register.users)).to.equal(16);
    host.register(Register.mtu, 9000);
    expect(host.read32(Register.mtu)).to.equal(9000);
  });

  it('returns to its reset values on a core reset, and keeps the identity', () => {
    const { bench, host } = oneHost();
    const before = host.readBytes(Register.magic, 64);
    host.register(Register.scratch, 0x12345678);
    host.call(1, UserCall.nop, { slot: 1 });
    host.register(Register.control, 1);
    expect(host.read32(Register.status) & 4).to.equal(4);
    bench.run(1e6);
    expect(host.read32(Register.status) & 5).to.equal(1);
    expect(host.read32(Register.scratch)).to.equal(0);
    expect(host.read32(USER_STATES + 16)).to.equal(UserState.closed);
    expect([...host.readBytes(Register.magic, 64)]).to.deep.equal([...before]);
    expect(host.result(1, 1).flags).to.equal(0);
  });

  it('advances to the end of time without work, and works afterwards', () => {
    const { bench, host } = oneHost();
    expect(host.nic.advance(Infinity)).to.equal(bench.nowPs);
    host.call(1, UserCall.nop, { slot: 2, cookie: 9n });
    expect(host.wait(1, 2, DONE).cookie).to.equal(9n);
  });

  it('ignores answers to DMA from before a bus reset', () => {
    const { bench, host } = oneHost();
    host.call(1, UserCall.nop, { slot: 1 });
    bench.run(24 * CYCLE_PS);
    host.nic.reset();
    host.configure().open(1);
    host.call(1, UserCall.nop, { slot: 2, cookie: 3n });
    expect(host.wait(1, 2, DONE).cookie).to.equal(3n);
    expect(host.read32(USER_STATES + 16 + 8)).to.equal(0);
  });
});

describe('device: kernel calls', () => {
  it('opens, quiesces and closes a user in that order only', () => {
    const bench = new Bench();
    const host = bench.addHost().configure();
    expect(host.userCall(1, UserOperation.close)).to.equal(Code.userNotOpen);
    expect(host.userCall(1, UserOperation.quiesce)).to.equal(Code.userNotOpen);
    expect(host.userCall(1, UserOperation.open)).to.equal(Code.ok);
    expect(host.read32(USER_STATES + 16 + 12)).to.equal(0x8001);
    expect(host.userCall(1, UserOperation.open)).to.equal(Code.userOpen);
    expect(host.userCall(1, UserOperation.close)).to.equal(Code.notQuiesced);
    expect(host.userCall(1, UserOperation.quiesce)).to.equal(Code.ok);
    expect(host.read32(USER_STATES + 16)).to.equal(UserState.quiesced);
    expect(host.userCall(1, UserOperation.close)).to.equal(Code.ok);
    expect(host.read32(USER_STATES + 16)).to.equal(UserState.closed);
    expect(host.userCall(0, UserOperation.open)).to.equal(Code.badUser);
    expect(host.userCall(17, UserOperation.open)).to.equal(Code.badUser);
    expect(host.userCall(1, 9 as UserOperation)).to.equal(Code.badOperation);
  });

  it('checks every field of a DMA map', () => {
    const bench = new Bench();
    const host = bench.addHost().configure();
    const map = (address: bigint, user: number, region: number, length: number): number =>
      host.kernelCall(KernelCall.dmaMap, (view) => {
        view.setBigUint64(0, address, true);
        view.setUint16(8, user, true);
        view.setUint8(10, region);
        view.setUint8(11, 1);
        view.setUint32(12, length, true);
      });
    expect(map(0x1000n, 0, 0, 4096)).to.equal(Code.badUser);
    expect(map(0x1000n, 1, 3, 4096)).to.equal(Code.badRegion);
    expect(map(0x1000n, 1, 0, 0)).to.equal(Code.badLength);
    expect(map(0x1000n, 1, 0, 1048577)).to.equal(Code.badLength);
    expect(map(0x1000n, 1, 1, 1048576)).to.equal(Code.badLength);
    expect(map(0x1000n, 1, 2, 4096)).to.equal(Code.badLength);
    expect(map(0x1008n, 1, 0, 4096)).to.equal(Code.badAddress);
    expect(map(0xfffffffff000n, 1, 0, 8192)).to.equal(Code.badAddress);
    expect(map(0xfffffffff000n, 1, 0, 4096)).to.equal(Code.ok);
  });

  it('binds server ports, one owner each, eight a user', () => {
    const bench = new Bench();
    const host = bench.addHost().configure();
    host.userCall(1, UserOperation.open);
    host.userCall(2, UserOperation.open);
    expect(host.bind(3, 99)).to.equal(Code.userNotOpen);
    expect(host.bind(1, 0)).to.equal(Code.badPort);
    expect(host.bind(1, 32768)).to.equal(Code.badPort);
    for (let i = 0; i < 8; i++) expect(host.bind(1, 99 + i)).to.equal(Code.ok);
    expect(host.bind(1, 200)).to.equal(Code.tooManyPorts);
    expect(host.bind(2, 99)).to.equal(Code.portInUse);
    expect(host.bind(2, 99, 0)).to.equal(Code.portInUse);
    expect(host.bind(1, 99, 0)).to.equal(Code.ok);
    expect(host.bind(2, 99)).to.equal(Code.ok);
  });

  it('drops calls of users who are not open', () => {
    const bench = new Bench();
    const host = bench.addHost().configure();
    host.call(4, UserCall.nop, { slot: 1 });
    bench.run(1e7);
    expect(host.nic.counterValues()).to.include({ callsClosed: 1, calls: 0 });
  });

  it('writes no result without a map of the metadata', () => {
    const { bench, host } = oneHost();
    host.map(1, Region.c2hMetadata, 0);
    host.call(1, UserCall.nop, { slot: 1 });
    bench.run(1e7);
    expect(host.violations).to.deep.equal([]);
    expect(
      host
        .region(1, Region.c2hMetadata)
        .slice(0, 2 * CALL_BYTES)
        .every((byte) => byte === 0),
    ).to.equal(true);
  });
});
