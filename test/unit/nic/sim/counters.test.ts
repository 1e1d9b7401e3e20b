// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import { Counter, COUNTERS, type CounterName, CounterNames } from '#src/nic/regs.js';
import { Counters } from '#src/nic/sim/counters.js';

describe('counters of a card', () => {
  it('count beyond 32 bits, in two words on the bus', () => {
    const counters = new Counters();
    const { dataSent } = Counter;
    counters.add(dataSent, 0xffffffff);
    expect([0, 4].map((half) => counters.word(COUNTERS + 8 * dataSent + half))).to.deep.equal([
      0xffffffff, 0,
    ]);
    counters.add(dataSent);
    counters.add(dataSent, 5);
    expect([0, 4].map((half) => counters.word(COUNTERS + 8 * dataSent + half))).to.deep.equal([5, 1]);
    expect(counters.snapshot().dataSent).to.equal(2 ** 32 + 5);
    const others = CounterNames.filter((name: CounterName) => name !== 'dataSent');
    expect(others.every((name) => counters.snapshot()[name] === 0)).to.equal(true);
    counters.clear();
    expect(counters.snapshot().dataSent).to.equal(0);
  });

  it('keep the highest of a mark', () => {
    const counters = new Counters();
    for (const value of [3, 9, 4]) counters.raise(Counter.rpcsLiveMax, value);
    expect(counters.snapshot().rpcsLiveMax).to.equal(9);
    expect(counters.word(COUNTERS + 8 * CounterNames.length)).to.equal(0);
  });
});
