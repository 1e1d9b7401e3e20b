// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import fc from 'fast-check';
import { Agenda } from '#src/nic/sim/agenda.js';

describe('agenda', () => {
  it('gives events in order of time, and of scheduling within an instant', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { maxLength: 600 }), (times) => {
        const agenda = new Agenda();
        times.forEach((time, i) => agenda.schedule(time, 1, i));
        const got: number[] = [];
        while (agenda.nextPs() !== Infinity) {
          agenda.take();
          got.push(agenda.a);
        }
        const wanted = times.map((time, i) => ({ time, i })).sort((x, y) => x.time - y.time || x.i - y.i);
        expect(got).to.deep.equal(wanted.map((entry) => entry.i));
      }),
    );
  });

  it('keeps the order when events are taken and added in turn', () => {
    const agenda = new Agenda();
    agenda.schedule(10, 1, 1);
    agenda.schedule(5, 1, 2);
    agenda.take();
    expect([agenda.nowPs, agenda.a]).to.deep.equal([5, 2]);
    agenda.schedule(1, 2, 3);
    agenda.take();
    expect([agenda.nowPs, agenda.kind, agenda.a]).to.deep.equal([5, 2, 3]);
    agenda.take();
    expect(agenda.nowPs).to.equal(10);
    expect(agenda.nextPs()).to.equal(Infinity);
  });
});
