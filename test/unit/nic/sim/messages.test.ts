// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import { CallFlag, Code, MacRegister, Region, Register, ResultFlag, UserCall } from '#src/nic/regs.js';
import { FrameRecord } from '#src/nic/sim/protocol/frame-record.js';
import { parseFrame } from '#src/nic/sim/protocol/frame.js';
import { Bench, pattern, type Host } from './bench.js';

const { accepted, bufferReusable, delivered, failed, final, inPool, truncated } = ResultFlag;
const POOL_BASE = 0x100000;
const PORT = 99;
const MS = 1e9;

function pair(options = {}): { bench: Bench; client: Host; server: Host } {
  const bench = new Bench();
  const client = bench.addHost(options).configure();
  const server = bench.addHost(options).configure();
  client.knows(server).open(1);
  server.knows(client).open(1, PORT);
  return { bench, client, server };
}

function loop(): { bench: Bench; host: Host } {
  const bench = new Bench();
  const host = bench.addHost().configure(7).open(1).open(2, PORT);
  return { bench, host };
}

describe('messages: request and response', () => {
  for (const family of ['ipv4', 'ipv6'] as const) {
    for (const size of [1, 64, 65, 1404, 1424, 1425, 3000, 40000, 40001, 200000, 1_000_000]) {
      it(`carries ${String(size)} bytes there and back over ${family}`, () => {
        const { bench, client, server } = pair();
        const request = pattern(size, 3);
        const response = pattern(size, 7);
        client.load(1, 0, request);
        server.load(1, 16, response.subarray(0, 1_000_000));
        client.call(1, UserCall.recvmsg, { slot: 2, size, buffAddr: 8, flags: CallFlag.matchResponses });
        server.call(1, UserCall.recvmsg, { slot: 5, size, cookie: 55n });
        client.call(1, UserCall.sendmsg, {
          slot: 1,
          size,
          cookie: 11n,
          peer: server[family],
          peerPort: PORT,
        });
        const sent = client.wait(1, 1, accepted);
        expect(sent).to.include({ id: 2n, flags: accepted, ownPort: 0x8001 });
        const got = server.wait(1, 5, final, 100 * MS);
        expect(got).to.include({ flags: delivered | final, code: 0, size, id: 3n, cookie: 55n });
        expect(got).to.include({ peerPort: 0x8001, ownPort: PORT });
        expect(got.peer).to.equal(Buffer.from(client[family]).toString('hex'));
        expect(Buffer.compare(server.received(1, 0, size), request)).to.equal(0);
        server.call(1, UserCall.sendmsg, {
          slot: 6,
          size,
          buffAddr: 16,
          id: got.id,
          peer: client[family],
          peerPort: got.peerPort,
        });
        const answer = client.wait(1, 2, final, 100 * MS);
        expect(answer).to.include({ flags: delivered | final, size, id: 2n, cookie: 11n, buffAddr: 8 });
        expect(Buffer.compare(client.received(1, 8, size), response)).to.equal(0);
        expect(client.wait(1, 1, final)).to.include({
          flags: accepted | delivered | bufferReusable | final,
          id: 2n,
        });
        expect(server.wait(1, 6, final, 10 * MS).flags).to.equal(
          accepted | delivered | bufferReusable | final,
        );
        bench.run(300 * MS);
        expect(client.nic.liveState()).to.deep.equal({ rpcs: 0, poolChunks: 0, packets: 0 });
        expect(server.nic.liveState()).to.deep.equal({ rpcs: 0, poolChunks: 0, packets: 0 });
        expect([client.nic.nextEventPs(), server.nic.nextEventPs()]).to.deep.equal([Infinity, Infinity]);
        expect([...client.violations, ...server.violations]).to.deep.equal([]);
        expect(client.nic.counterValues().dataRetransmitted).to.equal(0);
      });
    }
  }

  it('takes an inline payload, and its buffer is reusable at once', () => {
    const { client, server } = pair();
    const payload = pattern(64, 9);
    server.call(1, UserCall.recvmsg, { slot: 5, size: 64 });
    client.nic.mmioWrite(0x4000 + 0x1000, payload);
    client.call(1, UserCall.sendmsg, {
      slot: 1,
      size: 40,
      flags: CallFlag.inline,
      peer: server.ipv4,
      peerPort: PORT,
    });
    client.nic.mmioWrite(0x4000 + 0x1000, new Uint8Array(64));
    expect(client.wait(1, 1, accepted).flags).to.equal(accepted | bufferReusable);
    expect(server.wait(1, 5, final).size).to.equal(40);
    expect([...server.received(1, 0, 40)]).to.deep.equal([...payload.subarray(0, 40)]);
    expect(client.nic.counterValues().dmaReads).to.equal(0);
  });

  it('turns frames round in the MAC: one card is client and server', () => {
    const { host } = loop();
    const message = pattern(5000, 2);
    host.load(1, 100, message);
    host.call(2, UserCall.recvmsg, { slot: 1, size: 8192 });
    host.call(1, UserCall.recvmsg, { slot: 2, size: 64 });
    host.call(1, UserCall.sendmsg, { slot: 1, size: 5000, buffAddr: 100, peer: host.ipv6, peerPort: PORT });
    const got = host.wait(2, 1, final);
    expect(Buffer.compare(host.received(2, 0, 5000), message)).to.equal(0);
    host.call(2, UserCall.sendmsg, {
      slot: 3,
      size: 1,
      flags: CallFlag.inline,
      id: got.id,
      peer: host.ipv6,
      peerPort: got.peerPort,
    });
    expect(host.wait(1, 2, final).size).to.equal(1);
    expect(host.frames).to.deep.equal([]);
    expect(host.nic.counterValues()).to.include({ dataSent: 5, dataReceived: 5, rpcsStarted: 2 });
  });

  it('lets one user be both ends', () => {
    const bench = new Bench();
    const host = bench.addHost().configure(7).open(3, 7);
    host.call(3, UserCall.recvmsg, { slot: 1, size: 64, flags: CallFlag.matchRequests });
    host.call(3, UserCall.recvmsg, { slot: 2, size: 64, flags: CallFlag.matchResponses, buffAddr: 64 });
    host.call(3, UserCall.sendmsg, { slot: 3, size: 64, peer: host.ipv4, peerPort: 7 });
    const got = host.wait(3, 1, final);
    expect(got.id).to.equal(3n);
    host.call(3, UserCall.sendmsg, {
      slot: 4,
      size: 64,
      id: got.id,
      peer: host.ipv4,
      peerPort: got.peerPort,
    });
    expect(host.wait(3, 2, final).id).to.equal(2n);
  });

  it('writes every byte of a payload before the result that speaks of it', () => {
    const { client, server } = pair();
    server.keepWrites = true;
    server.call(1, UserCall.recvmsg, { slot: 5, size: 9000 });
    client.call(1, UserCall.sendmsg, { slot: 1, size: 9000, peer: server.ipv6, peerPort: PORT });
    server.wait(1, 5, final);
    const isResult = server.writes.map(
      ({ length, address }) => length === 64 && address % 0x400000 >= 0x300000,
    );
    expect(isResult.indexOf(true)).to.equal(server.writes.length - 1);
    const payload = server.writes.slice(0, -1).reduce((sum, { length }) => sum + length, 0);
    expect(payload).to.equal(9000);
  });

  it('spaces frames by the time they occupy on the wire', () => {
    const { client, server } = pair();
    client.register(Register.unscheduledBytes, 1_000_000);
    server.call(1, UserCall.recvmsg, { slot: 5, size: 100000 });
    client.call(1, UserCall.sendmsg, { slot: 1, size: 100000, peer: server.ipv4, peerPort: PORT });
    server.wait(1, 5, final);
    const data = client.frames.filter((entry) => entry.frame.length > 1000);
    const gaps = data.slice(1).map((entry, i) => entry.timePs - data[i]!.timePs);
    expect(Math.min(...gaps)).to.equal((1514 + 24) * 80);
    expect(gaps.filter((gap) => gap === (1514 + 24) * 80).length).to.be.greaterThan(gaps.length * 0.9);
  });

  it('sends nothing while the MAC is disabled, and tells of a pulled cable', () => {
    const { bench, client, server } = pair();
    client.register(MacRegister.macControl, 0);
    client.call(1, UserCall.sendmsg, { slot: 1, size: 64, peer: server.ipv4, peerPort: PORT });
    expect(client.wait(1, 1, final, 200 * MS)).to.include({ code: Code.timedOut });
    client.register(MacRegister.macControl, 3);
    client.nic.link(false);
    expect(client.read32(Register.status) & 2).to.equal(0);
    client.call(1, UserCall.sendmsg, { slot: 2, size: 64, peer: server.ipv4, peerPort: PORT });
    expect(client.wait(1, 2, final, 200 * MS)).to.include({ code: Code.linkDown });
    bench.run(MS);
    expect(client.frames).to.deep.equal([]);
  });
});

