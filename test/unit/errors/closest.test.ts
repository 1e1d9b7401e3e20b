// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import fc from 'fast-check';
import { closest, editDistance } from '#src/errors/closest.js';

describe('closest', () => {
  it('finds slips of the finger and beginnings, and nothing else', () => {
    const names = ['perf', 'parse', 'config', 'sim run', 'doctor'];
    expect(closest('pref', names)).to.equal('perf');
    expect(closest('pars', names)).to.equal('parse');
    expect(closest('sim rnu', names)).to.equal('sim run');
    expect(closest('doc', names)).to.equal('doctor');
    expect(closest('CONFIG', names)).to.equal('config');
    expect(closest('zebra', names)).to.equal(undefined);
    expect(closest('', names)).to.equal(undefined);
    expect(closest('x', [])).to.equal(undefined);
  });

  it('edit distance counts a swap of neighbours as one', () => {
    expect(editDistance('', 'abc')).to.equal(3);
    expect(editDistance('kitten', 'sitting')).to.equal(3);
    expect(editDistance('seed', 'sede')).to.equal(1);
  });

  it('property: distance is symmetric, 0 only for the same word, at most the longer length', () => {
    const word = fc.string({ maxLength: 8 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b);
        expect(distance).to.equal(editDistance(b, a));
        expect(distance === 0).to.equal(a === b);
        expect(distance).to.be.at.most(Math.max(a.length, b.length));
      }),
    );
  });
});
