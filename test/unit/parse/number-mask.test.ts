// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import fc from 'fast-check';
import { maskNumbers, type MaskRule } from '#src/parse/number-mask.js';

const mask = (text: string, rule: MaskRule): string => {
  const bytes = new TextEncoder().encode(`[7]${text}`);
  return new TextDecoder().decode(bytes.subarray(3, maskNumbers(bytes, 3, bytes.length, rule)));
};
/** The rules of docs/parse.md#ttsum, said with regular expressions. */
const slow = (text: string, rule: MaskRule): string =>
  rule === 'whole-words'
    ? text.replace(/\b0x[0-9a-f]+\b/g, '?').replace(/\b[0-9.]+\b/g, '?')
    : text.replace(/0x[0-9a-f]+/g, '?').replace(/[0-9]+/g, '?');

describe('parse: masking the numbers of an event text', () => {
  const table: [text: string, wholeWords: string, anywhere: string][] = [
    ['write request', 'write request', 'write request'],
    ['step id 5, peer 0xdeadbeef', 'step id ?, peer ?', 'step id ?, peer ?'],
    ['done 1.25', 'done ?', 'done ?.?'],
    ['done 1.25.', 'done ?.', 'done ?.?.'],
    ['.5 5. a..b foo.bar', '.? ?. a?b foo?bar', '.? ?. a..b foo.bar'],
    ['x0x12 0x12g 0xG', 'x0x12 0x12g 0xG', 'x? ?g ?xG'],
    ['C12 12C id=7', 'C12 12C id=?', 'C? ?C id=?'],
    ['0x1 0x', '? 0x', '? ?x'],
    ['', '', ''],
  ];
  for (const [text, wholeWords, anywhere] of table) {
    it(`'${text}'`, () => {
      expect(mask(text, 'whole-words')).to.equal(wholeWords);
      expect(mask(text, 'anywhere')).to.equal(anywhere);
    });
  }

  it('property: the same as the regular expressions of both tools', () => {
    const piece = fc.constantFrom(...' .,0159xabfgZ_?:'.split(''), '0x', 'id ', '1.5');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        const text = pieces.join('');
        expect(mask(text, 'whole-words')).to.equal(slow(text, 'whole-words'));
        expect(mask(text, 'anywhere')).to.equal(slow(text, 'anywhere'));
      }),
      { numRuns: 5000 },
    );
  });
});
