// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import fc from 'fast-check';
import { Agenda } from '#src/nic/sim/agenda.js';

describe('agenda', () => {
  it('gives events in order of time, and of scheduling within an instant', () => {
    // A null takes an event out; a number schedules one so much after the present, or before it.
    const act = fc.oneof({ weight: 2, arbitrary: fc.integer({ min: -5, max: 20 }) }, fc.constant(null));
    fc.assert(
      fc.property(fc.array(act, { maxLength: 600, size: 'max' }), fc.nat(30), (acts, back) => {
        const agenda = new Agenda();
        const waiting: { time: number; kind: number }[] = [];
        acts.forEach((step, i) => {
          waiting.sort((a, b) => a.time - b.time); // stable
          expect(agenda.nextPs()).to.equal(waiting[0]?.time ?? Infinity);
          if (step !== null) {
            const kind = i % 251;
            waiting.push({ time: Math.max(agenda.nowPs, agenda.nowPs + step), kind });
            agenda.schedule(agenda.nowPs + step, kind);
          } else if (waiting.length > 0) {
            const { time, kind } = waiting.shift()!;
            agenda.take();
            expect([agenda.nowPs, agenda.kind]).to.deep.equal([time, kind]);
          }
          if (i === 100) {
            agenda.rebase(back);
            for (const entry of waiting) entry.time -= back;
          }
        });
      }),
      { seed: 8 },
    );
  });

  it('forgets all work', () => {
    const agenda = new Agenda();
    for (let kind = 0; kind < 100; kind++) agenda.schedule(10, kind);
    agenda.take();
    agenda.clear();
    expect([agenda.nowPs, agenda.nextPs()]).to.deep.equal([10, Infinity]);
    agenda.schedule(12, 7);
    agenda.take();
    expect([agenda.nowPs, agenda.kind, agenda.nextPs()]).to.deep.equal([12, 7, Infinity]);
  });
});
