// SPDX-License-Identifier: Apache-2.0
import { percentileNearestRank } from '../stats/percentile.js';
import { LengthDistribution } from '../workload/length-distribution.js';
import type { CurvePoint } from './collector.js';
import { Engine, type Simulation } from './engine.js';
import { ExactEngine } from './exact-engine.js';
import { Messages, meanUnits, MAX_UNITS, type ArrivalList } from './messages.js';
import { ModelError } from './model-error.js';
import { histogramOf, Recorder, type OnComplete } from './recorder.js';
import { checkSettings, strategyEntry, waterMarks, type ModelSettings } from './settings.js';
import { equalLoadThresholds } from './thresholds.js';

/** Slowdown of the messages of one size class. Percentiles are null where there are too few messages for them. */
export interface SlowdownSummary {
  readonly count: number;
  readonly mean: number | null;
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
  readonly p999: number | null;
}
/** A tenth of the messages by size: lengths above the class before, up to and including `upToBytes`. */
export interface SizeClass extends SlowdownSummary {
  readonly upToBytes: number;
}

/** What one run found. Counts and cycles are from the end of the warm-up to the last measured completion. */
export interface ModelResult {
  readonly settings: ModelSettings;
  readonly simulated: true;
  readonly cycles: number;
  readonly endCycle: number;
  readonly arrived: number;
  /** Measured completions. */
  readonly completions: number;
  readonly packets: number;
  readonly meanCompletionCycles: number;
  readonly slowdown: SlowdownSummary & {
    readonly min: number;
    readonly max: number;
    readonly deviation: number;
  };
  readonly deciles: readonly SizeClass[];
  /** Packets sent while a message with less remaining waited. */
  readonly inversions: number;
  readonly inversionShare: number;
  /** Mean over the inverted packets of remaining / smallest remaining; null without any. */
  readonly violationRatio: number | null;
  readonly worstViolation: number;
  /** Cycles in which the link was idle while work waited. */
  readonly underflowCycles: number;
  readonly utilization: number;
  /** Share of the time each sorted slot was in use, head first. */
  readonly slotOccupancy: readonly number[];
  readonly highWater: number;
  readonly lowWater: number;
  /** Entries moved to and from the store behind the slots. */
  readonly moves: number;
  readonly maxSize: number;
  /** Work of all messages that arrived, what of it was sent, and what was left at the end, in units. */
  readonly unitsIn: number;
  readonly unitsOut: number;
  readonly unitsLeft: number;
  readonly backlog: readonly CurvePoint[];
  /** Slowdowns to three significant digits, with their counts, ascending. */
  readonly histogram: readonly (readonly [slowdown: number, count: number])[];
}

/** Where messages come from: drawn from a distribution, or listed. */
export type Source =
  | { readonly kind: 'poisson'; readonly distribution: LengthDistribution }
  | { readonly kind: 'list'; readonly arrivals: ArrivalList };

/** Steps of the engine between two places where a run can be left: a few milliseconds. */
const SLICE_STEPS = 20_000;

/** Runs the model once. Throws ModelError for settings out of range. `onComplete` is told of every completion. */
export function runModel(settings: ModelSettings, source: Source, onComplete?: OnComplete): ModelResult {
  const slices = modelSlices(settings, source, onComplete);
  for (;;) {
    const slice = slices.next();
    if (slice.done === true) return slice.value;
  }
}

