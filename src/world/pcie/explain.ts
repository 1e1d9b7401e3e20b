// SPDX-License-Identifier: Apache-2.0
// Where the time of an operation goes: rows that add up, to the picosecond, to what the world does with jitter off.
import { SerialLine } from '../serial-line.js';
import { completionLineBytes, readRequestLineBytes, writeLineBytes, type PcieProfile } from './profile.js';

/** A row of an explanation. `cycles` is there where the time is card logic. */
export interface LatencyRow {
  part: string;
  timePs: number;
  cycles?: number;
  source: string;
}

/** A part of the card's logic, from the device's cycle table. */
export interface CardRow {
  part: string;
  cycles: number;
  source: string;
}

const ARITHMETIC = 'bytes on the line at 126.0 Gbit/s (docs/performance.md)';

function line(profile: PcieProfile, part: string, bytes: number): LatencyRow {
  return { part, timePs: new SerialLine(profile.lineMbps).timePs(bytes), source: ARITHMETIC };
}

/** Card rows as times: cycles at `clockHz`. */
export function cardRows(rows: readonly CardRow[], clockHz = 250_000_000): LatencyRow[] {
  return rows.map(({ part, cycles, source }) => ({
    part,
    cycles,
    timePs: Math.round((cycles * 1e12) / clockHz),
    source,
  }));
}

/** A store of `lengthBytes` from the instruction to the card. */
export function explainMmioWrite(profile: PcieProfile, lengthBytes = 64): LatencyRow[] {
  return [
    { part: 'host store', ...profile.hostStore },
    line(profile, `bus down, ${lengthBytes} B write on the line`, writeLineBytes(profile, lengthBytes)),
    { part: 'bus down, crossing', ...profile.busDown },
  ];
}

/** A DMA write of `lengthBytes` from the card until host memory holds it. */
export function explainDmaWrite(profile: PcieProfile, lengthBytes = 64): LatencyRow[] {
  return [
    line(profile, `bus up, ${lengthBytes} B write on the line`, writeLineBytes(profile, lengthBytes)),
    { part: 'bus up, crossing', ...profile.busUp },
  ];
}

/** A DMA read of `lengthBytes` from its request at the card until its data is there. */
export function explainDmaRead(profile: PcieProfile, lengthBytes: number): LatencyRow[] {
  return [
    line(profile, 'bus up, read request on the line', readRequestLineBytes(profile, lengthBytes)),
    { part: 'bus up, crossing', ...profile.busUp },
    { part: 'host memory', ...profile.hostMemory },
    line(
      profile,
      `bus down, ${lengthBytes} B of data on the line`,
      completionLineBytes(profile, lengthBytes),
    ),
    { part: 'bus down, crossing', ...profile.busDown },
  ];
}

/** From visible to seen. */
export function explainPoll(profile: PcieProfile): LatencyRow[] {
  return [{ part: 'poll', ...profile.poll }];
}

/** Write request to write response of a 64-byte echo; `card` is the card's logic in between. */
export function explainEcho(profile: PcieProfile, card: readonly LatencyRow[]): LatencyRow[] {
  return [...explainMmioWrite(profile), ...card, ...explainDmaWrite(profile), ...explainPoll(profile)];
}

/** Read request to read response of a `lengthBytes` load from the card. */
export function explainRead(
  profile: PcieProfile,
  card: readonly LatencyRow[],
  lengthBytes = 64,
): LatencyRow[] {
  return [
    { part: 'host load', ...profile.mmioReadIssue },
    line(profile, 'bus down, read request on the line', readRequestLineBytes(profile, lengthBytes)),
    { part: 'bus down, crossing', ...profile.busDown },
    ...card,
    line(profile, `bus up, ${lengthBytes} B of data on the line`, completionLineBytes(profile, lengthBytes)),
    { part: 'bus up, crossing', ...profile.busUp },
    { part: 'back to the core', ...profile.mmioReadReturn },
  ];
}

/** The sum of rows, picoseconds. */
export function sumPs(rows: readonly LatencyRow[]): number {
  return rows.reduce((sum, row) => sum + row.timePs, 0);
}
