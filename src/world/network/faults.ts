// SPDX-License-Identifier: Apache-2.0
// What a bad network does to frames, by rule or at random, the same every time for a seed.
import type { Random } from '../../random/random.js';
import { homaOffset, homaType } from '../frame-summary.js';

/** The actions a rule can take. */
export const FAULT_ACTIONS = ['drop', 'duplicate', 'delay', 'corrupt'] as const;
export type FaultAction = (typeof FAULT_ACTIONS)[number];

/** A rule: frames that match everything given are counted, and those counted `from` to `to` (from 1) are hit. */
export interface FaultRule {
  action: FaultAction;
  /** Homa packet type by name, e.g. DATA */
  type?: string;
  /** DATA or GRANT or RESEND offset */
  offset?: number;
  /** first and last matching frame that is hit, counted from 1; the last defaults to the first */
  first?: number;
  last?: number;
  /** only frames that leave within this time */
  afterPs?: number;
  beforePs?: number;
  /** delay and duplicate: how much later */
  delayPs?: number;
}

/** Chances per frame, each 0 to 1, drawn in this order: drop, duplicate, reorder, corrupt. */
export interface FaultChances {
  drop?: number;
  duplicate?: number;
  reorder?: number;
  corrupt?: number;
  /** a reordered or duplicated frame comes up to this much later */
  reorderPs?: number;
}

/** How many frames each fault hit. */
export type FaultCounts = Record<'dropped' | 'duplicated' | 'delayed' | 'corrupted', number>;

const DEFAULT_REORDER_PS = 20_000_000;

/**
 * Decides what becomes of each frame of one link direction. A corrupt frame arrives with a wrong FCS, so the MAC or the
 * switch at the other end drops it; with `passCorrupt` it is delivered with a bit changed (a fault behind the FCS).
 */
export class FaultInjector {
  readonly counts: FaultCounts = { dropped: 0, duplicated: 0, delayed: 0, corrupted: 0 };
  /** what `judge` decided: for each copy its extra delay and its bytes */
  readonly delaysPs = [0, 0];
  readonly frames: Uint8Array[] = [];
  private readonly rules: readonly FaultRule[];
  private readonly seen: number[];
  private readonly chances: FaultChances | undefined;
  private readonly random: Random;
  private readonly passCorrupt: boolean;

  constructor(
    rules: readonly FaultRule[],
    chances: FaultChances | undefined,
    random: Random,
    passCorrupt = false,
  ) {
    this.rules = rules;
    this.seen = rules.map(() => 0);
    this.chances = chances;
    this.random = random;
    this.passCorrupt = passCorrupt;
  }

  /** Decides about a frame that leaves now; returns how many copies (0 to 2) arrive. */
  judge(timePs: number, frame: Uint8Array): number {
    this.frames[0] = frame;
    this.delaysPs[0] = 0;
    let copies = 1;
    for (const [i, rule] of this.rules.entries()) {
      if (!matches(rule, timePs, frame)) continue;
      const nth = ++this.seen[i]!;
      const first = rule.first ?? 1;
      const last = rule.last ?? (rule.first === undefined ? Infinity : rule.first);
      if (nth < first || nth > last) continue;
      copies = this.apply(rule.action, copies, rule.delayPs ?? 0);
    }
    if (this.chances !== undefined) copies = this.applyChances(this.chances, copies);
    return copies;
  }

  private applyChances(chances: FaultChances, copies: number): number {
    // One draw for each kind whatever happens, so that changing one chance does not move the others.
    const drop = this.random.nextChance(chances.drop ?? 0);
    const duplicate = this.random.nextChance(chances.duplicate ?? 0);
    const reorder = this.random.nextChance(chances.reorder ?? 0);
    const corrupt = this.random.nextChance(chances.corrupt ?? 0);
    const later = this.random.nextBelow(chances.reorderPs ?? DEFAULT_REORDER_PS);
    if (drop) copies = this.apply('drop', copies, 0);
    if (duplicate) copies = this.apply('duplicate', copies, later);
    if (reorder) copies = this.apply('delay', copies, later);
    if (corrupt) copies = this.apply('corrupt', copies, 0);
    return copies;
  }

  private apply(action: FaultAction, copies: number, delayPs: number): number {
    if (copies === 0) return 0;
    switch (action) {
      case 'drop':
        this.counts.dropped++;
        return 0;
      case 'duplicate':
        this.counts.duplicated++;
        this.frames[1] = this.frames[0]!.slice();
        this.delaysPs[1] = delayPs;
        return 2;
      case 'delay':
        this.counts.delayed++;
        this.delaysPs[0] = delayPs;
        return copies;
      case 'corrupt': {
        this.counts.corrupted++;
        if (!this.passCorrupt) return 0;
        const changed = this.frames[0]!.slice();
        const at = this.random.nextBelow(changed.length);
        changed[at] = changed[at]! ^ (1 << this.random.nextBelow(8));
        this.frames[0] = changed;
        return copies;
      }
    }
  }
}

function matches(rule: FaultRule, timePs: number, frame: Uint8Array): boolean {
  if (rule.afterPs !== undefined && timePs < rule.afterPs) return false;
  if (rule.beforePs !== undefined && timePs >= rule.beforePs) return false;
  if (rule.type !== undefined && homaType(frame) !== rule.type) return false;
  return rule.offset === undefined || homaOffset(frame) === rule.offset;
}
