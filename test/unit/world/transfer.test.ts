// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import fc from 'fast-check';
import { TransferPool } from '#src/world/pcie/transfer.js';

/** Bytes that are no arithmetic progression of words, so that they are kept as they are. */
function bytesOf(length: number, mark: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * i + mark * 37) & 0xff);
}

describe('world: transfers on the buses', () => {
  it('keep address, tag and bytes of many at once, whoever owns them', () => {
    const transfer = fc.record({
      owner: fc.nat(2),
      length: fc.oneof(fc.integer({ min: 0, max: 64 }), fc.integer({ min: 65, max: 4096 })),
      tag: fc.nat(0x7fffffff),
      address: fc.maxSafeNat(),
      ends: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(transfer, { maxLength: 60, size: 'max' }), (transfers) => {
        const pool = new TransferPool();
        const owners = [pool.addOwner(), pool.addOwner(), pool.addOwner()];
        const held = new Map<number, { owner: number; length: number; tag: number; address: number }>();
        transfers.forEach(({ owner, length, tag, address, ends }) => {
          const number = pool.take(owners[owner]!, address, length, tag);
          expect(held.has(number)).to.equal(false);
          pool.keep(number, bytesOf(length, tag));
          held.set(number, { owner, length, tag, address });
          if (!ends) return;
          const [first] = held.keys();
          pool.give(first!);
          held.delete(first!);
        });
        for (const [number, { length, tag, address }] of held) {
          expect([pool.lengthBytes(number), pool.tag(number), pool.address(number)]).to.deep.equal([
            length,
            tag,
            address,
          ]);
          expect(pool.isLost(number)).to.equal(false);
          expect([...pool.view(number)]).to.deep.equal([...bytesOf(length, tag)]);
        }
        owners.forEach((owner, i) => {
          expect(pool.countOf(owner)).to.equal([...held.values()].filter((its) => its.owner === i).length);
        });
      }),
      { seed: 11, numRuns: 100 },
    );
  });

  it('are lost by a reset of their own card only', () => {
    const pool = new TransferPool();
    const [a, b] = [pool.addOwner(), pool.addOwner()];
    const ofA = pool.take(a, 64, 64, 1);
    const ofB = pool.take(b, 128, 100, 2);
    pool.keep(ofB, bytesOf(100, 2));
    pool.loseAll(a);
    expect([pool.isLost(ofA), pool.isLost(ofB)]).to.deep.equal([true, false]);
    expect([pool.countOf(a), pool.countOf(b)]).to.deep.equal([0, 1]);
    pool.give(ofA);
    expect(pool.isLost(pool.take(a, 0, 4, 3))).to.equal(false);
    expect([...pool.view(ofB)]).to.deep.equal([...bytesOf(100, 2)]);
  });
});
