// SPDX-License-Identifier: Apache-2.0
/** Little-endian integers at a byte position: what host memory and BAR 0 carry. */

/** The unsigned 16-bit number at `at`. */
export function getLe16(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8);
}

/** The unsigned 32-bit number at `at`. */
export function getLe32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

/** Stores the low 16 bits of `value`. */
export function putLe16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
}

/** Stores the low 32 bits of `value`. */
export function putLe32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}
