// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import { ContentError } from '#src/errors/errors.js';
import { compressedKernel } from '#src/vm/guest/vmlinux.js';

/** A bzImage by the Linux boot protocol: 3 setup sectors, a payload 64 bytes into the protected-mode part. */
function bzImage(payload: Buffer): Buffer {
  const start = 4 * 512 + 64;
  const image = Buffer.alloc(start + payload.length + 100);
  image[0x1f1] = 3;
  image.writeUInt32LE(0x53726448, 0x202);
  image.writeUInt32LE(64, 0x248);
  image.writeUInt32LE(payload.length, 0x24c);
  payload.copy(image, start);
  return image;
}

describe('kernel in a bzImage', () => {
  it('is the zstd frame without the length that follows it', () => {
    const frame = Buffer.from('28b52ffd0102030405', 'hex');
    const payload = Buffer.concat([frame, Buffer.from('00100000', 'hex')]);
    expect(Buffer.from(compressedKernel(bzImage(payload))).toString('hex')).to.equal(frame.toString('hex'));
  });

  it('is refused when it is compressed otherwise, cut off, or no kernel', () => {
    const gzip = bzImage(Buffer.from('1f8b080000000000', 'hex'));
    expect(() => compressedKernel(gzip)).to.throw(ContentError, 'not compressed with zstd');
    const cut = bzImage(Buffer.from('28b52ffd0102030405', 'hex')).subarray(0, 4 * 512 + 66);
    expect(() => compressedKernel(cut)).to.throw(ContentError);
    expect(() => compressedKernel(Buffer.alloc(10))).to.throw(ContentError, 'no Linux bzImage');
  });
});
