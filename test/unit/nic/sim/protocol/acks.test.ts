// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import fc from 'fast-check';
import { AckStore } from '#src/nic/sim/protocol/ack-store.js';
import { FinishedFilter } from '#src/nic/sim/protocol/finished-filter.js';
import { FrameRecord } from '#src/nic/sim/protocol/frame-record.js';
import { runs } from './property-runs.js';

describe('AckStore', function () {
  this.timeout(600_000);

  it('is a stack of five for every peer', () => {
    const act = fc.tuple(fc.constantFrom('push', 'attach', 'drain', 'clear'), fc.nat(40), fc.nat(0xffff));
    fc.assert(
      fc.property(fc.array(act, { maxLength: 100, size: 'max' }), (acts) => {
        const store = new AckStore();
        const model = new Map<number, [number, number, number][]>();
        const record = new FrameRecord();
        for (const [name, peer, value] of acts) {
          const stack = model.get(peer) ?? [];
          model.set(peer, stack);
          if (name === 'push') {
            const room = stack.length < 5;
            expect(store.push(peer, value, value * 2 + 2, value ^ 1)).to.equal(room);
            if (room) stack.push([value, value * 2 + 2, value ^ 1]);
          } else if (name === 'attach') {
            store.attachTo(peer, record);
            const expected = stack.pop() ?? [0, 0, 0];
            expect([record.ackClientIdHi, record.ackClientIdLo, record.ackServerPort]).to.deep.equal(
              expected,
            );
          } else if (name === 'drain') {
            store.drainInto(peer, record);
            const got = stack.map((_, i) => [record.ackIdHi[i], record.ackIdLo[i], record.ackPort[i]]);
            expect(record.numAcks).to.equal(stack.length);
            expect(got).to.deep.equal(stack);
            stack.length = 0;
          } else {
            store.clear(peer);
            stack.length = 0;
          }
          expect(store.count(peer)).to.equal(stack.length);
        }
      }),
      { seed: 51, numRuns: runs(200) },
    );
  });
});

describe('FinishedFilter', function () {
  this.timeout(600_000);

  it('never takes an RPC for finished that was not, and remembers each for its lifetime', () => {
    const act = fc.tuple(fc.nat(3), fc.nat(60), fc.nat(4));
    fc.assert(
      fc.property(fc.array(act, { maxLength: 200, size: 'max' }), (acts) => {
        const filter = new FinishedFilter(1000, 20);
        const when = new Map<string, number>();
        let now = 0;
        for (const [client, id, step] of acts) {
          now += step;
          if (step === 4) filter.sweep(now);
          for (let other = 0; other <= 60; other++) {
            const added = when.get(`${client} ${other}`);
            const known = filter.has(client, other, 2 * other);
            if (added === undefined) expect(known).to.equal(false);
            else if (now - added < 20) expect(known || other === 0).to.equal(true);
          }
          if (id === 0) continue;
          filter.add(client, id, 2 * id, now);
          when.set(`${client} ${id}`, now);
        }
        filter.sweep(now + 40);
        expect(filter.size).to.equal(0);
      }),
      { seed: 52, numRuns: runs(40) },
    );
  });

  it('tells close ids apart, of both parities, on both sides of 2^32', () => {
    const id = fc.record({
      client: fc.nat(2),
      hi: fc.nat(1),
      lo: fc.oneof(
        fc.nat(300),
        fc.nat(300).map((n) => 2 ** 32 - 1 - n),
      ),
    });
    fc.assert(
      fc.property(
        fc.array(id, { maxLength: 400, size: 'max' }),
        fc.array(id, { maxLength: 200 }),
        (added, asked) => {
          const filter = new FinishedFilter(1000, 20);
          const known = new Set<string>();
          const name = (its: (typeof added)[number]): string => `${its.client} ${its.hi} ${its.lo}`;
          for (const its of added) {
            filter.add(its.client, its.hi, its.lo, 0);
            if (its.hi !== 0 || its.lo !== 0) known.add(name(its));
          }
          expect(filter.size).to.equal(known.size);
          for (const its of [...added, ...asked]) {
            expect(filter.has(its.client, its.hi, its.lo)).to.equal(known.has(name(its)));
          }
        },
      ),
      { seed: 53, numRuns: runs(100) },
    );
  });

  it('keeps the last `capacity` at least and twice that at most', () => {
    const filter = new FinishedFilter(100, 1e9);
    for (let id = 2; id <= 20_000; id += 2) {
      filter.add(7, 0x80000000, id, 0);
      expect(filter.size).to.be.at.most(200);
      for (let back = 0; back < 100 && id - 2 * back >= 2; back += 33) {
        expect(filter.has(7, 0x80000000, id - 2 * back)).to.equal(true);
      }
    }
    expect(filter.has(7, 0x80000000, 2)).to.equal(false);
    expect(filter.has(8, 0x80000000, 20_000)).to.equal(false);
    filter.forget(7);
    expect(filter.size).to.equal(0);
    expect(filter.has(7, 0x80000000, 20_000)).to.equal(false);
    filter.add(7, 0x80000000, 20_000, 0);
    expect(filter.has(7, 0x80000000, 20_000)).to.equal(true);
  });

  it('lets a restarted client use its ids again after two lifetimes without sweeping more', () => {
    const filter = new FinishedFilter(100, 10);
    filter.add(0, 0, 2, 0);
    filter.sweep(15);
    expect(filter.has(0, 0, 2)).to.equal(true);
    filter.sweep(30);
    expect(filter.has(0, 0, 2)).to.equal(false);
  });
});
