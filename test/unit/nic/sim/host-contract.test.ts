// SPDX-License-Identifier: Apache-2.0
// Rows of the host interface (design section 4) that the other files of this folder do not hold a test for.
import { expect } from 'chai';
import { DmaStatus } from '#src/nic/device.js';
import {
  APERTURE_BYTES,
  CALL_BYTES,
  CallFlag,
  Code,
  HeaderLayout,
  INLINE_OFFSET,
  KernelCall,
  MAX_OUTSTANDING_CALLS,
  Register,
  ResultFlag,
  USER_STATES,
  USER_STATE_BYTES,
  UserCall,
  UserOperation,
  UserState,
  UserStateField,
} from '#src/nic/regs.js';
import { FrameRecord } from '#src/nic/sim/protocol/frame-record.js';
import { parseFrame } from '#src/nic/sim/protocol/frame.js';
import { Bench, callBytes, pattern, type Host } from './bench.js';

const { accepted, delivered, failed, final } = ResultFlag;
const PORT = 99;
const US = 1e6;

function oneHost(): { bench: Bench; host: Host } {
  const bench = new Bench();
  return { bench, host: bench.addHost().configure().open(1) };
}

function pair(): { bench: Bench; client: Host; server: Host } {
  const bench = new Bench();
  const client = bench.addHost().configure();
  const server = bench.addHost().configure();
  client.knows(server).open(1);
  server.knows(client).open(1, PORT);
  return { bench, client, server };
}

/** Stores words `first`..`last` of a call, one by one. */
function storeWords(host: Host, at: number, call: Uint8Array, first: number, last: number): void {
  for (let word = first; word <= last; word++)
    host.nic.mmioWrite(at + word * 8, call.slice(word * 8, word * 8 + 8));
}

const stateOf = (host: Host, user: number): number =>
  host.read32(USER_STATES + user * USER_STATE_BYTES + UserStateField.state);

describe('host contract: back-pressure', () => {
  it('answers busy, in the error slot, to the call after 255 outstanding ones', () => {
    const { bench, host } = oneHost();
    for (let slot = 1; slot <= MAX_OUTSTANDING_CALLS; slot++)
      host.call(1, UserCall.recvmsg, { slot, size: 64 });
    bench.run(100 * US);
    expect(host.read32(USER_STATES + 16 + UserStateField.outstanding)).to.equal(MAX_OUTSTANDING_CALLS);
    host.call(1, UserCall.nop, { slot: 7, cookie: 77n });
    const result = host.wait(1, 0, failed | final);
    expect(result.code).to.equal(Code.busy);
    expect(host.result(1, 7).flags).to.equal(0);
    expect(host.nic.counterValues()).to.include({ callsBusy: 1, callsRejected: 0 });
  });

  it('takes calls again when one of the 255 has ended', () => {
    const { bench, host } = oneHost();
    for (let slot = 1; slot <= 254; slot++) host.call(1, UserCall.recvmsg, { slot, size: 64 });
    bench.run(100 * US);
    host.call(1, UserCall.cancel, { slot: 255, buffAddr: 254 });
    expect(host.wait(1, 255, final).flags).to.equal(accepted | final);
    expect(host.wait(1, 254, final).code).to.equal(Code.cancelled);
    host.clearSlot(1, 254);
    host.call(1, UserCall.nop, { slot: 254, cookie: 5n });
    expect(host.wait(1, 254, final)).to.include({ cookie: 5n, flags: accepted | final });
  });
});

describe('host contract: completeness of calls', () => {
  const nop = APERTURE_BYTES + UserCall.nop;

  it('forgets half a call when its user is closed and opened again', () => {
    const { bench, host } = oneHost();
    storeWords(host, nop, callBytes({ slot: 3, cookie: 6n }), 0, 4);
    host.userCall(1, UserOperation.quiesce);
    host.userCall(1, UserOperation.close);
    host.open(1);
    storeWords(host, nop, callBytes({ slot: 3, cookie: 7n }), 5, 7);
    bench.run(10 * US);
    expect(host.result(1, 3).flags).to.equal(0);
    expect(host.nic.counterValues()).to.include({ calls: 0, callsTorn: 0 });
    storeWords(host, nop, callBytes({ slot: 3, cookie: 7n }), 0, 4);
    expect(host.wait(1, 3, final).cookie).to.equal(7n);
  });

  it('fills the cells of two threads at once, word by word', () => {
    const { host } = oneHost();
    const [a, b] = [callBytes({ slot: 1, cookie: 1n }), callBytes({ slot: 2, cookie: 2n })];
    for (let word = 7; word >= 0; word--) {
      storeWords(host, nop, a, word, word);
      storeWords(host, nop + 512, b, word, word);
    }
    expect(host.wait(1, 1, final).cookie).to.equal(1n);
    expect(host.wait(1, 2, final).cookie).to.equal(2n);
  });

  it('takes the inline payload that belongs to the set of the call, stored in words of any order', () => {
    const { client, server } = pair();
    const sets = [0, 3, 7];
    for (const set of sets) {
      const payload = pattern(64, 20 + set);
      for (const word of [6, 1, 7, 0, 3, 2, 5, 4])
        client.nic.mmioWrite(
          APERTURE_BYTES + INLINE_OFFSET + set * 512 + word * 8,
          payload.slice(word * 8, word * 8 + 8),
        );
    }
    for (const set of sets) {
      server.call(1, UserCall.recvmsg, { slot: 10 + set, size: 64, buffAddr: 64 * set });
      const fields = { slot: 1 + set, size: 64, flags: CallFlag.inline, peer: server.ipv6, peerPort: PORT };
      client.call(1, UserCall.sendmsg, fields, set);
      server.wait(1, 10 + set, final);
      expect([...server.received(1, 64 * set, 64)]).to.deep.equal([...pattern(64, 20 + set)]);
    }
    expect(client.nic.counterValues().dmaReads).to.equal(0);
  });
});

