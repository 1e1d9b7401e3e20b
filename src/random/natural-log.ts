// SPDX-License-Identifier: Apache-2.0
// Math.log may differ in the last bit from one Node version to the next, and one bit is enough to change a
// simulation. This logarithm uses only + - * / and integer bit tricks, which IEEE 754 and the language fix exactly.

const LN2_HIGH = 0.69314718036912381649; // ln 2, its low 32 bits cleared: exponent x LN2_HIGH is exact
const LN2_LOW = 1.90821492927058770002e-10;
const SQRT2_HIGH_WORD = 0x3ff6a09e; // upper half of the bits of the square root of 2

const bits = new DataView(new ArrayBuffer(8));

/**
 * Natural logarithm of a positive, finite, normal number, the same bits on every machine and Node version.
 * Error below 1e-15 relative to max(1, |ln x|). Throws RangeError for anything else.
 */
export function naturalLog(x: number): number {
  if (!(x >= 2.2250738585072014e-308 && x <= Number.MAX_VALUE)) {
    throw new RangeError(`the logarithm needs a positive normal number, got ${x}`);
  }
  bits.setFloat64(0, x);
  const high = bits.getUint32(0);
  let exponent = (high >>> 20) - 1023;
  let mantissaHigh = (high & 0x000fffff) | 0x3ff00000;
  if (mantissaHigh >= SQRT2_HIGH_WORD) {
    mantissaHigh -= 0x00100000; // halve, so that the mantissa lies around 1
    exponent += 1;
  }
  bits.setUint32(0, mantissaHigh);
  const mantissa = bits.getFloat64(0); // about 0.707 to 1.414
  // ln m = 2 atanh((m - 1) / (m + 1)), as a series in s squared, which is at most 0.0295.
  const s = (mantissa - 1) / (mantissa + 1);
  const z = s * s;
  const tail =
    z *
    (1 / 3 +
      z *
        (1 / 5 +
          z *
            (1 / 7 +
              z *
                (1 / 9 +
                  z * (1 / 11 + z * (1 / 13 + z * (1 / 15 + z * (1 / 17 + z * (1 / 19 + z * (1 / 21))))))))));
  return exponent * LN2_HIGH + (2 * s + (2 * s * tail + exponent * LN2_LOW));
}
