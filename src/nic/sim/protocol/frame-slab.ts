// SPDX-License-Identifier: Apache-2.0
/**
 * Room for outgoing frames, cut from larger blocks: an array buffer for every frame would cost more than encoding it.
 * A block is freed when none of its frames is referenced any more; frames are never reused, so each holds zeros at first.
 */
const BLOCK = 65536;
let block = new ArrayBuffer(BLOCK);
let used = 0;

/** A zeroed array of this length at a position that is a multiple of 8. */
export function newFrame(length: number): Uint8Array {
  if (length > BLOCK / 4) return new Uint8Array(length);
  if (used + length > BLOCK) {
    block = new ArrayBuffer(BLOCK);
    used = 0;
  }
  const frame = new Uint8Array(block, used, length);
  used += (length + 7) & ~7;
  return frame;
}
