// SPDX-License-Identifier: Apache-2.0
// A recvmsg that is narrowed to one request. Every client counts its ids from 2, so two of them have the same.
import { expect } from 'chai';
import { CallFlag, ResultFlag, UserCall } from '#src/nic/regs.js';
import { Bench, pattern, WIRE_PS, type Host } from './bench.js';

const { delivered, failed, final, inPool } = ResultFlag;
const PORT = 99;
const MS = 1e9;
const ID = 3n;

describe('a recvmsg by the id of a request', () => {
  it("takes that client's request and no other's of the same id, whatever becomes of the other", () => {
    const bench = new Bench();
    const [one, two, server] = [0, 1, 2].map(() => bench.addHost().configure()) as [Host, Host, Host];
    for (const client of [one, two]) client.knows(server).open(1);
    server.open(1, PORT);
    let sent = 0;
    bench.wire = (from, frame) => {
      const to = bench.hosts.find((host) => host.mac.every((byte, i) => byte === frame[i]))!;
      // Only the first packet of the first client's request comes through, for now.
      if (from !== one || sent++ < 1 || sent > 1000) bench.deliver(to, frame, WIRE_PS);
    };
    const request = pattern(20_000, 5);
    one.load(1, 0, request);
    one.call(1, UserCall.sendmsg, { slot: 1, size: 20_000, peer: server.ipv6, peerPort: PORT });
    bench.run(MS);
    const peer = one.ipv6;
    server.call(1, UserCall.recvmsg, { slot: 5, size: 30_000, id: ID, peer, peerPort: 0x8001 });
    bench.run(MS);

    two.call(1, UserCall.recvmsg, { slot: 2, size: 64, flags: CallFlag.matchResponses });
    two.call(1, UserCall.sendmsg, { slot: 1, size: 64, peer: server.ipv6, peerPort: PORT });
    bench.run(MS);
    expect(server.result(1, 5).flags).to.equal(0);
    server.call(1, UserCall.recvmsg, { slot: 6, size: 64 });
    const other = server.wait(1, 6, final);
    expect(other.peer).to.equal(Buffer.from(two.ipv6).toString('hex'));
    server.call(1, UserCall.sendmsg, { slot: 7, size: 64, id: ID, peer: two.ipv6, peerPort: other.peerPort });
    two.wait(1, 2, final);
    expect(server.wait(1, 7, final, 20 * MS).flags & failed).to.equal(0);
    expect(server.result(1, 5).flags).to.equal(0);

    sent = 1000;
    const got = server.wait(1, 5, final, 50 * MS);
    expect(got).to.include({ flags: delivered | final | inPool, id: ID, size: 20_000 });
    expect(Buffer.compare(server.received(1, got.buffAddr, 20_000), request)).to.equal(0);
  });
});
