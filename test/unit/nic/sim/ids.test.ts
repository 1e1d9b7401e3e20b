// SPDX-License-Identifier: Apache-2.0
// RPC ids over the lives of a card (docs/protocol.md#client-rpc): a peer may still know those of a former one.
import { expect } from 'chai';
import fc from 'fast-check';
import { CallFlag, Code, Register, ResultFlag, UserCall } from '#src/nic/regs.js';
import { Bench, type Host } from './bench.js';

const { accepted, delivered, final } = ResultFlag;
const PORT = 99;
const US = 1e6;
const MS = 1e9;

function pair(options = {}): { bench: Bench; client: Host; server: Host } {
  const bench = new Bench();
  const client = bench.addHost(options).configure();
  const server = bench.addHost().configure();
  client.knows(server).open(1);
  server.knows(client).open(1, PORT);
  return { bench, client, server };
}

/** What a driver does when it finds a card that has been in use: core reset, then everything anew. */
function probeAgain(bench: Bench, client: Host, server: Host): void {
  client.register(Register.control, 1);
  bench.run(20 * US);
  client.configure().knows(server).open(1);
}

/** Sends a request of one byte by a free slot and gives its id. */
function request(client: Host, server: Host, slot = 1): bigint {
  client.clearSlot(1, slot);
  client.call(1, UserCall.sendmsg, { slot, size: 1, peer: server.ipv6, peerPort: PORT });
  return client.wait(1, slot, accepted).id;
}

/** A whole RPC, acknowledged, so that the server has nothing of it but the memory of its id. */
function wholeRpc(bench: Bench, client: Host, server: Host): bigint {
  for (const [host, slot] of [
    [server, 5],
    [server, 6],
    [client, 2],
  ] as const)
    host.clearSlot(1, slot);
  server.call(1, UserCall.recvmsg, { slot: 5, size: 64 });
  client.call(1, UserCall.recvmsg, { slot: 2, size: 64, flags: CallFlag.matchResponses });
  const id = request(client, server);
  const got = server.wait(1, 5, final, 10 * MS);
  expect(got).to.include({ flags: delivered | final, size: 1, id: id ^ 1n });
  server.call(1, UserCall.sendmsg, {
    slot: 6,
    size: 1,
    id: got.id,
    peer: client.ipv6,
    peerPort: got.peerPort,
  });
  expect(client.wait(1, 2, final, 10 * MS)).to.include({ flags: delivered | final, id });
  server.wait(1, 6, final, 10 * MS);
  bench.run(MS);
  expect(server.nic.liveState().rpcs).to.equal(0);
  return id;
}

describe('RPC ids', () => {
  it('start at 2 on a new card, also after the core reset of its first probe', () => {
    const { bench, client, server } = pair();
    probeAgain(bench, client, server);
    expect([request(client, server, 10), request(client, server, 11)]).to.deep.equal([2n, 4n]);
  });

  it('go on over a core reset: a server that remembers an RPC of the former life serves the next one', () => {
    const { bench, client, server } = pair();
    expect(wholeRpc(bench, client, server)).to.equal(2n);
    probeAgain(bench, client, server);
    expect(wholeRpc(bench, client, server)).to.equal(4n);
    expect(server.nic.counterValues()).to.include({ dropDuplicate: 0 });
  });

  it('go on over a core reset: a server that still has the RPC of the former life does not mix them up', () => {
    const { bench, client, server } = pair();
    server.call(1, UserCall.recvmsg, { slot: 7, size: 64 });
    expect(request(client, server)).to.equal(2n);
    server.wait(1, 7, final);
    probeAgain(bench, client, server);
    server.call(1, UserCall.recvmsg, { slot: 5, size: 64 });
    expect(request(client, server)).to.equal(4n);
    expect(server.wait(1, 5, final, 10 * MS)).to.include({ flags: delivered | final, id: 5n });
  });

  it('begin again with a PCIe reset, at the first of the epoch', () => {
    const { client, server } = pair({ idEpoch: 3 });
    const first = (3n << 32n) | 2n;
    expect([request(client, server, 10), request(client, server, 11)]).to.deep.equal([first, first + 2n]);
    client.nic.reset();
    client.configure().knows(server).open(1);
    expect(request(client, server)).to.equal(first);
  });

  it('of before a PCIe reset: a server that remembers one drops a request with it, and serves the next', () => {
    const { bench, client, server } = pair();
    wholeRpc(bench, client, server);
    client.nic.reset();
    client.configure().knows(server).open(1);
    expect(request(client, server, 10)).to.equal(2n);
    expect(client.wait(1, 10, final, 150 * MS)).to.include({ code: Code.timedOut });
    expect(server.nic.counterValues().dropDuplicate).to.be.greaterThan(0);
    expect(wholeRpc(bench, client, server)).to.equal(4n);
  });

  it('property: none comes twice, whenever the core is reset', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 20 }), (resets) => {
        const { bench, client, server } = pair();
        const ids = resets.map((reset, i) => {
          if (reset) probeAgain(bench, client, server);
          return request(client, server, 10 + i);
        });
        expect(ids).to.deep.equal(resets.map((_, i) => BigInt(2 * i + 2)));
      }),
      { numRuns: 30 },
    );
  });
});
