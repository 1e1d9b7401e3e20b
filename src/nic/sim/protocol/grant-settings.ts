// SPDX-License-Identifier: Apache-2.0
/** Settings of the grant scheduler and the two small formulas of it (docs/protocol.md#grants, #parameters). */
export interface GrantSettings {
  /** Bytes that may be granted and not yet received, over all messages. */
  maxIncoming: number;
  /** Messages that are granted at the same time: 1 to 8. */
  maxOvercommit: number;
  /** Bytes a message may be ahead of what was received; 0 chooses by the number of active messages. */
  window: number;
  /** Highest priority level for granted packets (`maxScheduledPriority`). */
  maxScheduledPriority: number;
  /** Priority inside a grant to the oldest message: one below the highest (docs/protocol.md#fifo-grants). */
  fifoPriority: number;
  /** Bytes given to the oldest message each time its turn comes; 0 switches these grants off. */
  fifoIncrement: number;
  /** Least time between two such grants, in the unit of `now`; Infinity switches these grants off. */
  fifoInterval: number;
}

/** Hard limit of `maxOvercommit`: the number of slots. */
export const MAX_SLOTS = 8;

/** HomaModule's defaults; the FIFO interval is for `linkMbps` and in picoseconds. */
export function defaultGrantSettings(linkMbps: number): GrantSettings {
  return {
    maxIncoming: 400_000,
    maxOvercommit: 8,
    window: 0,
    maxScheduledPriority: 3,
    fifoPriority: 6,
    fifoIncrement: 50_000,
    fifoInterval: fifoIntervalPs(50_000, linkMbps, 50),
  };
}

/** Time between grants to the oldest message that gives it `fractionThousandths` of the link, in picoseconds. */
export function fifoIntervalPs(increment: number, linkMbps: number, fractionThousandths: number): number {
  if (fractionThousandths === 0) return Infinity;
  return Math.floor((increment * 8 * 1000 * 1_000_000) / (linkMbps * fractionThousandths));
}

/** How far a message may be granted ahead of what was received, with `active` messages in the slots. */
export function grantWindow(settings: GrantSettings, active: number): number {
  return settings.window !== 0 ? settings.window : Math.floor(settings.maxIncoming / (active + 1));
}

/** Priority for a message that `rank` others outrank, with `active` in the slots: the lowest levels that suffice. */
export function grantPriority(maxScheduled: number, rank: number, active: number): number {
  return Math.max(0, maxScheduled - rank - Math.max(0, maxScheduled + 1 - active));
}