describe('host contract: results', () => {
  for (const slot of [0, 256, 4095]) {
    it(`reports slot ${String(slot)} in the error slot, with nothing behind the 24 bytes of the call`, () => {
      const { host } = oneHost();
      const call = callBytes({ slot, cookie: 1n });
      call.fill(0xab, 4, 24);
      host.nic.mmioWrite(APERTURE_BYTES + UserCall.nop, call);
      const result = host.wait(1, 0, failed | final);
      expect(result).to.include({ code: Code.badSlot, sequence: 1, flags: failed | final });
      expect([...result.bytes.subarray(4, 28)]).to.deep.equal([...call.subarray(0, 24)]);
      expect(result.bytes.subarray(28).every((byte) => byte === 0)).to.equal(true);
    });
  }

  it('is one aligned 64-byte write, however small the DMA bursts are', () => {
    const { host } = oneHost();
    host.kernelCall(KernelCall.config, (view) => {
      view.setUint8(62, 6);
      view.setUint8(63, 6);
    });
    host.keepWrites = true;
    for (let slot = 1; slot <= 5; slot++) host.call(1, UserCall.nop, { slot });
    host.wait(1, 5, final);
    expect(host.writes.map(({ address, length }) => [address % CALL_BYTES, length])).to.deep.equal(
      Array.from({ length: 5 }, () => [0, CALL_BYTES]),
    );
  });

  it('refuses flags on calls that have none', () => {
    const { host } = oneHost();
    for (const [slot, call] of [
      [1, UserCall.cancel],
      [2, UserCall.release],
      [3, UserCall.nop],
    ] as const) {
      host.call(1, call, { slot, flags: CallFlag.inline });
      expect(host.wait(1, slot, failed).code).to.equal(Code.badFlags);
    }
  });
});

describe('host contract: orientation', () => {
  for (const family of ['ipv4', 'ipv6'] as const) {
    it(`puts the user's own ${family} address and port into packets, whatever the call says`, () => {
      const { client, server } = pair();
      const call = callBytes({ slot: 1, size: 10, peer: server[family], peerPort: PORT });
      call.set(server[family], HeaderLayout.saddr.offset);
      new DataView(call.buffer).setUint16(HeaderLayout.sport.offset, 4711, true);
      server.call(1, UserCall.recvmsg, { slot: 5, size: 64 });
      client.nic.mmioWrite(APERTURE_BYTES + UserCall.sendmsg, call);
      const got = server.wait(1, 5, final);
      expect(got).to.include({ peerPort: 0x8001, ownPort: PORT });
      expect(got.peer).to.equal(Buffer.from(client[family]).toString('hex'));
      const record = new FrameRecord();
      for (const { frame } of client.frames) {
        expect(parseFrame(frame, record, null)).to.equal(0);
        expect(record.sourcePort).to.equal(0x8001);
      }
      const sent = client.result(1, 1);
      expect(Buffer.from(sent.bytes.subarray(4, 20)).toString('hex')).to.equal(
        Buffer.from(client[family]).toString('hex'),
      );
      expect(sent).to.include({ ownPort: 0x8001, peerPort: PORT });
    });
  }
});

describe('host contract: identity', () => {
  it('reads of an aperture change no counter and leave a call that is being stored alone', () => {
    const { host } = oneHost();
    const call = callBytes({ slot: 9, cookie: 12n });
    storeWords(host, APERTURE_BYTES + UserCall.nop, call, 0, 3);
    const before = host.nic.counterValues();
    const identity = host.readBytes(Register.magic, 64);
    for (const offset of [0, UserCall.nop, INLINE_OFFSET, 0x3fc0]) {
      expect([...host.readBytes(APERTURE_BYTES + offset, 64)]).to.deep.equal([...identity]);
    }
    expect([...host.readBytes(9 * APERTURE_BYTES, 64)], 'a user who is not open').to.deep.equal([
      ...identity,
    ]);
    expect(host.nic.counterValues()).to.deep.equal(before);
    storeWords(host, APERTURE_BYTES + UserCall.nop, call, 4, 7);
    expect(host.wait(1, 9, final).cookie).to.equal(12n);
  });
});

