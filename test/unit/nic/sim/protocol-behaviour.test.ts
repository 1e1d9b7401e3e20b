// SPDX-License-Identifier: Apache-2.0
// What the card does when packets are lost, peers are silent, calls are cancelled and users leave.
import { expect } from 'chai';
import { DmaStatus } from '#src/nic/device.js';
import {
  CallFlag,
  Code,
  KernelCall,
  Region,
  Register,
  ResultFlag,
  USER_STATES,
  UserCall,
  UserOperation,
  UserState,
} from '#src/nic/regs.js';
import { FrameRecord } from '#src/nic/sim/protocol/frame-record.js';
import { parseFrame } from '#src/nic/sim/protocol/frame.js';
import { homaTypeName, HomaType } from '#src/nic/sim/protocol/homa-header.js';
import { Bench, pattern, WIRE_PS, type Host } from './bench.js';

const { accepted, bufferReusable, delivered, failed, final } = ResultFlag;
const PORT = 99;
const MS = 1e9;

interface Pair {
  bench: Bench;
  client: Host;
  server: Host;
  /** Names of the Homa packets that left, in order: `client DATA`. */
  log: string[];
  /** Frames for which it answers true are lost. */
  lose: (from: Host, record: FrameRecord) => boolean;
}

function pair(options = {}): Pair {
  const bench = new Bench();
  const client = bench.addHost(options).configure();
  const server = bench.addHost(options).configure();
  client.knows(server).open(1);
  server.knows(client).open(1, PORT);
  const state: Pair = { bench, client, server, log: [], lose: () => false };
  bench.wire = (from, frame) => {
    const record = new FrameRecord();
    if (parseFrame(frame, record, null) === 0) {
      state.log.push(`${from === client ? 'client' : 'server'} ${homaTypeName(record.type)}`);
      if (state.lose(from, record)) return;
    }
    bench.deliver(from === client ? server : client, frame, WIRE_PS);
  };
  return state;
}

function request(pairing: Pair, size = 64, slot = 1): void {
  pairing.client.call(1, UserCall.sendmsg, { slot, size, peer: pairing.server.ipv6, peerPort: PORT });
}

function respond(pairing: Pair, recvSlot: number, sendSlot: number, size = 64): bigint {
  const { server, client } = pairing;
  server.call(1, UserCall.recvmsg, { slot: recvSlot, size: 8192 });
  const got = server.wait(1, recvSlot, final, 500 * MS);
  expect(got.flags & delivered).to.equal(delivered);
  server.call(1, UserCall.sendmsg, {
    slot: sendSlot,
    size,
    id: got.id,
    peer: client.ipv6,
    peerPort: got.peerPort,
  });
  return got.id;
}

function left(pairing: Pair): void {
  pairing.bench.run(300 * MS);
  for (const host of [pairing.client, pairing.server]) {
    expect(host.nic.liveState()).to.include({ rpcs: 0, packets: 0 });
    expect(host.nic.nextEventPs()).to.equal(Infinity);
    expect(host.violations).to.deep.equal([]);
  }
}

const count = (log: string[], what: string): number => log.filter((entry) => entry === what).length;

/** An RPC from beginning to end, with a recvmsg (slot 7) posted at the server behind it; gives a copy of its first frame. */
function finishedRequest(all: ReturnType<typeof pair>): Uint8Array {
  let kept: Uint8Array | undefined;
  const deliver = all.bench.wire;
  all.bench.wire = (from, frame) => {
    kept ??= frame.slice();
    deliver(from, frame);
  };
  all.client.call(1, UserCall.recvmsg, { slot: 2, size: 64 });
  request(all);
  respond(all, 5, 6);
  all.client.wait(1, 2, final);
  all.server.wait(1, 6, final, 20 * MS);
  all.server.call(1, UserCall.recvmsg, { slot: 7, size: 64 });
  return kept!;
}

