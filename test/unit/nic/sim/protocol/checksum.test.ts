// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import fc from 'fast-check';
import { foldChecksum, sumBytes } from '#src/nic/sim/protocol/checksum.js';
import { frameCheckSequence } from '#src/nic/sim/protocol/fcs.js';

/** The definition: 16-bit words added with end-around carry, one at a time, then complemented. */
function naive(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) {
    sum += bytes[i]! * 256 + (i + 1 < bytes.length ? bytes[i + 1]! : 0);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return 0xffff - sum;
}

describe('the Internet checksum', () => {
  it('agrees with its definition, at any alignment, in one part or several', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 3000, size: 'max' }),
        fc.nat(7),
        fc.nat(3000),
        (data, shift, cut) => {
          const room = new Uint8Array(data.length + shift);
          room.set(data, shift);
          const bytes = room.subarray(shift);
          expect(foldChecksum(sumBytes(bytes, 0, bytes.length))).to.equal(naive(data));
          const middle = Math.min(cut & ~1, data.length & ~1);
          const parts = sumBytes(bytes, middle, bytes.length, sumBytes(bytes, 0, middle));
          expect(foldChecksum(parts)).to.equal(naive(data));
        },
      ),
      { seed: 7, numRuns: 500 },
    );
  });

  it('survives all-ones data of the largest frame', () => {
    const bytes = new Uint8Array(65536).fill(0xff);
    expect(foldChecksum(sumBytes(bytes, 0, bytes.length))).to.equal(0);
  });
});

describe('the frame check sequence', () => {
  it('is the standard CRC-32', () => {
    expect(frameCheckSequence(new TextEncoder().encode('123456789'))).to.equal(0xcbf43926);
  });
});
