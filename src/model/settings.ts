// SPDX-License-Identifier: Apache-2.0
import { STRATEGIES, type StrategyEntry } from './catalogue.js';
import { MAX_MESSAGES, UNIT_BYTES } from './messages.js';
import { ModelError } from './model-error.js';

/** How message lengths are drawn from a workload's table. */
export const LENGTH_RULES = ['homa', 'cut', 'raw'] as const;
export type LengthRule = (typeof LENGTH_RULES)[number];

/** Everything that decides the outcome of one run; equal settings give equal results, byte for byte. */
export interface ModelSettings {
  readonly strategy: string;
  /** Sorted slots; null for no bound. */
  readonly entries: number | null;
  readonly levels: number;
  readonly buckets: number;
  readonly workload: string;
  readonly lengthRule: LengthRule;
  /** Offered load as a share of the link. */
  readonly load: number;
  readonly overload: boolean;
  /** Messages of the run, warm-up included. */
  readonly messages: number;
  /** The first messages, which are simulated but not counted. */
  readonly warmup: number;
  readonly seed: number;
  readonly packetUnits: number;
  /** Bytes of a unit of length and time; 64 but for comparison with theory. */
  readonly unitBytes: number;
  readonly insertCycles: number;
  readonly popCycles: number;
  readonly refillCycles: number;
  /** Low and high water mark in slots; null for the strategy's default. */
  readonly lowMark: number | null;
  readonly highMark: number | null;
  /** Units a message may send before it waits for a grant; 0 for no limit. */
  readonly windowUnits: number;
  readonly grantDelayCycles: number;
  /** Cycles from the arrival of a message until its first data is on the card. */
  readonly dataDelayCycles: number;
  readonly originalAccounting: boolean;
  /** Count inversions also where there can be none (exact): for tests. */
  readonly checkInversions: boolean;
}

/** Settings of a plain run; a packet of 1,500 bytes takes 24 units. */
export const DEFAULT_SETTINGS: ModelSettings = {
  strategy: 'exact',
  entries: 64,
  levels: 8,
  buckets: 32,
  workload: 'w4',
  lengthRule: 'homa',
  load: 0.8,
  overload: false,
  messages: 100_000,
  warmup: 10_000,
  seed: 1,
  packetUnits: 24,
  unitBytes: UNIT_BYTES,
  insertCycles: 0,
  popCycles: 0,
  refillCycles: 4,
  lowMark: null,
  highMark: null,
  windowUnits: 0,
  grantDelayCycles: 0,
  dataDelayCycles: 0,
  originalAccounting: false,
  checkInversions: false,
};

/** The catalogue entry of a strategy. Throws ModelError with the names there are. */
export function strategyEntry(name: string): StrategyEntry {
  const entry = STRATEGIES.find((candidate) => candidate.name === name);
  if (entry === undefined) {
    throw new ModelError(
      `unknown strategy "${name}": use one of ${STRATEGIES.map((s) => s.name).join(', ')}`,
    );
  }
  return entry;
}

/** Throws ModelError when a setting is out of its range; the message names the value and the range. */
export function checkSettings(settings: ModelSettings): void {
  const whole = (name: string, value: number, low: number, high: number): void => {
    if (!Number.isSafeInteger(value) || value < low || value > high) {
      throw new ModelError(
        `${name} ${value} is outside the allowed range: an integer from ${low} to ${high}`,
      );
    }
  };
  const entry = strategyEntry(settings.strategy);
  if (settings.entries !== null) whole('entries', settings.entries, entry.minEntries, 1_000_000);
  whole('levels', settings.levels, 1, 64);
  whole('buckets', settings.buckets, 1, 1024);
  whole('messages', settings.messages, 1, MAX_MESSAGES);
  whole('warm-up', settings.warmup, 0, settings.messages - 1);
  whole('seed', settings.seed, 0, Number.MAX_SAFE_INTEGER);
  whole('packet units', settings.packetUnits, 1, 1_000_000);
  whole('unit bytes', settings.unitBytes, 1, 65_536);
  whole('insert cycles', settings.insertCycles, 0, 10_000);
  whole('pop cycles', settings.popCycles, 0, 10_000);
  whole('refill cycles', settings.refillCycles, 0, 100_000);
  whole('window units', settings.windowUnits, 0, 1_000_000_000);
  whole('grant delay', settings.grantDelayCycles, 0, 1_000_000_000);
  whole('data delay', settings.dataDelayCycles, 0, 1_000_000_000);
  if (!LENGTH_RULES.includes(settings.lengthRule)) {
    throw new ModelError(`length rule "${settings.lengthRule}": use one of ${LENGTH_RULES.join(', ')}`);
  }
  const { load } = settings;
  if (!(load > 0 && load <= 100)) {
    throw new ModelError(
      `load ${load} is outside the allowed range: above 0 and below 1 (to 100 with --overload)`,
    );
  }
  if (load >= 1 && !settings.overload) {
    throw new ModelError(
      `load ${load} is outside the allowed range: above 0 and below 1; at 1 or more the queue grows without end, ` +
        `add --overload if that is meant`,
    );
  }
  if (settings.entries === null) return;
  const { low, high } = waterMarks(settings);
  whole('low mark', low, 0, settings.entries - 1);
  whole('high mark', high, low + 1, settings.entries);
}

/** The water marks in slots, by default a share of the entries. */
export function waterMarks(settings: ModelSettings): { low: number; high: number } {
  if (settings.entries === null) return { low: settings.lowMark ?? 0, high: settings.highMark ?? Infinity };
  const low =
    settings.lowMark ??
    Math.min(settings.entries - 1, Math.floor(settings.entries * strategyEntry(settings.strategy).lowShare));
  const high = settings.highMark ?? Math.max(low + 1, Math.ceil(settings.entries * 0.75));
  return { low, high };
}