describe('protocol: loss', () => {
  it('a lost one-packet request comes back by RESEND, RPC_UNKNOWN and retransmission', () => {
    const all = pair();
    let lost = 0;
    all.lose = (_from, record) => record.type === HomaType.data && lost++ === 0;
    all.client.call(1, UserCall.recvmsg, { slot: 2, size: 64 });
    request(all);
    respond(all, 5, 6);
    expect(all.client.wait(1, 2, final).flags & delivered).to.equal(delivered);
    expect(all.log.slice(0, 4)).to.deep.equal([
      'client DATA',
      'client RESEND',
      'server RPC_UNKNOWN',
      'client DATA',
    ]);
    left(all);
  });

  it('a lost response is asked for again and sent again', () => {
    const all = pair();
    let lost = 0;
    all.lose = (from, record) => from === all.server && record.type === HomaType.data && lost++ === 0;
    all.client.call(1, UserCall.recvmsg, { slot: 2, size: 64 });
    request(all);
    respond(all, 5, 6);
    expect(all.client.wait(1, 2, final).flags & delivered).to.equal(delivered);
    expect(all.server.nic.counterValues().dataRetransmitted).to.be.greaterThan(0);
    left(all);
  });

  it('a gap is asked for with its exact bounds and filled with the original segment', () => {
    const all = pair();
    const message = pattern(8000, 3);
    all.client.load(1, 0, message);
    let lost = 0;
    all.lose = (_from, record) => record.type === HomaType.data && record.offset === 1404 && lost++ === 0;
    request(all, 8000);
    all.server.call(1, UserCall.recvmsg, { slot: 5, size: 8192 });
    all.server.wait(1, 5, final, 100 * MS);
    expect(Buffer.compare(all.server.received(1, 0, 8000), message)).to.equal(0);
    const resends = all.server.frames
      .map(({ frame }) => {
        const record = new FrameRecord();
        parseFrame(frame, record, null);
        return record;
      })
      .filter((record) => record.type === HomaType.resend);
    expect(resends.map(({ offset, length, priority }) => [offset, length, priority])).to.deep.equal([
      [1404, 1404, 7],
    ]);
    expect(all.client.nic.counterValues().dataRetransmitted).to.equal(1);
  });

  it('a lost GRANT is repaired by the receiver asking for what it granted', () => {
    const all = pair();
    all.lose = (_from, record) => record.type === HomaType.grant;
    const message = pattern(300_000, 3);
    all.client.load(1, 0, message);
    all.server.call(1, UserCall.recvmsg, { slot: 5, size: 300_000 });
    request(all, 300_000);
    expect(all.server.wait(1, 5, final, 500 * MS).flags & delivered).to.equal(delivered);
    expect(Buffer.compare(all.server.received(1, 0, 300_000), message)).to.equal(0);
  });

  it('a duplicate of a finished request is not delivered again', () => {
    const all = pair();
    const kept = finishedRequest(all);
    all.server.nic.frameIn(kept);
    all.bench.run(20 * MS);
    expect(all.server.result(1, 7).flags).to.equal(0);
    expect(all.server.nic.counterValues().dropDuplicate).to.equal(1);
  });
});

describe('protocol: a long time-out', () => {
  it('is how long finished requests are remembered at least: their packets may be as old', () => {
    const all = pair();
    all.server.register(Register.timeoutTicks, 1000);
    const kept = finishedRequest(all);
    all.bench.run(900 * MS);
    all.server.nic.frameIn(kept);
    all.bench.run(20 * MS);
    expect(all.server.result(1, 7).flags).to.equal(0);
    all.bench.run(1200 * MS);
    expect(all.server.nic.nextEventPs()).to.equal(Infinity);
  });
});