/** The same in slices of a few milliseconds: between two of them the caller may look at other things, or stop. */
export function* modelSlices(
  settings: ModelSettings,
  source: Source,
  onComplete?: OnComplete,
): Generator<number, ModelResult, void> {
  const full = resolve(settings, source);
  checkSettings(full);
  const messages = makeMessages(full, source);
  const distribution =
    source.kind === 'poisson' ? source.distribution : listed(source.arrivals, full.unitBytes);
  const marks = waterMarks(full);
  const strategy = strategyEntry(full.strategy).create({
    messages,
    entries: full.entries ?? Infinity,
    levels: full.levels,
    buckets: full.buckets,
    refillCycles: full.refillCycles,
    lowMark: marks.low,
    highMark: marks.high,
    thresholdsUnits:
      full.strategy === 'strict' ? equalLoadThresholds(distribution, full.levels, full.unitBytes) : [],
    maxUnits: Math.ceil(distribution.lengthsBytes.at(-1)! / full.unitBytes),
  });

  const boundaries = distribution.decileBoundariesBytes();
  const recorder = new Recorder(full, messages, boundaries, onComplete);
  const engine: Simulation = ExactEngine.fits(full)
    ? new ExactEngine(full, messages, recorder)
    : new Engine(full, messages, strategy, recorder);
  let outcome = engine.run(SLICE_STEPS);
  while (outcome === undefined) {
    yield recorder.count;
    outcome = engine.run(SLICE_STEPS);
  }

  const { collector } = outcome;
  const recorded = recorder.finish();
  const { count } = recorder;
  const all = recorded.sorted;
  const overall = summary(all, recorded.sum);
  const cycles = outcome.endCycle - collector.startCycle;
  return {
    settings: full,
    simulated: true,
    cycles,
    endCycle: outcome.endCycle,
    arrived: outcome.arrived,
    completions: count,
    packets: collector.packets,
    meanCompletionCycles: recorded.sumCycles / count,
    slowdown: {
      ...overall,
      min: all[0] ?? 0,
      max: all[count - 1] ?? 0,
      deviation: recorded.deviation,
    },
    deciles: recorded.classes.map((size, i) => ({
      upToBytes: boundaries[i] ?? distribution.lengthsBytes.at(-1)!,
      ...summary(size.sorted, size.sum),
    })),
    inversions: collector.inversions,
    inversionShare: collector.packets === 0 ? 0 : collector.inversions / collector.packets,
    violationRatio: collector.inversions === 0 ? null : collector.violationSum / collector.inversions,
    worstViolation: collector.worstViolation,
    underflowCycles: collector.underflowCycles,
    utilization: cycles === 0 ? 0 : (collector.unitsOut - outcome.unitsOnLink) / cycles,
    slotOccupancy: collector.slotOccupancy(),
    highWater: outcome.highWater,
    lowWater: outcome.lowWater,
    moves: outcome.moves,
    maxSize: collector.maxSize,
    unitsIn: outcome.unitsIn,
    unitsOut: collector.unitsOutEver,
    unitsLeft: outcome.unitsLeft,
    backlog: collector.backlogCurve(),
    histogram: histogramOf(all),
  };
}

/** Settings that follow from others: a list has its own number of messages, the original knows no warm-up. */
function resolve(settings: ModelSettings, source: Source): ModelSettings {
  let full = settings;
  if (source.kind === 'list') {
    const messages = Math.min(settings.messages, source.arrivals.units.length);
    full = { ...full, workload: 'arrivals', messages, warmup: Math.min(settings.warmup, messages - 1) };
  }
  if (settings.originalAccounting) full = { ...full, warmup: 0, insertCycles: 1, popCycles: 0 };
  return full;
}

function makeMessages(settings: ModelSettings, source: Source): Messages {
  if (source.kind === 'list') return Messages.list(source.arrivals);
  const { distribution } = source;
  if (Math.ceil(distribution.lengthsBytes.at(-1)! / settings.unitBytes) > MAX_UNITS) {
    throw new ModelError(
      `workload ${settings.workload} has messages of ${distribution.lengthsBytes.at(-1)} bytes, ` +
        `the model takes up to ${MAX_UNITS} units of ${settings.unitBytes} bytes`,
    );
  }
  // Arrivals go on behind the measured messages until the last of these is done, so that the end of a run is not a
  // quiet time; twice as many is the bound, for loads at which it might never be done.
  return Messages.poisson({
    distribution,
    load: settings.load,
    seed: settings.seed,
    capacity: settings.messages + Math.min(settings.messages, 65_536),
    limit: 2 * settings.messages + 1000,
    unitBytes: settings.unitBytes,
  });
}

function listed(list: ArrivalList, unitBytes: number): LengthDistribution {
  const sorted = list.units.slice().sort();
  const points: [number, number][] = [];
  for (let i = 0; i < sorted.length; i++) {
    if (sorted[i] !== sorted[i + 1]) points.push([sorted[i]! * unitBytes, (i + 1) / sorted.length]);
  }
  return new LengthDistribution('arrivals', points);
}

/** Percentiles of ascending values. */
function summary(values: Float64Array, sum: number): SlowdownSummary {
  const at = (p: number): number | null => percentileNearestRank(values, p) ?? null;
  return {
    count: values.length,
    mean: values.length === 0 ? null : sum / values.length,
    p50: at(0.5),
    p90: at(0.9),
    p99: at(0.99),
    p999: at(0.999),
  };
}

/** Mean length in units of the messages a workload offers: what `load` is measured with. */
export { meanUnits };
