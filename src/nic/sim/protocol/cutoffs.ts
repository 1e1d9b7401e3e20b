// SPDX-License-Identifier: Apache-2.0
/**
 * Unscheduled priorities (docs/protocol.md#unscheduled-priorities).
 *
 * `PeerCutoffs` keeps, for every peer (a small integer of the caller's), the cutoffs it last announced: `priority` for
 * the unscheduled packets of a message to it, `version` to echo in DATA, `store` for a CUTOFFS packet, `shouldAnnounce`
 * to decide whether its DATA shows that it has not heard of ours. Hosts of a cluster mostly announce the same, so what has
 * been announced is kept once, and of a peer only which of them is its.
 */
import type { FrameRecord } from './frame-record.js';
import { Records, resized } from './records.js';

/** Priority levels (docs/protocol.md#parameters). */
export const NUM_PRIORITIES = 8;
/** What an unconfigured host announces, entry i being the longest message that uses level i, and its version. */
export const DEFAULT_CUTOFFS: readonly number[] = [0, 0, 0, 0, 1_000_000, 15_000, 2_800, 200];
export const DEFAULT_CUTOFF_VERSION = 1;

const LARGEST = 0x7fffffff;
/**
 * Record n in words: set n of cutoffs, which is eight of them, their version, and how many peers have it; and the number
 * of the set that peer n has.
 */
const RECORD_BITS = 4;
const VERSION = NUM_PRIORITIES;
const HOLDERS = NUM_PRIORITIES + 1;
const SET_OF = NUM_PRIORITIES + 2;
/** The set of a peer that has announced nothing: everything goes at level 6, version 0. */
const UNHEARD = 0;

/** The highest level for granted packets: one below the highest level whose cutoff reaches the longest message, or 0. */
export function maxScheduledPriority(cutoffs: ArrayLike<number>): number {
  for (let level = NUM_PRIORITIES - 1; level > 0; level--) if (cutoffs[level]! >= 1_000_000) return level - 1;
  return 0;
}

export class PeerCutoffs {
  private readonly records = new Records(RECORD_BITS);
  private setCount = 1;
  /** Time of the last announcement to each peer, in the caller's unit; -Infinity before the first. */
  private announced = new Float64Array(0);
  /** what a CUTOFFS packet says, as a set */
  private readonly told = new Int32Array(NUM_PRIORITIES + 1);

  constructor() {
    const at = this.records.reach(UNHEARD);
    this.records.words[at + NUM_PRIORITIES - 2] = LARGEST;
  }

  /** Makes the peer known and forgets what an earlier holder of the number had said. */
  reset(peer: number): void {
    this.reach(peer);
    this.give(peer, UNHEARD);
    this.announced[peer] = -Infinity;
  }

  /** Takes in a CUTOFFS packet: entries 1 to 7 as 32-bit signed numbers, entry 0 always reaches every message. */
  store(peer: number, record: FrameRecord): void {
    const { told } = this;
    told[0] = LARGEST;
    for (let level = 1; level < NUM_PRIORITIES; level++) told[level] = record.cutoffs[level]!;
    told[VERSION] = record.cutoffVersion;
    this.give(peer, UNHEARD);
    this.give(peer, this.find(told));
  }

  /** Version to put into DATA for this peer; 0 before its first CUTOFFS. */
  version(peer: number): number {
    return this.records.words[this.setOf(peer) + VERSION]!;
  }

  /** Level below `levels` for the unscheduled packets of a message of this length; 0 if no cutoff reaches it. */
  priority(peer: number, messageLength: number, levels = NUM_PRIORITIES): number {
    const { words } = this.records;
    const at = this.setOf(peer);
    for (let level = levels - 1; level > 0; level--) {
      if (words[at + level]! >= messageLength) return level;
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

  /** The number of the set with these words: one that somebody has, else one that nobody has any more, else a new one. */
  private find(told: Int32Array): number {
    const { words } = this.records;
    let free = this.setCount;
    for (let set = this.setCount - 1; set > UNHEARD; set--) {
      const at = set << RECORD_BITS;
      if (words[at + HOLDERS] === 0) free = set;
      else if (words[at + VERSION] === told[VERSION] && told.every((word, i) => words[at + i] === word))
        return set;
    }
    if (free === this.setCount) this.setCount++;
    const at = this.records.reach(free);
    this.records.words.set(told, at);
    return free;
  }

  private give(peer: number, set: number): void {
    const { words } = this.records;
    words[this.setOf(peer) + HOLDERS]!--;
    words[(set << RECORD_BITS) + HOLDERS]!++;
    words[(peer << RECORD_BITS) + SET_OF] = set;
  }

  /** Place of a peer's set. */
  private setOf(peer: number): number {
    return this.records.words[(peer << RECORD_BITS) + SET_OF]! << RECORD_BITS;
  }

  private reach(peer: number): void {
    this.records.reach(peer);
    const known = this.announced.length;
    if (peer >= known) this.announced = resized(this.announced, Math.max(peer + 1, 2 * known, 16));
  }
}
