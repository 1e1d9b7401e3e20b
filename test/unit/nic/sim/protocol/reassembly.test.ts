// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import fc from 'fast-check';
import { IntervalSet, RangeList } from '#src/nic/sim/protocol/interval-set.js';
import { MAX_GAPS, Reassembly } from '#src/nic/sim/protocol/reassembly.js';
import { runs } from './property-runs.js';

const pairs = (ranges: { count: number; start(i: number): number; end(i: number): number }): number[][] =>
  Array.from({ length: ranges.count }, (_, i) => [ranges.start(i), ranges.end(i)]);

/** Runs of `wanted` in a byte map, as ranges. */
function spans(map: boolean[], wanted: boolean, from: number, to: number): number[][] {
  const found: number[][] = [];
  for (let i = from; i < to; i++) {
    if (map[i] !== wanted) continue;
    const last = found.at(-1);
    if (last && last[1] === i) last[1] = i + 1;
    else found.push([i, i + 1]);
  }
  return found;
}

describe('IntervalSet', function () {
  this.timeout(600_000);

  it('agrees with a byte map under any adds and removes', () => {
    const step = fc.tuple(fc.boolean(), fc.nat(60), fc.nat(12));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const set = new IntervalSet();
        const map = new Array<boolean>(80).fill(false);
        const removed = new RangeList();
        for (const [add, start, size] of steps) {
          const end = start + size;
          if (add) set.add(start, end);
          else {
            removed.clear();
            const bytes = set.remove(start, end, removed);
            expect(pairs(removed)).to.deep.equal(spans(map, true, start, end));
            expect(bytes).to.equal(map.slice(start, end).filter(Boolean).length);
          }
          map.fill(add, start, end);
          expect(pairs(set)).to.deep.equal(spans(map, true, 0, 80));
        }
      }),
      { seed: 11, numRuns: runs(250) },
    );
  });
});

describe('Reassembly', function () {
  this.timeout(600_000);

  it('agrees with a byte map: what is fresh, what is missing, when it is complete', () => {
    const packet = fc.tuple(fc.nat(199), fc.integer({ min: 0, max: 40 }));
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.array(packet, { maxLength: 80, size: 'max' }),
        (length, packets) => {
          const message = new Reassembly(length);
          const map = new Array<boolean>(length).fill(false);
          const fresh = new RangeList();
          for (const [at, size] of packets) {
            const start = at % length;
            const end = Math.min(length, start + size);
            const wanted = spans(map, false, start, end);
            const bytes = message.accept(start, end, fresh);
            expect(pairs(fresh)).to.deep.equal(wanted);
            expect(bytes).to.equal(wanted.reduce((sum, [a, b]) => sum + b! - a!, 0));
            map.fill(true, start, end);
            expect(message.receivedBytes).to.equal(map.filter(Boolean).length);
            expect(message.receivedEnd).to.equal(map.lastIndexOf(true) + 1);
            expect(message.complete).to.equal(!map.includes(false));
            const granted = Math.max(length - 10, 0);
            message.missing(granted, fresh);
            const missing = spans(map, false, 0, message.receivedEnd);
            if (granted > message.receivedEnd) missing.push([message.receivedEnd, granted]);
            expect(pairs(fresh)).to.deep.equal(missing);
          }
        },
      ),
      { seed: 12, numRuns: runs(150) },
    );
  });

  it('takes a million bytes in any order of packets', () => {
    const message = new Reassembly(1_000_000);
    const fresh = new RangeList();
    let total = 0;
    for (let i = 0; i < 713; i++) {
      const start = ((i * 311) % 713) * 1404;
      total += message.accept(start, Math.min(start + 1404, 1_000_000), fresh);
    }
    expect([total, message.complete, message.gapCount]).to.deep.equal([1_000_000, true, 0]);
  });

  it('refuses a packet that would open one gap too many, and stays right', () => {
    const message = new Reassembly(1_000_000);
    const fresh = new RangeList();
    for (let i = 0; i < MAX_GAPS; i++) expect(message.accept(20 * i + 10, 20 * i + 11, fresh)).to.equal(1);
    expect(message.gapCount).to.equal(MAX_GAPS);
    expect(message.accept(900_000, 900_001, fresh)).to.equal(0);
    expect(message.accept(14, 16, fresh)).to.equal(0);
    expect(message.accept(0, 10, fresh)).to.equal(10);
    expect(message.accept(14, 16, fresh)).to.equal(2);
    expect(message.gapCount).to.equal(MAX_GAPS);
    expect(message.receivedBytes).to.equal(MAX_GAPS + 12);
  });
});
