// SPDX-License-Identifier: Apache-2.0
import { checkSettings, strategyEntry, type ModelSettings } from '../model/settings.js';

/** What a sweep varies; every combination is a point. */
export interface SweepAxes {
  readonly strategies: readonly string[];
  readonly entries: readonly (number | null)[];
  readonly levels: readonly number[];
  readonly workloads: readonly string[];
  readonly loads: readonly number[];
  readonly seeds: readonly number[];
}

/** Settings that mean the same run are the same: what a strategy does not use is set to one value. */
export function normalizeSettings(settings: ModelSettings): ModelSettings {
  const { uses } = strategyEntry(settings.strategy);
  return {
    ...settings,
    entries: uses.includes('entries') ? settings.entries : null,
    levels: uses.includes('levels') ? settings.levels : 8,
    buckets: uses.includes('buckets') ? settings.buckets : 32,
    refillCycles: uses.includes('refill') ? settings.refillCycles : 4,
    lowMark: uses.includes('marks') ? settings.lowMark : null,
    highMark: uses.includes('marks') ? settings.highMark : null,
  };
}

/** A text that is equal exactly for points of equal settings: what a sweep is resumed by. */
export function pointKey(settings: ModelSettings): string {
  // What a line of JSON cannot hold must not matter here: a row that was read back has the key it was written with.
  const plain = JSON.parse(JSON.stringify(normalizeSettings(settings))) as ModelSettings;
  return JSON.stringify(Object.entries(plain).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * All points of a sweep, without repeats, each checked (throws ModelError). Exact SRPT is always among the
 * strategies: it is what the others are compared with. Short points and long ones are mixed, seeds outermost, so that
 * an interrupted sweep has whole seeds.
 */
export function sweepPoints(base: ModelSettings, axes: SweepAxes): ModelSettings[] {
  const points = new Map<string, ModelSettings>();
  const strategies = ['exact', ...axes.strategies.filter((strategy) => strategy !== 'exact')];
  for (const seed of axes.seeds) {
    for (const workload of axes.workloads) {
      for (const load of axes.loads) {
        for (const strategy of strategies) {
          for (const entries of axes.entries) {
            for (const levels of axes.levels) {
              const point = normalizeSettings({ ...base, seed, workload, load, strategy, entries, levels });
              checkSettings(point);
              points.set(pointKey(point), point);
            }
          }
        }
      }
    }
  }
  return [...points.values()];
}