describe('messages: receive pool and matching', () => {
  function send(client: Host, server: Host, slot: number, size: number): void {
    client.call(1, UserCall.sendmsg, { slot, size, buffAddr: 0, peer: server.ipv4, peerPort: PORT });
  }

  it('keeps early messages in the pool and returns them in place, in order of completion', () => {
    const { bench, client, server } = pair();
    client.load(1, 0, pattern(10000, 4));
    send(client, server, 1, 10000);
    bench.run(MS);
    send(client, server, 2, 50);
    bench.run(MS);
    server.call(1, UserCall.recvmsg, { slot: 9, size: 0 });
    const first = server.wait(1, 9, final);
    expect(first).to.include({ flags: delivered | final | inPool, size: 10000, buffAddr: POOL_BASE });
    expect(Buffer.compare(server.received(1, POOL_BASE, 10000), pattern(10000, 4))).to.equal(0);
    server.call(1, UserCall.recvmsg, { slot: 10, size: 64 });
    const second = server.wait(1, 10, final);
    expect(second).to.include({ size: 50, buffAddr: POOL_BASE + 3 * 4096 });
    expect(server.nic.liveState().poolChunks).to.equal(4);
    for (const [slot, offset] of [
      [11, POOL_BASE],
      [12, POOL_BASE + 3 * 4096],
    ] as const) {
      server.call(1, UserCall.release, { slot, buffAddr: offset });
      expect(server.wait(1, slot, final).flags).to.equal(accepted | final);
    }
    server.call(1, UserCall.release, { slot: 13, buffAddr: POOL_BASE });
    expect(server.wait(1, 13, final).code).to.equal(Code.notInPool);
    expect(server.nic.liveState().poolChunks).to.equal(0);
  });

  it('says that a message was longer than its buffer', () => {
    const { client, server } = pair();
    client.load(1, 0, pattern(3000, 4));
    server.call(1, UserCall.recvmsg, { slot: 9, size: 100, buffAddr: 500 });
    send(client, server, 1, 3000);
    expect(server.wait(1, 9, final)).to.include({ flags: delivered | final | truncated, size: 3000 });
    expect([...server.received(1, 500, 100)]).to.deep.equal([...pattern(3000, 4).subarray(0, 100)]);
    expect(server.received(1, 600, 3000).every((byte) => byte === 0)).to.equal(true);
  });

  it('matches by kind and by id, oldest call first', () => {
    const { bench, client, server } = pair();
    client.call(1, UserCall.recvmsg, { slot: 20, size: 64, flags: CallFlag.matchRequests });
    send(client, server, 1, 10);
    send(client, server, 2, 10);
    const id = client.wait(1, 2, accepted).id;
    client.call(1, UserCall.recvmsg, { slot: 21, size: 64, id });
    client.call(1, UserCall.recvmsg, { slot: 22, size: 64 });
    bench.run(MS);
    for (const slot of [1, 2]) {
      server.call(1, UserCall.recvmsg, { slot, size: 64 });
      const got = server.wait(1, slot, final);
      server.call(1, UserCall.sendmsg, {
        slot: slot + 2,
        size: 5,
        id: got.id,
        peer: client.ipv4,
        peerPort: got.peerPort,
      });
    }
    expect(client.wait(1, 21, final).id).to.equal(id);
    expect(client.wait(1, 22, final).id).to.equal(2n);
    expect(client.result(1, 20).flags).to.equal(0);
  });

  it('drops what has no room, and fetches it once a buffer is there', () => {
    const { bench, client, server } = pair();
    client.load(1, 0, pattern(1_000_000, 5));
    send(client, server, 1, 1_000_000);
    bench.run(20 * MS);
    send(client, server, 2, 500_000);
    bench.run(200 * MS);
    expect(server.nic.counterValues().dropNoBuffer).to.be.greaterThan(0);
    expect(client.result(1, 2).flags).to.equal(accepted);
    server.call(1, UserCall.recvmsg, { slot: 9, size: 0 });
    const first = server.wait(1, 9, final, 400 * MS);
    expect(first.size).to.equal(1_000_000);
    server.call(1, UserCall.release, { slot: 10, buffAddr: first.buffAddr });
    server.call(1, UserCall.recvmsg, { slot: 11, size: 0 });
    expect(server.wait(1, 11, final, 100 * MS).size).to.equal(500_000);
    expect(
      Buffer.compare(server.received(1, POOL_BASE, 500_000), pattern(1_000_000, 5).subarray(0, 500_000)),
    ).to.equal(0);
  });
});