describe('protocol: silence', () => {
  it('asks 19 times and gives up after 100 ticks', () => {
    const all = pair();
    all.lose = (from) => from === all.server;
    all.client.call(1, UserCall.recvmsg, { slot: 2, size: 64, flags: CallFlag.matchResponses });
    request(all);
    const result = all.client.wait(1, 1, final, 200 * MS);
    expect(result).to.include({ code: Code.timedOut, flags: accepted | failed | final | bufferReusable });
    expect(count(all.log, 'client RESEND')).to.equal(19);
    expect(all.client.nic.counterValues()).to.include({ rpcsFailed: 1, rpcsTimedOut: 1 });
    expect(all.client.result(1, 2).flags).to.equal(0);
  });

  it('tells a recvmsg that waits for just this RPC too', () => {
    const all = pair();
    all.lose = () => true;
    request(all);
    const { id } = all.client.wait(1, 1, accepted);
    all.client.call(1, UserCall.recvmsg, { slot: 2, size: 64, id });
    expect(all.client.wait(1, 2, final, 200 * MS)).to.include({ code: Code.timedOut, flags: failed | final });
  });

  it('a slow server keeps the client waiting with BUSY', () => {
    const all = pair();
    all.client.call(1, UserCall.recvmsg, { slot: 2, size: 64 });
    request(all);
    all.server.call(1, UserCall.recvmsg, { slot: 5, size: 64 });
    const got = all.server.wait(1, 5, final);
    all.bench.run(500 * MS);
    expect(all.client.result(1, 1).flags).to.equal(accepted);
    expect(count(all.log, 'server BUSY')).to.be.greaterThan(50);
    all.server.call(1, UserCall.sendmsg, {
      slot: 6,
      size: 1,
      id: got.id,
      peer: all.client.ipv6,
      peerPort: got.peerPort,
    });
    expect(all.client.wait(1, 2, final).flags & delivered).to.equal(delivered);
  });

  it('sends NEED_ACK from 2 ticks on, and forgets a client that stays silent', () => {
    const all = pair();
    all.server.register(Register.needAckLimit, 10);
    all.lose = (from, record) => from === all.client && record.type !== HomaType.data;
    all.client.call(1, UserCall.recvmsg, { slot: 2, size: 64 });
    request(all);
    respond(all, 5, 6);
    expect(all.server.wait(1, 6, final, 50 * MS)).to.include({
      code: Code.timedOut,
      flags: accepted | failed | final | bufferReusable,
    });
    expect(count(all.log, 'server NEED_ACK')).to.equal(10);
    left(all);
  });

  it('a response that waits for grants of a dead client ends', () => {
    const all = pair();
    all.server.register(Register.needAckLimit, 10);
    all.client.call(1, UserCall.recvmsg, { slot: 2, size: 1_000_000 });
    request(all);
    all.lose = (from, record) => from === all.client && record.type !== HomaType.data;
    respond(all, 5, 6, 200_000);
    expect(all.server.wait(1, 6, final, 200 * MS)).to.include({ code: Code.timedOut });
    all.bench.run(300 * MS);
    expect(all.server.nic.liveState().rpcs).to.equal(0);
  });

  it('a response whose client lives and has no grant to give is not given up', () => {
    const bench = new Bench();
    const hosts = [1, 2, 3].map(() => bench.addHost().configure());
    const [client, server, hog] = hosts as [Host, Host, Host];
    client.knows(server).knows(hog).open(1, PORT);
    for (const host of [server, hog]) host.knows(client).open(1, PORT);
    const busys: number[] = [];
    let fromHog = 0;
    bench.wire = (from, frame) => {
      const record = new FrameRecord();
      if (parseFrame(frame, record, null) === 0 && record.type === HomaType.busy)
        busys.push(record.sourcePort);
      // one packet of the hog's message comes; what it owes the client takes all that the client may have under way
      if (from === hog && ++fromHog > 1) return;
      const to = hosts.find((host) => host.mac.every((byte, i) => frame[i] === byte))!;
      bench.deliver(to, frame, WIRE_PS);
    };
    client.register(Register.maxIncoming, 10_000);
    server.register(Register.needAckLimit, 10);
    hog.call(1, UserCall.sendmsg, { slot: 1, size: 50_000, peer: client.ipv6, peerPort: PORT });
    bench.run(MS / 10);
    client.call(1, UserCall.recvmsg, { slot: 2, size: 1_000_000, flags: CallFlag.matchResponses });
    client.call(1, UserCall.sendmsg, { slot: 1, size: 64, peer: server.ipv6, peerPort: PORT });
    server.call(1, UserCall.recvmsg, { slot: 5, size: 64 });
    const got = server.wait(1, 5, final);
    const { id, peerPort } = got;
    server.call(1, UserCall.sendmsg, { slot: 6, size: 200_000, id, peer: client.ipv6, peerPort });
    const result = client.wait(1, 2, final, 300 * MS);
    expect(result).to.include({ size: 200_000, code: Code.ok });
    expect(bench.nowPs).to.be.greaterThan(90 * MS); // the hog was given up first
    expect(busys.length).to.be.greaterThan(5);
  });

  it('a message whose sender dies is discarded, and its recvmsg waits again', () => {
    const all = pair();
    let sent = 0;
    all.lose = (from, record) => from === all.client && (record.type !== HomaType.data || ++sent > 3);
    all.server.call(1, UserCall.recvmsg, { slot: 5, size: 8192 });
    request(all, 8000);
    all.bench.run(200 * MS);
    expect(all.server.nic.liveState().rpcs).to.equal(0);
    all.lose = () => false;
    request(all, 100, 3);
    expect(all.server.wait(1, 5, final, 100 * MS).size).to.equal(100);
  });

  it('five stored acks and one more leave in one ACK', () => {
    const all = pair();
    for (let round = 0; round < 6; round++) {
      all.server.call(1, UserCall.recvmsg, { slot: 10 + round, size: 64 });
      all.client.call(1, UserCall.recvmsg, { slot: 30 + round, size: 64 });
      request(all, 10, 1 + round);
    }
    for (let round = 0; round < 6; round++) {
      const got = all.server.wait(1, 10 + round, final);
      all.server.call(1, UserCall.sendmsg, {
        slot: 20 + round,
        size: 10,
        id: got.id,
        peer: all.client.ipv6,
        peerPort: got.peerPort,
      });
    }
    for (let round = 0; round < 6; round++) all.server.wait(1, 20 + round, final, MS);
    expect(count(all.log, 'client ACK')).to.equal(1);
    expect(count(all.log, 'server NEED_ACK')).to.equal(0);
    left(all);
  });
});

