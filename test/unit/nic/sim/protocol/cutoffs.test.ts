// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import fc from 'fast-check';
import { DEFAULT_CUTOFFS, maxScheduledPriority, PeerCutoffs } from '#src/nic/sim/protocol/cutoffs.js';
import { FrameRecord } from '#src/nic/sim/protocol/frame-record.js';

function announcement(cutoffs: readonly number[], version: number): FrameRecord {
  const record = new FrameRecord();
  record.cutoffs.set(cutoffs);
  record.cutoffVersion = version;
  return record;
}

describe('PeerCutoffs', () => {
  it('sends everything at level 6 until a peer has announced', () => {
    const peers = new PeerCutoffs();
    peers.reset(40);
    expect([1, 200, 1_000_000].map((length) => peers.priority(40, length))).to.deep.equal([6, 6, 6]);
    expect(peers.version(40)).to.equal(0);
  });

  it('uses the default cutoffs as the fact sheet says', () => {
    const peers = new PeerCutoffs();
    peers.reset(0);
    peers.store(0, announcement(DEFAULT_CUTOFFS, 1));
    const levels = [1, 200, 201, 2800, 2801, 15_000, 15_001, 1_000_000].map((length) =>
      peers.priority(0, length),
    );
    expect(levels).to.deep.equal([7, 7, 6, 6, 5, 5, 4, 4]);
    expect(peers.version(0)).to.equal(1);
    expect(maxScheduledPriority(DEFAULT_CUTOFFS)).to.equal(3);
    expect(maxScheduledPriority([0, 0, 0, 0, 0, 0, 0, 1_000_000])).to.equal(6);
    expect(maxScheduledPriority([2_000_000, 0, 0, 0, 0, 0, 0, 0])).to.equal(0);
  });

  it('is the largest level whose cutoff reaches the length, whatever a peer announces', () => {
    const cutoffs = fc.array(fc.nat(0xffffffff), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(cutoffs, fc.integer({ min: 1, max: 1_000_000 }), (values, length) => {
        const peers = new PeerCutoffs();
        peers.reset(3);
        peers.store(3, announcement(values, 9));
        const reach = [7, 6, 5, 4, 3, 2, 1].find((level) => {
          const value = values[level]! >= 0x80000000 ? -1 : values[level]!;
          return value >= length;
        });
        expect(peers.priority(3, length)).to.equal(reach ?? 0);
      }),
      { seed: 41, numRuns: 500 },
    );
  });

  it('keeps apart what each of many peers has announced, the same or not, whoever forgets', () => {
    const cutoffs = fc.array(fc.constantFrom(0, 300, 1_000_000), { minLength: 8, maxLength: 8 });
    const act = fc.record({ peer: fc.nat(40), cutoffs, version: fc.nat(2), forget: fc.boolean() });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 120, size: 'max' }), (acts) => {
        const peers = new PeerCutoffs();
        for (let peer = 0; peer <= 40; peer++) peers.reset(peer);
        const alone = Array.from({ length: 41 }, () => new PeerCutoffs());
        for (const its of alone) its.reset(0);
        for (const { peer, cutoffs: values, version, forget } of acts) {
          if (forget) peers.reset(peer);
          else peers.store(peer, announcement(values, version));
          if (forget) alone[peer]!.reset(0);
          else alone[peer]!.store(0, announcement(values, version));
        }
        alone.forEach((its, peer) => {
          expect(peers.version(peer)).to.equal(its.version(0));
          for (const length of [1, 300, 301, 1_000_000]) {
            expect(peers.priority(peer, length)).to.equal(its.priority(0, length));
          }
        });
      }),
      { seed: 42, numRuns: 200 },
    );
  });

  it('announces ours once an interval to a peer that echoes another version', () => {
    const peers = new PeerCutoffs();
    peers.reset(1);
    peers.reset(2);
    const times = [0, 1, 3, 4, 5, 8].filter((now) => peers.shouldAnnounce(1, 0, 1, now, 4));
    expect(times).to.deep.equal([0, 4, 8]);
    expect(peers.shouldAnnounce(2, 1, 1, 100, 4)).to.equal(false);
    expect(peers.shouldAnnounce(2, 0, 1, 100, 4)).to.equal(true);
  });
});
