// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import fc from 'fast-check';
import { traceText } from '#src/perf/trace-text.js';

const clock = { timestamp: 0, ghz: 1 };

describe('traceText', () => {
  it('names the clock first and gives each event its time and the time since the line before', () => {
    const events = [
      { timeNs: 590, name: 'write request' },
      { timeNs: 2020, name: 'write response' },
    ];
    expect([...traceText(events, clock)].join('')).to.equal(
      '    0.000 us (+   0.000 us) [C0]   First event has timestamp 0 (cpu_ghz 1.000000000000000)\n' +
        '    0.590 us (+   0.590 us) [main] write request\n' +
        '    2.020 us (+   1.430 us) [main] write response\n',
    );
  });

  it('keeps every nanosecond, whatever the time', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 2 ** 45 }), { maxLength: 200 }), (times) => {
        times.sort((a, b) => a - b);
        const text = [
          ...traceText(
            times.map((timeNs) => ({ timeNs, name: 'e' })),
            clock,
          ),
        ].join('');
        const read = text
          .trimEnd()
          .split('\n')
          .slice(1)
          .map((line) => BigInt(/^ *([0-9]+)\.([0-9]{3}) us/.exec(line)!.slice(1, 3).join('')));
        expect(read).to.deep.equal(times.map(BigInt));
      }),
    );
  });

  it('splits a long trace into blocks without losing a line', () => {
    const events = Array.from({ length: 10_000 }, (_, i) => ({ timeNs: i, name: 'x' }));
    const blocks = [...traceText(events, clock)];
    expect(blocks.length).to.be.greaterThan(1);
    expect(blocks.join('').split('\n').length).to.equal(10_002);
  });
});
