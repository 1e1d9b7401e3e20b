// SPDX-License-Identifier: Apache-2.0
/**
 * Which bytes of a message have arrived (docs/protocol.md#placing).
 *
 * One object per message of several packets; a message that came whole in one packet needs none. `accept` says which
 * parts of a packet are new: only those are written to the application's buffer. A packet that is partly old is trimmed,
 * not refused. `missing` lists what a RESEND should ask for (docs/protocol.md#resend).
 */
import { IntervalSet, type RangeList } from './interval-set.js';

/**
 * Most gaps remembered for one message. A message of the largest size in 576-byte packets cannot have more; a packet
 * that would open another is refused, and asked for again later.
 */
export const MAX_GAPS = 1024;

export class Reassembly {
  /** Bytes received, each counted once. */
  receivedBytes = 0;
  /** Highest end of any packet accepted. */
  receivedEnd = 0;
  private gaps: IntervalSet | null = null;

  constructor(readonly length: number) {}

  /** True when every byte is there. */
  get complete(): boolean {
    return this.receivedBytes === this.length;
  }
  get gapCount(): number {
    return this.gaps === null ? 0 : this.gaps.count;
  }

  /**
   * Takes the packet [start, end), which must lie inside the message (`dataFits`). Fills `fresh` with the ranges that
   * are new and answers their total; 0 is a duplicate, an empty packet, or one gap too many.
   */
  accept(start: number, end: number, fresh: RangeList): number {
    fresh.clear();
    if (start >= end) return 0;
    let bytes = 0;
    if (start < this.receivedEnd) {
      if (this.gaps !== null) bytes = this.fillGaps(start, Math.min(end, this.receivedEnd), fresh);
    } else if (start > this.receivedEnd) {
      if (this.gapCount >= MAX_GAPS) return 0;
      this.gaps ??= new IntervalSet();
      this.gaps.add(this.receivedEnd, start);
    }
    if (end > this.receivedEnd) {
      const from = Math.max(start, this.receivedEnd);
      fresh.push(from, end);
      bytes += end - from;
      this.receivedEnd = end;
    }
    this.receivedBytes += bytes;
    return bytes;
  }

  private fillGaps(start: number, end: number, fresh: RangeList): number {
    const gaps = this.gaps!;
    if (gaps.count >= MAX_GAPS && this.splitsGap(start, end)) return 0;
    return gaps.remove(start, end, fresh);
  }

  private splitsGap(start: number, end: number): boolean {
    const gaps = this.gaps!;
    for (let i = 0; i < gaps.count; i++) if (start > gaps.start(i) && end < gaps.end(i)) return true;
    return false;
  }

  /**
   * Fills `out` with what is missing below `granted`: every gap, then the rest up to `granted`. When nothing at all has
   * arrived the caller asks for "everything" (offset 0, length -1) instead.
   */
  missing(granted: number, out: RangeList): void {
    out.clear();
    for (let i = 0; i < this.gapCount; i++) out.push(this.gaps!.start(i), this.gaps!.end(i));
    if (granted > this.receivedEnd) out.push(this.receivedEnd, granted);
  }
}
