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
});
