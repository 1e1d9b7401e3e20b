// SPDX-License-Identifier: Apache-2.0
/**
 * Room for outgoing frames. Frames that a card has received and is done with are its own (`NicDevice.frameIn`), so the
 * next frame of that length is written into the same bytes: in a run of many packets no memory is allocated for them,
 * and what is warm in the processor's cache stays in use. All cards of a process share the store: where some mostly
 * send and others mostly receive, frames would pile up at the receivers.
 *
 * What is not to be had from there is cut from large blocks: an array buffer for every frame would cost more than
 * encoding it, and the checksum looks at a block through one view.
 */
const BLOCK = 1 << 22;
/** Frames kept of each length, and the longest that are kept: a jumbo frame. */
const KEPT_FRAMES = 512;
const KEPT_BYTES = 9216;

let block = new ArrayBuffer(BLOCK);
let used = 0;
const kept: (Uint8Array[] | undefined)[] = new Array<undefined>(KEPT_BYTES + 1);

/** An array of this length with anything in it, at a position that is a multiple of 8. */
export function newFrame(length: number): Uint8Array {
  if (length > KEPT_BYTES) return new Uint8Array(length);
  const again = kept[length];
  if (again !== undefined && again.length > 0) return again.pop()!;
  if (used + length > BLOCK) {
    block = new ArrayBuffer(BLOCK);
    used = 0;
  }
  const frame = new Uint8Array(block, used, length);
  used += (length + 7) & ~7;
  return frame;
}

/** Gives back a frame that nobody will look at again. */
export function doneWithFrame(frame: Uint8Array): void {
  const { length } = frame;
  // Only what was cut here: other arrays may be seen by somebody else through their buffer.
  if (length > KEPT_BYTES || frame.buffer.byteLength !== BLOCK) return;
  const same = (kept[length] ??= []);
  if (same.length < KEPT_FRAMES) same.push(frame);
}
