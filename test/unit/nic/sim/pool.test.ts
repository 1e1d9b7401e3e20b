// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import fc from 'fast-check';
import { Counters } from '#src/nic/sim/counters.js';
import { Pools } from '#src/nic/sim/pool.js';

const REGION = 2 * 64 * 4096;
const BASE = REGION / 2;

describe('receive pool', () => {
  it('never lends a byte twice, stays in the upper half, and takes everything back', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('take' as const), length: fc.integer({ min: 1, max: 90_000 }) }),
      fc.record({ kind: fc.constant('give' as const), which: fc.nat(20) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const pools = new Pools(new Counters());
        pools.setRegion(1, REGION);
        const runs: { at: number; end: number }[] = [];
        for (const each of steps) {
          if (each.kind === 'take') {
            const at = pools.allocate(1, each.length);
            const end = at + Math.ceil(each.length / 4096) * 4096;
            if (at < 0) {
              // First fit fails only when no gap is long enough.
              const edges = [{ at: BASE, end: BASE }, ...runs, { at: REGION, end: REGION }].sort(
                (x, y) => x.at - y.at,
              );
              for (let i = 1; i < edges.length; i++) {
                expect(edges[i]!.at - edges[i - 1]!.end).to.be.lessThan(each.length);
              }
              continue;
            }
            expect(at).to.be.at.least(BASE);
            expect(end).to.be.at.most(REGION);
            for (const run of runs) expect(end <= run.at || at >= run.end).to.equal(true);
            pools.lend(1, at);
            runs.push({ at, end });
          } else if (runs.length > 0) {
            const [run] = runs.splice(each.which % runs.length, 1);
            expect(pools.release(1, run!.at)).to.equal(true);
            expect(pools.release(1, run!.at)).to.equal(false);
          }
        }
        for (const run of runs) expect(pools.release(1, run.at)).to.equal(true);
        expect(pools.total).to.equal(0);
      }),
    );
  });

  it('refuses offsets that are not the start of a lent run', () => {
    const pools = new Pools(new Counters());
    pools.setRegion(1, REGION);
    const at = pools.allocate(1, 10_000);
    expect(pools.release(1, at)).to.equal(false);
    pools.lend(1, at);
    for (const offset of [at + 1, at + 4096, 0, -4096, REGION, 0xffffffff]) {
      expect(pools.release(1, offset)).to.equal(false);
    }
    expect(pools.release(2, at)).to.equal(false);
    expect(pools.allocate(2, 1)).to.equal(-1);
  });
});
