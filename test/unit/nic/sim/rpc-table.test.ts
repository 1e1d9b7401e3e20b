// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import fc from 'fast-check';
import type { Rpc } from '#src/nic/sim/rpc.js';
import { RpcTable } from '#src/nic/sim/rpc-table.js';

describe('RPC table', () => {
  it('finds what was added and not removed, by peer, id and port', () => {
    const key = fc.tuple(fc.nat(3), fc.nat(1), fc.nat(9), fc.nat(2));
    const step = fc.tuple(fc.boolean(), key);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const table = new RpcTable(20);
        const model = new Map<string, Rpc>();
        for (const [adds, [peer, hi, lo, port]] of steps) {
          const name = [peer, hi, lo, port].join();
          const known = model.get(name);
          expect(table.find(peer, hi, lo, port)).to.equal(known);
          if (adds && known === undefined && !table.isFull) {
            model.set(name, table.add(peer, port, hi, lo));
          } else if (!adds && known !== undefined) {
            const { token } = known;
            expect(table.byToken(token)).to.equal(known);
            table.remove(known);
            expect(table.byToken(token)).to.equal(undefined);
            model.delete(name);
          }
          expect(table.liveCount).to.equal(model.size);
          expect([...model.values()].every((rpc) => table.liveAt(rpc.livePlace) === rpc)).to.equal(true);
          expect(table.isFull).to.equal(model.size === 20);
        }
      }),
    );
  });

  it('knows a token of an RPC that is gone for what it is, though the entry was used again', () => {
    const table = new RpcTable(4);
    const first = table.add(1, 2, 0, 2);
    const { token, index } = first;
    table.remove(first);
    const second = table.add(1, 2, 0, 4);
    expect(second.index).to.equal(index);
    expect(table.byToken(token)).to.equal(undefined);
    expect(table.byToken(second.token)).to.equal(second);
    expect(table.findClient(0, 4)).to.equal(second);
  });

  it('keeps its RPCs and their inline payloads as it grows, and its order as they end', () => {
    const table = new RpcTable(5000);
    const payload = new Int32Array(16);
    const rpcs = Array.from({ length: 3000 }, (_, i) => {
      const rpc = table.add(i % 7, 4000, 0, 2 * i + 1);
      table.keepInline(rpc, payload.fill(i), 0);
      return rpc;
    });
    rpcs.forEach((rpc, i) => {
      expect(rpc.index).to.equal(i);
      expect(table.find(i % 7, 0, 2 * i + 1, 4000)).to.equal(rpc);
      expect(new Int32Array(table.inlineOf(rpc).slice().buffer)).to.deep.equal(payload.fill(i));
    });
    expect(table.liveRpcs()).to.deep.equal(rpcs);
    table.remove(rpcs[10]!);
    table.remove(rpcs[20]!);
    expect(table.liveAt(10)).to.equal(rpcs[2999]);
    expect([1, 3].map((id) => table.add(9, 1, 1, id).index)).to.deep.equal([20, 10]);
    table.reset();
    expect(table.size).to.equal(64);
    expect(rpcs.every((rpc) => rpc.livePlace < 0 && table.byToken(rpc.token) === undefined)).to.equal(true);
    expect(table.add(1, 2, 0, 2).index).to.equal(0);
  });
});
