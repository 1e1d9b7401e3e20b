// SPDX-License-Identifier: Apache-2.0
/**
 * Unscheduled priorities (docs/protocol.md#unscheduled-priorities).
 *
 * `PeerCutoffs` keeps, for every peer (a small integer of the caller's), the cutoffs it last announced: `priority` for
 * the unscheduled packets of a message to it, `version` to echo in DATA, `store` for a CUTOFFS packet, `shouldAnnounce`
 * to decide whether its DATA shows that it has not heard of ours.
 */
import type { FrameRecord } from './frame-record.js';

/** Priority levels (docs/protocol.md#parameters). */
export const NUM_PRIORITIES = 8;
/** What an unconfigured host announces, entry i being the longest message that uses level i, and its version. */
export const DEFAULT_CUTOFFS: readonly number[] = [0, 0, 0, 0, 1_000_000, 15_000, 2_800, 200];
export const DEFAULT_CUTOFF_VERSION = 1;

const LARGEST = 0x7fffffff;
/** A peer's record in words: its cutoffs, and then its version. */
const RECORD_BITS = 4;
const VERSION = NUM_PRIORITIES;

/** The highest level for granted packets: one below the highest level whose cutoff reaches the longest message, or 0. */
export function maxScheduledPriority(cutoffs: ArrayLike<number>): number {
  for (let level = NUM_PRIORITIES - 1; level > 0; level--) if (cutoffs[level]! >= 1_000_000) return level - 1;
  return 0;
}

export class PeerCutoffs {
  private words = new Int32Array(0);
  /** Time of the last announcement to each peer, in the caller's unit; -Infinity before the first. */
  private announced = new Float64Array(0);

  /** Makes the peer known and forgets what an earlier holder of the number had said: everything goes at level 6. */
  reset(peer: number): void {
    this.reach(peer);
    const at = peer << RECORD_BITS;
    this.words.fill(0, at, at + (1 << RECORD_BITS));
    this.words[at + NUM_PRIORITIES - 2] = LARGEST;
    this.announced[peer] = -Infinity;
  }

  /** Takes in a CUTOFFS packet: entries 1 to 7 as 32-bit signed numbers, entry 0 always reaches every message. */
  store(peer: number, record: FrameRecord): void {
    const at = peer << RECORD_BITS;
    this.words[at] = LARGEST;
    for (let level = 1; level < NUM_PRIORITIES; level++) this.words[at + level] = record.cutoffs[level]! | 0;
    this.words[at + VERSION] = record.cutoffVersion;
  }

  /** Version to put into DATA for this peer; 0 before its first CUTOFFS. */
  version(peer: number): number {
    return this.words[(peer << RECORD_BITS) + VERSION]!;
  }

  /** Level below `levels` for the unscheduled packets of a message of this length; 0 if no cutoff reaches it. */
  priority(peer: number, messageLength: number, levels = NUM_PRIORITIES): number {
    const at = peer << RECORD_BITS;
    for (let level = levels - 1; level > 0; level--) {
      if (this.words[at + level]! >= messageLength) return level;
    }
    return 0;
  }

  /**
   * Whether DATA that echoed `echoedVersion` calls for a CUTOFFS packet with ours: versions differ, and none was sent
   * to this peer within `interval`. A true answer counts as sent.
   */
  shouldAnnounce(
    peer: number,
    echoedVersion: number,
    ownVersion: number,
    now: number,
    interval: number,
  ): boolean {
    if (echoedVersion === ownVersion || now - this.announced[peer]! < interval) return false;
    this.announced[peer] = now;
    return true;
  }

  /** The caller's clock was moved back. */
  rebase(by: number): void {
    for (let peer = 0; peer < this.announced.length; peer++) this.announced[peer]! -= by;
  }

  private reach(peer: number): void {
    if (peer < this.announced.length) return;
    const size = Math.max(peer + 1, 2 * this.announced.length, 16);
    const { words, announced } = this;
    this.words = new Int32Array(size << RECORD_BITS);
    this.announced = new Float64Array(size);
    this.words.set(words);
    this.announced.set(announced);
  }
}
