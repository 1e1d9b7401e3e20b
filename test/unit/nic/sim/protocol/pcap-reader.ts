// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';

/** Frames of a classic little-endian microsecond pcap file: just enough for the fixtures of these tests. */
export function readCapture(path: string): Uint8Array[] {
  const file = readFileSync(path);
  if (file.readUInt32LE(0) !== 0xa1b2c3d4) throw new Error(`${path}: not a classic little-endian pcap file`);
  const frames: Uint8Array[] = [];
  for (let at = 24; at < file.length;) {
    const length = file.readUInt32LE(at + 8);
    frames.push(new Uint8Array(file.subarray(at + 16, at + 16 + length)));
    at += 16 + length;
  }
  return frames;
}
