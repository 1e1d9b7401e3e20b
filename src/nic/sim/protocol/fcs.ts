// SPDX-License-Identifier: Apache-2.0
/**
 * The Ethernet frame check sequence (CRC-32, reflected polynomial EDB88320). Frames inside the simulator carry none;
 * this serves captures that include it and the test vectors. Its four bytes go out low byte first.
 */
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value >>> 0;
});

/** CRC-32 of bytes[start, end) as an unsigned number; as FCS bytes it is sent least significant byte first. */
export function frameCheckSequence(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = 0xffffffff;
  for (let i = start; i < end; i++) crc = table[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
