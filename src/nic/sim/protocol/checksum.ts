// SPDX-License-Identifier: Apache-2.0
/**
 * The Internet checksum, in parts that add up.
 *
 * `sumBytes` gives a plain sum of big-endian 16-bit words; sums of even-length parts may be added in any order, so a
 * payload can be summed when it is fetched and the header later. `foldChecksum` finishes. Homa packets carry a finished
 * TCP-style checksum whose pseudo header says protocol 6, whatever the IP protocol is (docs/protocol.md#checksum).
 */
const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Below this length the plain loop is as fast. */
const VIEW_FROM = 64;
/** The 32-bit view of the array buffer summed last: frames cut from one block share it. */
let view: Uint32Array = new Uint32Array(0);

/** Folds carries until 16 bits are left. */
function fold(sum: number): number {
  let value = sum;
  while (value > 0xffff) value = (value & 0xffff) + Math.floor(value / 0x10000);
  return value;
}

/**
 * Adds the big-endian 16-bit words of bytes[start, end) to `sum`; an odd last byte counts as a word with a zero after
 * it, so only the last part of a message may have odd length. The result is not folded (up to 2^53).
 */
export function sumBytes(bytes: Uint8Array, start: number, end: number, sum = 0): number {
  if (end - start >= VIEW_FROM && ((bytes.byteOffset + start) & 1) === 0)
    return sumLong(bytes, start, end, sum);
  return sumShort(bytes, start, end, sum);
}

function sumShort(bytes: Uint8Array, start: number, end: number, sum: number): number {
  let total = 0;
  const even = start + ((end - start) & ~1);
  for (let i = start; i < even; i += 2) total += (bytes[i]! << 8) | bytes[i + 1]!;
  if (even < end) total += bytes[even]! << 8;
  return sum + total;
}

/**
 * The same over 32-bit words in the machine's byte order; the folded sum is then swapped (the sum does not care). Four
 * sums side by side in floating point, where none can overflow: half the work of taking words apart.
 */
function sumLong(bytes: Uint8Array, start: number, end: number, sum: number): number {
  let from = start;
  let a = 0;
  if (((bytes.byteOffset + from) & 2) !== 0) {
    a = littleEndian ? bytes[from]! | (bytes[from + 1]! << 8) : (bytes[from]! << 8) | bytes[from + 1]!;
    from += 2;
  }
  const { buffer } = bytes;
  if (view.buffer !== buffer) view = new Uint32Array(buffer, 0, buffer.byteLength >> 2);
  const words = view;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = (bytes.byteOffset + from) >> 2;
  const last = i + ((end - from) >> 2);
  for (const stop = last - 7; i < stop; i += 8) {
    a += words[i]! + words[i + 4]!;
    b += words[i + 1]! + words[i + 5]!;
    c += words[i + 2]! + words[i + 6]!;
    d += words[i + 3]! + words[i + 7]!;
  }
  for (; i < last; i++) a += words[i]!;
  let folded = fold(a + b + c + d);
  if (littleEndian) folded = ((folded & 0xff) << 8) | (folded >>> 8);
  const rest = from + ((end - from) & ~3);
  return sumShort(bytes, rest, end, sum + folded);
}

/** The checksum field for a sum: folded and complemented, 0 to 0xffff. */
export function foldChecksum(sum: number): number {
  return ~fold(sum) & 0xffff;
}

/** Sum of a pseudo header: both addresses, upper-layer length and protocol. IPv4 mapped addresses count 4 bytes. */
export function sumPseudoHeader(
  source: Uint32Array,
  destination: Uint32Array,
  mapped: boolean,
  length: number,
  protocol: number,
): number {
  let sum = (length >>> 16) + (length & 0xffff) + protocol;
  for (let i = mapped ? 3 : 0; i < 4; i++) {
    sum +=
      (source[i]! >>> 16) + (source[i]! & 0xffff) + (destination[i]! >>> 16) + (destination[i]! & 0xffff);
  }
  return sum;
}
