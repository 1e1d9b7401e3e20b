// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import fc from 'fast-check';
import { parseSizeList } from '#src/base/size-list.js';
import { UsageError } from '#src/errors/errors.js';

describe('size list', () => {
  const good: [string, number[]][] = [
    ['64', [64]],
    ['64,1024', [64, 1024]],
    ['1024,64,64', [1024, 64]],
    ['64..65536', [64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536]],
    ['100..1000', [100, 200, 400, 800]],
    ['64..256:64', [64, 128, 192, 256]],
    ['64..250:64', [64, 128, 192]],
    ['1,10..40,1_000', [1, 10, 20, 40, 1000]],
    ['7..7', [7]],
    ['1000000', [1_000_000]],
  ];
  for (const [text, sizes] of good) {
    it(`reads ${text}`, () => expect(parseSizeList(text)).to.deep.equal(sizes));
  }

  const bad: [string, RegExp][] = [
    ['0', /size 0 is out of range: 1 to 1000000 bytes/],
    ['1000001', /size 1000001 is out of range: 1 to 1000000 bytes/],
    ['-5', /size -5 is out of range/],
    ['abc', /'abc' is not a size in bytes; write 64,1024 or/],
    ['', /'' is not a size in bytes/],
    ['64,', /'' is not a size in bytes/],
    ['1.5', /'1.5' is not a size/],
    ['128..64', /runs backwards; write 64\.\.128/],
    ['64..', /'' is not a size in bytes/],
    ['64..128..256', /'64..128..256' is not a range/],
    ['64..128:0', /size 0 is out of range: 1 to/],
    ['1..1000000:1', /more than 10000 sizes/],
  ];
  for (const [text, message] of bad) {
    it(`refuses '${text}'`, () => expect(() => parseSizeList(text)).to.throw(UsageError, message));
  }

  it('property: whatever is typed, the answer is sizes in range, none twice, or a UsageError', () => {
    const text = fc.string({ unit: fc.constantFrom(...'0123456789.,:_-x '), maxLength: 16 });
    fc.assert(
      fc.property(text, (typed) => {
        let sizes: number[];
        try {
          sizes = parseSizeList(typed);
        } catch (error) {
          expect(error).to.be.instanceOf(UsageError);
          return;
        }
        expect(sizes).to.not.be.empty;
        expect(new Set(sizes).size).to.equal(sizes.length);
        for (const size of sizes) expect(size).to.be.within(1, 1_000_000);
      }),
      { numRuns: 2000 },
    );
  });
});
