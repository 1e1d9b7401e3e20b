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