describe('protocol: refusals', () => {
  it('nobody at the port: the client learns it by ICMP', () => {
    const all = pair();
    for (const peer of [all.server.ipv4, all.server.ipv6]) {
      const slot = peer === all.server.ipv4 ? 1 : 2;
      all.client.call(1, UserCall.sendmsg, { slot, size: 64, peer, peerPort: 77 });
      expect(all.client.wait(1, slot, final, 20 * MS)).to.include({ code: Code.portUnreachable });
    }
    expect(all.server.nic.counterValues()).to.include({ dropNoPort: 2, neighbourFramesSent: 2 });
    left(all);
  });

  it('asks the segment for a MAC address, in both families', () => {
    const bench = new Bench();
    const client = bench.addHost().configure().open(1);
    const server = bench.addHost().configure().open(1, PORT);
    for (const [slot, peer] of [
      [1, server.ipv4],
      [2, server.ipv6],
    ] as const) {
      server.call(1, UserCall.recvmsg, { slot, size: 64 });
      client.call(1, UserCall.sendmsg, { slot, size: 64, peer, peerPort: PORT });
      expect(server.wait(1, slot, final, MS).flags & delivered).to.equal(delivered);
    }
    expect(client.nic.counterValues().neighbourFramesSent).to.equal(2);
    expect(server.nic.counterValues().neighbourFramesSent).to.equal(2);
  });

  it('gives up when nobody answers for the address', () => {
    const bench = new Bench();
    const client = bench.addHost().configure().open(1);
    client.register(Register.neighbourTicks, 120);
    const nobody = client.ipv4.slice();
    nobody[15] = 200;
    client.call(1, UserCall.sendmsg, { slot: 1, size: 64, peer: nobody, peerPort: PORT });
    expect(client.wait(1, 1, final, 200 * MS).code).to.equal(Code.unreachable);
    expect(client.frames).to.have.length(3);
    bench.run(1000 * MS);
    expect(client.nic.nextEventPs()).to.equal(Infinity);
  });

  it('needs an address of the family', () => {
    const all = pair();
    all.client.register(Register.ipv4Address, 0);
    all.client.call(1, UserCall.sendmsg, { slot: 1, size: 64, peer: all.server.ipv4, peerPort: PORT });
    expect(all.client.wait(1, 1, final).code).to.equal(Code.unreachable);
  });

  it('drops requests when the RPC table is full, and serves them later', () => {
    const all = pair();
    const small = all.bench.addHost({ rpcEntries: 1 }).configure().knows(all.client).open(1, PORT);
    all.client.knows(small);
    all.bench.wire = (from, frame) => all.bench.deliver(from === small ? all.client : small, frame, WIRE_PS);
    for (const slot of [1, 2]) {
      small.call(1, UserCall.recvmsg, { slot, size: 64 });
      all.client.call(1, UserCall.recvmsg, { slot: 10 + slot, size: 64 });
      all.client.call(1, UserCall.sendmsg, { slot, size: 5, peer: small.ipv4, peerPort: PORT });
    }
    for (const slot of [1, 2]) {
      const got = small.wait(1, slot, final, 100 * MS);
      small.call(1, UserCall.sendmsg, {
        slot: 20 + slot,
        size: 5,
        id: got.id,
        peer: all.client.ipv4,
        peerPort: got.peerPort,
      });
      all.client.wait(1, 10 + slot, final, 100 * MS);
    }
    expect(small.nic.counterValues().dropTableFull).to.be.greaterThan(0);
    expect(all.client.result(1, 12).flags & delivered).to.equal(delivered);
  });

  it('aborts an RPC whose response is announced too long', () => {
    const all = pair();
    all.client.call(1, UserCall.recvmsg, { slot: 2, size: 64 });
    const deliver = all.bench.wire;
    all.bench.wire = (from, frame) => {
      const record = new FrameRecord();
      parseFrame(frame, record, null);
      if (from === all.server && record.type === HomaType.data) {
        new DataView(frame.buffer, frame.byteOffset).setUint32(record.ipPayloadOffset + 28, 1_000_001);
      }
      deliver(from, frame);
    };
    request(all);
    respond(all, 5, 6);
    expect(all.client.wait(1, 1, final).code).to.equal(Code.peerLength);
  });

  it('reports a payload that cannot be read or written', () => {
    const all = pair();
    all.server.call(1, UserCall.recvmsg, { slot: 5, size: 64 });
    all.client.busStatus = DmaStatus.error;
    request(all);
    expect(all.client.wait(1, 1, final).code).to.equal(Code.dmaError);
    expect(all.client.nic.counterValues().dmaErrors).to.be.greaterThan(0);
  });
});

