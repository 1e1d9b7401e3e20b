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
/** The longest frames that are kept, jumbo frames, and all together: where lengths vary much, few would be wanted again. */
const LONGEST = 9216;
const KEPT_BYTES = 1 << 24;

let block = new ArrayBuffer(BLOCK);
let used = 0;
/** By length; of full size at once, or V8 would make a slow dictionary of it. */
let kept = new Array<Uint8Array[] | undefined>(LONGEST + 1);
let keptBytes = 0;

/**
 * Frames begin 2 bytes after a multiple of 8, as in an operating system's drivers: what stands behind the 14 bytes of
 * Ethernet, headers and payload, then lies at a multiple of 4.
 */
const ALIGN_BYTES = 2;

/** An array of this length with anything in it. */
export function newFrame(length: number): Uint8Array {
  if (length > LONGEST) return new Uint8Array(length);
  const again = kept[length]?.pop();
  if (again !== undefined) {
    keptBytes -= length;
    return again;
  }
  if (used + ALIGN_BYTES + length > BLOCK) {
    block = new ArrayBuffer(BLOCK);
    used = 0;
  }
  const frame = new Uint8Array(block, used + ALIGN_BYTES, length);
  used += (ALIGN_BYTES + length + 7) & ~7;
  return frame;
}

/** Gives back a frame that nobody will look at again. */
export function doneWithFrame(frame: Uint8Array): void {
  const { length } = frame;
  // Only what was cut here: other arrays may be seen by somebody else through their buffer.
  if (length > LONGEST || frame.buffer.byteLength !== BLOCK) return;
  keptBytes += length;
  if (keptBytes > KEPT_BYTES) {
    kept = new Array<Uint8Array[] | undefined>(LONGEST + 1);
    keptBytes = length;
  }
  (kept[length] ??= []).push(frame);
}
