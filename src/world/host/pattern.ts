// SPDX-License-Identifier: Apache-2.0
// Message bytes that prove themselves: word 0 is the key of the message, every later word depends on key and place, so
// a byte of another message, or of another place, shows.
import { CHUNK_BYTES, type HostBuffer } from '../memory.js';

const GOLDEN = 0x9e3779b1 | 0;
const ODD = 0x85ebca6b | 0;
/** Multiples of GOLDEN, as small integers. */
const STEPS_2 = (2 * GOLDEN) | 0;
const STEPS_3 = (3 * GOLDEN) | 0;
const STEPS_4 = (4 * GOLDEN) | 0;

/** Word 0 is the key; word n is a number made of the key, and n times GOLDEN more. */
function wordAt(key: number, index: number): number {
  return index === 0 ? key | 0 : (baseOf(key) + Math.imul(index, GOLDEN)) | 0;
}

function baseOf(key: number): number {
  return Math.imul(key ^ (key >>> 15), ODD);
}

/** Writes the first `lengthBytes` bytes of the pattern into `out`. */
export function patternInto(out: Uint8Array, lengthBytes: number, key: number): void {
  let word = 0;
  for (let i = 0; i < lengthBytes; i++) {
    if ((i & 3) === 0) word = wordAt(key, i >>> 2);
    out[i] = word;
    word >>>= 8;
  }
}

/** The pattern as bytes, for a payload that is stored rather than lies in a buffer. */
export function patternBytes(key: number, lengthBytes: number): Uint8Array {
  const out = new Uint8Array(lengthBytes);
  patternInto(out, lengthBytes, key);
  return out;
}

/** Patterns of 1 to 64 bytes in one reused array, each length with its view: for payloads stored with the call. */
export class ShortPattern {
  private readonly bytes = new Uint8Array(64);
  private readonly views = Array.from({ length: 65 }, (_, length) => this.bytes.subarray(0, length));

  /** The pattern, valid until the next call. */
  of(key: number, lengthBytes: number): Uint8Array {
    patternInto(this.bytes, lengthBytes, key);
    return this.views[lengthBytes]!;
  }
}

/** The key of a message of `lengthBytes`: as much of `number` as its first word holds, so that a reader can know it. */
export function keyFor(number: number, lengthBytes: number): number {
  return lengthBytes >= 4 ? number | 0 : number & (2 ** (8 * lengthBytes) - 1);
}

/** Writes the pattern of `key` into a buffer at a multiple of 4 (the machine is little-endian, as every Node is). */
export function fillPattern(buffer: HostBuffer, offset: number, lengthBytes: number, key: number): void {
  const words = (lengthBytes + 3) >>> 2;
  let index = 0;
  while (index < words) {
    const at = offset + 4 * index;
    const chunk = buffer.wordsForWrite(at);
    let place = (at & (CHUNK_BYTES - 1)) >>> 2;
    const end = Math.min(CHUNK_BYTES >>> 2, place + words - index);
    if (index === 0) {
      chunk[place++] = wordAt(key, 0);
      index = 1;
    }
    // wordAt by addition, four words at a time: large simulations do little else
    let word = wordAt(key, index);
    index += end - place;
    for (const last = end - 3; place < last; place += 4) {
      chunk[place] = word;
      chunk[place + 1] = word + GOLDEN;
      chunk[place + 2] = word + STEPS_2;
      chunk[place + 3] = word + STEPS_3;
      word = (word + STEPS_4) | 0;
    }
    for (; place < end; place++) {
      chunk[place] = word;
      word = (word + GOLDEN) | 0;
    }
  }
}

/** Which byte of a word, 0 to 3 from the lowest, is the first that is not 0. */
function lowestByte(word: number): number {
  return (31 - Math.clz32(word & -word)) >>> 3;
}

/** Offset of the first byte that differs from the pattern of `key`, or -1 when every byte is right. */
export function findWrongByte(buffer: HostBuffer, offset: number, lengthBytes: number, key: number): number {
  const words = lengthBytes >>> 2;
  let index = 0;
  while (index < words) {
    const at = offset + 4 * index;
    const chunk = buffer.wordsForRead(at);
    let place = (at & (CHUNK_BYTES - 1)) >>> 2;
    const end = Math.min(CHUNK_BYTES >>> 2, place + words - index);
    if (index === 0) {
      const wrong = chunk[place++]! ^ wordAt(key, 0);
      if (wrong !== 0) return lowestByte(wrong);
      index = 1;
    }
    let word = wordAt(key, index);
    for (const last = end - 3; place < last; place += 4, index += 4) {
      const wrong =
        (chunk[place]! ^ word) |
        (chunk[place + 1]! ^ (word + GOLDEN)) |
        (chunk[place + 2]! ^ (word + STEPS_2)) |
        (chunk[place + 3]! ^ (word + STEPS_3));
      if (wrong !== 0) break;
      word = (word + STEPS_4) | 0;
    }
    for (; place < end; place++, index++) {
      const wrong = chunk[place]! ^ word;
      if (wrong !== 0) return 4 * index + lowestByte(wrong);
      word = (word + GOLDEN) | 0;
    }
  }
  for (let i = words * 4; i < lengthBytes; i++) {
    const at = offset + i;
    const byte = buffer.chunkForRead(at)[at & (CHUNK_BYTES - 1)]!;
    if (byte !== ((wordAt(key, i >>> 2) >>> (8 * (i & 3))) & 0xff)) return i;
  }
  return -1;
}

/** The key a message carries in its first four bytes (fewer when it is shorter). */
export function readKey(buffer: HostBuffer, offset: number, lengthBytes: number): number {
  let key = 0;
  for (let i = 0; i < Math.min(4, lengthBytes); i++) {
    const at = offset + i;
    key |= buffer.chunkForRead(at)[at & (CHUNK_BYTES - 1)]! << (8 * i);
  }
  return key;
}