describe('protocol: cancel, quiesce, close', () => {
  it('cancels an RPC by id: its sendmsg ends, the peer is told nothing', () => {
    const all = pair();
    request(all);
    const { id } = all.client.wait(1, 1, accepted);
    all.client.call(1, UserCall.recvmsg, { slot: 2, size: 64, id });
    all.bench.run(10e6);
    all.client.call(1, UserCall.cancel, { slot: 3, id });
    expect(all.client.wait(1, 3, final).flags).to.equal(accepted | final);
    expect(all.client.wait(1, 1, final)).to.include({ code: Code.cancelled });
    expect(all.client.wait(1, 2, final)).to.include({ code: Code.cancelled });
    // The server still answers; its response draws an ACK after NEED_ACK.
    respond(all, 5, 6);
    expect(all.server.wait(1, 6, final, 20 * MS).flags & delivered).to.equal(delivered);
    left(all);
  });

  it('cancels a posted recvmsg by its slot, and one whose message is arriving when that dies', () => {
    const all = pair();
    all.server.call(1, UserCall.recvmsg, { slot: 5, size: 64 });
    all.server.call(1, UserCall.cancel, { slot: 6, buffAddr: 5 });
    expect(all.server.wait(1, 5, final)).to.include({ code: Code.cancelled });
    let sent = 0;
    all.lose = (from) => from === all.client && ++sent > 2;
    all.server.clearSlot(1, 5);
    all.server.call(1, UserCall.recvmsg, { slot: 5, size: 8192 });
    request(all, 8000);
    all.bench.run(MS);
    all.server.clearSlot(1, 6);
    all.server.call(1, UserCall.cancel, { slot: 6, buffAddr: 5 });
    expect(all.server.wait(1, 6, final).flags).to.equal(accepted | final);
    expect(all.server.wait(1, 5, final, 200 * MS)).to.include({ code: Code.cancelled });
  });

  it('closes a user in mid-message: calls end, DMA ends, nothing is left', () => {
    const all = pair();
    all.server.call(1, UserCall.recvmsg, { slot: 5, size: 1_000_000 });
    request(all, 1_000_000);
    all.bench.run(30e6);
    expect(all.client.frames.length).to.be.greaterThan(5);
    for (const host of [all.client, all.server]) {
      host.userCall(1, UserOperation.quiesce);
      all.bench.run(5e6);
      expect(host.read32(USER_STATES + 16)).to.equal(UserState.quiesced);
      expect(host.read32(USER_STATES + 16 + 4)).to.equal(0);
      expect(host.userCall(1, UserOperation.close)).to.equal(Code.ok);
    }
    expect(all.client.result(1, 1)).to.include({ code: Code.closed });
    expect(all.server.result(1, 5)).to.include({ code: Code.closed });
    left(all);
    all.client.open(1);
    all.server.open(1, PORT);
    all.server.call(1, UserCall.recvmsg, { slot: 5, size: 64 });
    request(all, 20);
    expect(all.server.wait(1, 5, final).size).to.equal(20);
  });

  it('writes nothing for a user once it is quiesced', () => {
    const all = pair();
    request(all, 1_000_000);
    all.bench.run(30e6);
    all.server.userCall(1, UserOperation.quiesce);
    all.bench.run(10e6);
    all.server.keepWrites = true;
    all.bench.run(100 * MS);
    expect(all.server.writes).to.deep.equal([]);
  });

  it('ends what needs a map when the map is taken away', () => {
    const all = pair();
    all.server.call(1, UserCall.recvmsg, { slot: 5, size: 64 });
    all.bench.run(1e6);
    all.server.map(1, Region.c2hMsgbuff, 0);
    expect(all.server.wait(1, 5, final).code).to.equal(Code.noMap);
    expect(all.server.kernelCall(KernelCall.config, (view) => view.setUint8(62, 5))).to.equal(
      Code.badOperation,
    );
  });
});