describe('host contract: quiesce and core reset', () => {
  /** A host whose bus answers no DMA until `answer` is called. */
  function silentBus(): { bench: Bench; host: Host; answer: () => void } {
    const { bench, host } = oneHost();
    const held: (() => void)[] = [];
    host.dmaWrite = (_timePs, tag) => held.push(() => host.nic.dmaWriteDone(tag, DmaStatus.ok));
    return { bench, host, answer: () => held.splice(0).forEach((act) => act()) };
  }

  it('a user quiesces for as long as the bus owes it an answer, and cannot be closed meanwhile', () => {
    const { bench, host, answer } = silentBus();
    host.call(1, UserCall.nop, { slot: 1 });
    bench.run(10 * US);
    expect(host.userCall(1, UserOperation.quiesce)).to.equal(Code.ok);
    bench.run(1e12);
    expect(stateOf(host, 1)).to.equal(UserState.quiescing);
    expect(host.userCall(1, UserOperation.close)).to.equal(Code.notQuiesced);
    answer();
    expect(stateOf(host, 1)).to.equal(UserState.quiesced);
    expect(host.userCall(1, UserOperation.close)).to.equal(Code.ok);
  });

  it('after a core reset the card is idle only when the bus has answered what was under way', () => {
    const { bench, host, answer } = silentBus();
    host.call(1, UserCall.nop, { slot: 1 });
    bench.run(10 * US);
    host.register(Register.control, 1);
    bench.run(10 * US);
    expect(host.read32(Register.status) & 5, 'out of reset, not idle').to.equal(0);
    answer();
    expect(host.read32(Register.status) & 5).to.equal(1);
  });

  it('a core reset ends RPCs and receives, and the card works as new', () => {
    const { bench, client, server } = pair();
    server.call(1, UserCall.recvmsg, { slot: 5, size: 1_000_000 });
    client.call(1, UserCall.sendmsg, { slot: 1, size: 1_000_000, peer: server.ipv6, peerPort: PORT });
    bench.run(20 * US);
    for (const host of [client, server]) host.register(Register.control, 1);
    bench.run(20 * US);
    for (const host of [client, server]) {
      expect(host.nic.liveState()).to.deep.equal({ rpcs: 0, poolChunks: 0, packets: 0 });
      expect(stateOf(host, 1)).to.equal(UserState.closed);
    }
    client.configure().knows(server).open(1);
    server.configure().knows(client).open(1, PORT);
    server.call(1, UserCall.recvmsg, { slot: 5, size: 64 });
    client.call(1, UserCall.sendmsg, { slot: 1, size: 20, peer: server.ipv6, peerPort: PORT });
    expect(server.wait(1, 5, final)).to.include({ flags: delivered | final, size: 20 });
    expect([...client.violations, ...server.violations]).to.deep.equal([]);
  });
});

describe('host contract: advance', () => {
  it('stops after the first instant with output, says which, and else reaches what it was asked for', () => {
    const { bench, host } = oneHost();
    host.keepWrites = true;
    const begin = bench.nowPs;
    for (let slot = 1; slot <= 3; slot++) host.call(1, UserCall.nop, { slot });
    const first = host.nic.nextEventPs();
    expect(first).to.be.greaterThan(begin).and.to.satisfy(Number.isSafeInteger);
    expect(host.nic.advance(first - 1), 'nothing is due').to.equal(first - 1);
    const stops: number[] = [];
    while (host.nic.nextEventPs() !== Infinity) {
      const before = host.writes.length;
      const reached = host.nic.advance(begin + 100 * US);
      expect(host.writes.slice(before).map(({ timePs }) => timePs)).to.deep.equal([reached]);
      stops.push(reached);
    }
    expect(stops).to.have.length(3);
    expect([...stops].sort((a, b) => a - b)).to.deep.equal(stops);
    expect(host.nic.advance(begin + 200 * US)).to.equal(begin + 200 * US);
    expect(host.nic.advance(Infinity), 'idle: time stays').to.equal(begin + 200 * US);
  });

  it('a bus reset forgets calls, users and what the bus owed, and time goes on', () => {
    const { bench, host } = oneHost();
    host.call(1, UserCall.nop, { slot: 1 });
    const { nowPs } = bench;
    host.nic.reset();
    expect(host.nic.nextEventPs()).to.equal(Infinity);
    expect(host.nic.advance(nowPs + US)).to.equal(nowPs + US);
    expect(stateOf(host, 1)).to.equal(UserState.closed);
  });
});
