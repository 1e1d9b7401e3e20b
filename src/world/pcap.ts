// SPDX-License-Identifier: Apache-2.0
// Classic pcap files as bytes: Ethernet frames with times. Disk access is the caller's.

const MAGIC_MICROSECONDS = 0xa1b2c3d4;
const MAGIC_NANOSECONDS = 0xa1b23c4d;
const LINKTYPE_ETHERNET = 1;
const SNAP_BYTES = 65_535;
const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;

/** A frame and its time, nanoseconds since the capture's epoch. */
export interface CapturedFrame {
  timeNs: number;
  frame: Uint8Array;
}

/** A capture file that cannot be read; the message says where and why. */
export class PcapError extends Error {
  override readonly name = 'PcapError';
}

/** Reads a classic pcap of Ethernet frames, either byte order, micro- or nanoseconds. Throws PcapError. */
export function readPcap(bytes: Uint8Array): CapturedFrame[] {
  if (bytes.length < FILE_HEADER_BYTES) throw new PcapError('not a pcap file: shorter than its header');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const little = [MAGIC_MICROSECONDS, MAGIC_NANOSECONDS].includes(view.getUint32(0, true));
  const magic = view.getUint32(0, little);
  if (magic !== MAGIC_MICROSECONDS && magic !== MAGIC_NANOSECONDS) {
    throw new PcapError('not a classic pcap file (pcapng? convert it with: editcap -F pcap IN OUT)');
  }
  const linkType = view.getUint32(20, little) & 0xffff;
  if (linkType !== LINKTYPE_ETHERNET) throw new PcapError(`link type ${linkType}, not Ethernet (1)`);
  const unitNs = magic === MAGIC_NANOSECONDS ? 1 : 1000;
  const frames: CapturedFrame[] = [];
  let at = FILE_HEADER_BYTES;
  while (at < bytes.length) {
    if (at + RECORD_HEADER_BYTES > bytes.length) throw new PcapError(`frame ${frames.length + 1}: cut short`);
    const length = view.getUint32(at + 8, little);
    const timeNs = view.getUint32(at, little) * 1e9 + view.getUint32(at + 4, little) * unitNs;
    at += RECORD_HEADER_BYTES;
    if (at + length > bytes.length) throw new PcapError(`frame ${frames.length + 1}: cut short`);
    // a copy, and never a Buffer, whose slice() would share its bytes
    frames.push({ timeNs, frame: new Uint8Array(bytes.subarray(at, at + length)) });
    at += length;
  }
  return frames;
}

/** Collects frames as a classic pcap with nanosecond times. */
export class PcapWriter {
  private bytes = new Uint8Array(65_536);
  private view = new DataView(this.bytes.buffer);
  private length = FILE_HEADER_BYTES;
  /** frames written */
  frames = 0;

  constructor() {
    this.view.setUint32(0, MAGIC_NANOSECONDS, true);
    this.view.setUint16(4, 2, true);
    this.view.setUint16(6, 4, true);
    this.view.setUint32(16, SNAP_BYTES, true);
    this.view.setUint32(20, LINKTYPE_ETHERNET, true);
  }

  /** Adds a frame; the time is picoseconds of simulated time. */
  add(timePs: number, frame: Uint8Array): void {
    this.reserve(RECORD_HEADER_BYTES + frame.length);
    const ns = Math.floor(timePs / 1000);
    this.view.setUint32(this.length, Math.floor(ns / 1e9), true);
    this.view.setUint32(this.length + 4, ns % 1e9, true);
    this.view.setUint32(this.length + 8, frame.length, true);
    this.view.setUint32(this.length + 12, frame.length, true);
    this.bytes.set(frame, this.length + RECORD_HEADER_BYTES);
    this.length += RECORD_HEADER_BYTES + frame.length;
    this.frames++;
  }

  /** The file so far. */
  toBytes(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.bytes.length, this.length + more));
    larger.set(this.bytes);
    this.bytes = larger;
    this.view = new DataView(larger.buffer);
  }
}
