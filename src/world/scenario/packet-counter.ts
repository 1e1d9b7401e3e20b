// SPDX-License-Identifier: Apache-2.0
// Packets by type, as a scenario's report has them.
import { HOMA_TYPE_NAMES, homaStart, homaType, isRetransmission } from '../frame-summary.js';

export interface PacketCounts {
  total: number;
  byType: Record<string, number>;
  retransmitted: number;
}

/** Counts frames one by one: Homa types by their number, the rest, of which there are few, by name. */
export class PacketCounter {
  private total = 0;
  private retransmitted = 0;
  private readonly homa = new Float64Array(256);
  private readonly others: Record<string, number> = {};

  add(frame: Uint8Array): void {
    this.total++;
    const start = homaStart(frame);
    if (start >= 0) {
      this.homa[frame[start + 11]!]!++;
      if (isRetransmission(frame)) this.retransmitted++;
      return;
    }
    const name = homaType(frame);
    this.others[name] = (this.others[name] ?? 0) + 1;
  }

  counts(): PacketCounts {
    const byType = { ...this.others };
    for (const [type, count] of this.homa.entries()) {
      if (count === 0) continue;
      const name = HOMA_TYPE_NAMES[type] ?? 'unknown';
      byType[name] = (byType[name] ?? 0) + count;
    }
    return { total: this.total, byType, retransmitted: this.retransmitted };
  }
}