describe('messages: bad calls', () => {
  const refusals: [string, UserCall, Parameters<Host['call']>[2], number][] = [
    ['size 0', UserCall.sendmsg, { size: 0 }, Code.badSize],
    ['size 1,000,001', UserCall.sendmsg, { size: 1_000_001 }, Code.badSize],
    ['inline of 65 bytes', UserCall.sendmsg, { size: 65, flags: 1 }, Code.badSize],
    ['a buffer that ends outside', UserCall.sendmsg, { size: 2, buffAddr: 1048575 }, Code.badBuffer],
    ['an offset that wraps', UserCall.sendmsg, { size: 2, buffAddr: 0xffffffff }, Code.badBuffer],
    ['reserved flags', UserCall.sendmsg, { size: 1, flags: 2 }, Code.badFlags],
    ['no peer', UserCall.sendmsg, { size: 1, peer: new Uint8Array(16) }, Code.badPeer],
    ['port 0', UserCall.sendmsg, { size: 1, peerPort: 0 }, Code.badPeer],
    ['a multicast peer', UserCall.sendmsg, { size: 1, peer: new Uint8Array(16).fill(255) }, Code.badPeer],
    ['an unknown id', UserCall.sendmsg, { size: 1, id: 77n }, Code.noRpc],
    ['a client id in a response', UserCall.sendmsg, { size: 1, id: 2n }, Code.noRpc],
    ['a buffer in the pool', UserCall.recvmsg, { size: 2, buffAddr: POOL_BASE - 1 }, Code.badBuffer],
    ['an unknown id', UserCall.recvmsg, { size: 2, id: 99n }, Code.noRpc],
    ['the inline flag', UserCall.recvmsg, { size: 2, flags: 1 }, Code.badFlags],
    ['an unknown id', UserCall.cancel, { id: 98n }, Code.noRpc],
    ['a slot without recvmsg', UserCall.cancel, { buffAddr: 8 }, Code.noRecvmsg],
    ['an offset nobody lent', UserCall.release, { buffAddr: POOL_BASE }, Code.notInPool],
  ];
  for (const [what, call, fields, code] of refusals) {
    it(`refuses ${what} in call ${String(call)}`, () => {
      const { client, server } = pair();
      client.call(1, call, { slot: 30, peer: server.ipv6, peerPort: PORT, ...fields });
      expect(client.wait(1, 30, failed)).to.include({ code, flags: failed | final });
      expect(client.nic.liveState().rpcs).to.equal(0);
    });
  }

  it('refuses a slot that still waits, through the error slot', () => {
    const { client } = pair();
    client.call(1, UserCall.recvmsg, { slot: 4, size: 10 });
    client.call(1, UserCall.nop, { slot: 4 });
    expect(client.wait(1, 0, failed).code).to.equal(Code.slotInUse);
    expect(client.result(1, 4).flags).to.equal(0);
  });

  it('refuses sendmsg and recvmsg without their maps', () => {
    const { client, server } = pair();
    client.map(1, Region.h2cMsgbuff, 0);
    client.map(1, Region.c2hMsgbuff, 0);
    client.call(1, UserCall.sendmsg, { slot: 1, size: 1, peer: server.ipv4, peerPort: PORT });
    client.call(1, UserCall.recvmsg, { slot: 2, size: 1 });
    expect(client.wait(1, 1, failed).code).to.equal(Code.noMap);
    expect(client.wait(1, 2, failed).code).to.equal(Code.noMap);
  });

  it('refuses a request when the RPC table is full', () => {
    const { client, server } = pair({ rpcEntries: 3 });
    for (let slot = 1; slot <= 4; slot++) {
      client.call(1, UserCall.sendmsg, { slot, size: 1, peer: server.ipv4, peerPort: PORT });
    }
    expect(client.wait(1, 4, failed).code).to.equal(Code.tableFull);
    expect(client.wait(1, 3, accepted).flags & failed).to.equal(0);
    expect(client.read32(Register.rpcEntries)).to.equal(3);
  });
});

describe('messages: packets', () => {
  it('writes both offsets, cuts at the unscheduled limit and fills the header', () => {
    const { client, server } = pair();
    server.call(1, UserCall.recvmsg, { slot: 5, size: 50000 });
    client.call(1, UserCall.sendmsg, { slot: 1, size: 50000, peer: server.ipv4, peerPort: PORT });
    server.wait(1, 5, final, 10 * MS);
    const record = new FrameRecord();
    const cuts: number[] = [];
    for (const { frame } of client.frames) {
      expect(parseFrame(frame, record, null)).to.equal(0);
      if (record.type !== 0x10) continue;
      expect(record.sequence).to.equal(record.segOffset);
      expect(record).to.include({ incoming: 40000, messageLength: 50000, senderIdLo: 2, doff: 14 });
      cuts.push(record.offset);
    }
    expect(cuts).to.include(40000);
    expect(cuts[1]).to.equal(1424);
    expect(cuts).to.have.length(Math.ceil(40000 / 1424) + Math.ceil(10000 / 1424));
  });
});
