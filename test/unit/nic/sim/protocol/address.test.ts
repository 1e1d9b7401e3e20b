// SPDX-License-Identifier: Apache-2.0
import { isIPv6 } from 'node:net';
import { expect } from 'chai';
import fc from 'fast-check';
import { formatAddress, formatMac, parseAddress, parseMac } from '#src/nic/sim/protocol/address.js';

describe('addresses', () => {
  it('read and print', () => {
    const cases: [string, string][] = [
      ['10.0.0.10', '10.0.0.10'],
      ['::ffff:10.0.0.10', '10.0.0.10'],
      ['fd00::a', 'fd00::a'],
      ['FD00:0:0:1:0:0:0:A', 'fd00:0:0:1::a'],
      ['::', '::'],
      ['::1', '::1'],
      ['1::', '1::'],
      ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
      ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
    ];
    for (const [text, printed] of cases) expect(formatAddress(parseAddress(text)!), text).to.equal(printed);
  });

  it('refuse what is no address', () => {
    const bad = [
      '',
      '1.2.3',
      '1.2.3.256',
      '01.2.3.4',
      '1:2:3',
      '::1::',
      '1:2:3:4:5:6:7:8:9',
      'g::',
      '12345::',
      ':1',
    ];
    for (const text of [...bad, '1:2:3:4:5:6:7::8', '1.2.3.4:']) {
      expect(parseAddress(text), text).to.equal(undefined);
      expect(isIPv6(text), text).to.equal(false);
    }
  });

  it('print and read back any address', () => {
    const word = fc.oneof(fc.constant(0), fc.nat(0xffffffff));
    fc.assert(
      fc.property(fc.tuple(word, word, word, word), (words) => {
        const text = formatAddress(Uint32Array.from(words));
        expect([...parseAddress(text)!]).to.deep.equal(words);
      }),
      { seed: 3, numRuns: 500 },
    );
  });

  it('MAC addresses read and print', () => {
    expect(parseMac('02-00-00-00-00-0A')).to.deep.equal({ hi: 0x0200, lo: 0x0a });
    expect(formatMac(0x0248, 0x4f4d4101)).to.equal('02:48:4f:4d:41:01');
    for (const text of ['02:00:00:00:00', '02:00:00:00:00:0g', '0200.0000.000a', '']) {
      expect(parseMac(text)).to.equal(undefined);
    }
  });
});
