// SPDX-License-Identifier: Apache-2.0
// Message bytes that prove themselves: word 0 is the key of the message, every later word depends on key and place, so
// a byte of another message, or of another place, shows.
import type { HostBuffer } from '../host-buffer.js';
import { fillWords, STEP } from '../progression.js';

const ODD = 0x85ebca6b | 0;

/** Word 0 is the key; word n is a number made of the key, and n times STEP more. */
function wordAt(key: number, index: number): number {
  return index === 0 ? key | 0 : (Math.imul(key ^ (key >>> 15), ODD) + Math.imul(index, STEP)) | 0;
}

/** Writes the first `lengthBytes` bytes of the pattern into `out`. */
export function patternInto(out: Uint8Array, lengthBytes: number, key: number): void {
  let word = key;
  let next = wordAt(key, 1);
  const whole = lengthBytes & ~3;
  for (let i = 0; i < whole; i += 4) {
    out[i] = word;
    out[i + 1] = word >>> 8;
    out[i + 2] = word >>> 16;
    out[i + 3] = word >>> 24;
    word = next;
    next = (next + STEP) | 0;
  }
  for (let i = whole; i < lengthBytes; i++) {
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
  private readonly words = new Int32Array(16);
  private readonly bytes = new Uint8Array(this.words.buffer);
  /** by length, made when first asked for */
  private readonly views: (Uint8Array | undefined)[] = [];

  /** The pattern, valid until the next call. */
  of(key: number, lengthBytes: number): Uint8Array {
    this.words[0] = key;
    fillWords(this.words, 1, (lengthBytes + 3) >>> 2, wordAt(key, 1));
    return (this.views[lengthBytes] ??= this.bytes.subarray(0, lengthBytes));
  }
}

/** The key of a message of `lengthBytes`: as much of `number` as its first word holds, so that a reader can know it. */
export function keyFor(number: number, lengthBytes: number): number {
  return lengthBytes >= 4 ? number | 0 : number & (2 ** (8 * lengthBytes) - 1);
}

/** Writes the pattern of `key` into a buffer at a multiple of 4 (the machine is little-endian, as every Node is). */
export function fillPattern(buffer: HostBuffer, offset: number, lengthBytes: number, key: number): void {
  buffer.writeProgression(offset, lengthBytes, key | 0, wordAt(key, 1));
}

/** Offset of the first byte that differs from the pattern of `key`, or -1 when every byte is right. */
export function findWrongByte(buffer: HostBuffer, offset: number, lengthBytes: number, key: number): number {
  return buffer.findOther(offset, lengthBytes, key | 0, wordAt(key, 1));
}

/** The key a message carries in its first four bytes (fewer when it is shorter). */
export function readKey(buffer: HostBuffer, offset: number, lengthBytes: number): number {
  let key = 0;
  for (let i = 0; i < Math.min(4, lengthBytes); i++) key |= buffer.byteAt(offset + i) << (8 * i);
  return key;
}
