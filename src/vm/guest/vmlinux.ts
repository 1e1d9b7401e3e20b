// SPDX-License-Identifier: Apache-2.0
// Takes the kernel proper out of a bzImage: QEMU boots the bare ELF 1.3 s sooner than the compressed image.
import { ContentError } from '../../errors/errors.js';

const ZSTD_MAGIC = 0xfd2fb528;

/**
 * The zstd-compressed kernel inside a bzImage (Linux boot protocol 2.08 and later). Throws `ContentError` when the
 * image has no such payload.
 */
export function compressedKernel(bzImage: Uint8Array): Uint8Array {
  const view = new DataView(bzImage.buffer, bzImage.byteOffset, bzImage.byteLength);
  if (bzImage.length < 0x250 || view.getUint32(0x202, true) !== 0x53726448) {
    throw new ContentError('the kernel image is no Linux bzImage');
  }
  const setupSectors = view.getUint8(0x1f1) || 4;
  const start = (setupSectors + 1) * 512 + view.getUint32(0x248, true);
  // The last four bytes of the payload are the unpacked length, not part of the zstd frame.
  const end = start + view.getUint32(0x24c, true) - 4;
  if (end > bzImage.length || view.getUint32(start, true) !== ZSTD_MAGIC) {
    throw new ContentError(
      'the kernel image is not compressed with zstd, which is all that homa-nic unpacks',
    );
  }
  return bzImage.subarray(start, end);
}
