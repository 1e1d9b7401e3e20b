// SPDX-License-Identifier: Apache-2.0
import { percentileNearestRank } from '../stats/percentile.js';
import { LengthDistribution } from '../workload/length-distribution.js';
import type { CurvePoint } from './collector.js';
import { Engine, type CompletionSink } from './engine.js';
import { Messages, meanUnits, MAX_UNITS, type ArrivalList } from './messages.js';
import { ModelError } from './model-error.js';
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

/** Told of every completion of a run. */
export type OnComplete = (message: number, cycle: number, messages: Messages) => void;

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
  const engine = new Engine(full, messages, strategy, recorder);
  let outcome = engine.run(SLICE_STEPS);
  while (outcome === undefined) {
    yield recorder.count;
    outcome = engine.run(SLICE_STEPS);
  }

  const { collector } = outcome;
  const { count, sumCycles } = recorder;
  const classes = byClass(recorder.slowdowns, recorder.classes, count);
  for (const values of classes) values.sort();
  const all = mergeSorted(classes);
  const overall = summary(all);
  const cycles = outcome.endCycle - collector.startCycle;
  return {
    settings: full,
    simulated: true,
    cycles,
    endCycle: outcome.endCycle,
    arrived: outcome.arrived,
    completions: count,
    packets: collector.packets,
    meanCompletionCycles: sumCycles / count,
    slowdown: {
      ...overall,
      min: all[0] ?? 0,
      max: all[count - 1] ?? 0,
      deviation: deviation(all, overall.mean ?? 0),
    },
    deciles: classes.map((values, i) => ({
      upToBytes: boundaries[i] ?? distribution.lengthsBytes.at(-1)!,
      ...summary(values),
    })),
    inversions: collector.inversions,
    inversionShare: collector.packets === 0 ? 0 : collector.inversions / collector.packets,
    violationRatio: collector.inversions === 0 ? null : collector.violationSum / collector.inversions,
    worstViolation: collector.worstViolation,
    underflowCycles: collector.underflowCycles,
    utilization: cycles === 0 ? 0 : collector.unitsOut / cycles,
    slotOccupancy: collector.slotOccupancy(),
    highWater: outcome.highWater,
    lowWater: outcome.lowWater,
    moves: outcome.moves,
    maxSize: collector.maxSize,
    unitsIn: outcome.unitsIn,
    unitsOut: collector.unitsOutEver,
    unitsLeft: outcome.unitsLeft,
    backlog: collector.backlogCurve(),
    histogram: histogram(all),
  };
}

/** Notes slowdown and size class of each measured completion. */
class Recorder implements CompletionSink {
  readonly slowdowns: Float64Array;
  readonly classes: Uint8Array;
  count = 0;
  sumCycles = 0;

  constructor(
    private readonly settings: ModelSettings,
    private readonly messages: Messages,
    private readonly boundariesBytes: readonly number[],
    private readonly onComplete: OnComplete | undefined,
  ) {
    this.slowdowns = new Float64Array(settings.messages - settings.warmup);
    this.classes = new Uint8Array(settings.messages - settings.warmup);
  }

  completed(message: number, cycle: number): void {
    const { settings, messages, boundariesBytes } = this;
    this.onComplete?.(message, cycle, messages);
    const original = settings.originalAccounting;
    if (!original && (message < settings.warmup || message >= settings.messages)) return;
    const taken = cycle - messages.arrivalCycle[message]!;
    const ratio = taken / messages.lengthUnits[message]!;
    this.slowdowns[this.count] = original ? Math.floor(ratio) : ratio;
    const bytes = messages.lengthBytes[message]!;
    let size = 0;
    while (size < 9 && bytes > boundariesBytes[size]!) size++;
    this.classes[this.count] = size;
    this.sumCycles += taken;
    this.count++;
  }
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

function byClass(slowdowns: Float64Array, classes: Uint8Array, count: number): Float64Array[] {
  const sizes = new Array<number>(10).fill(0);
  for (let i = 0; i < count; i++) sizes[classes[i]!]!++;
  const groups = sizes.map((size) => new Float64Array(size));
  const at = new Array<number>(10).fill(0);
  for (let i = 0; i < count; i++) {
    const size = classes[i]!;
    groups[size]![at[size]!++] = slowdowns[i]!;
  }
  return groups;
}

/** Merges ascending lists, two and two: cheaper than to sort everything once more. */
function mergeSorted(lists: readonly Float64Array[]): Float64Array {
  let round = [...lists];
  while (round.length > 1) {
    const next: Float64Array[] = [];
    for (let i = 0; i < round.length; i += 2) {
      const a = round[i]!;
      const b = round[i + 1];
      next.push(b === undefined ? a : mergeTwo(a, b));
    }
    round = next;
  }
  return round[0]!;
}

function mergeTwo(a: Float64Array, b: Float64Array): Float64Array {
  const merged = new Float64Array(a.length + b.length);
  let i = 0;
  let j = 0;
  for (let k = 0; k < merged.length; k++) {
    merged[k] = j >= b.length || (i < a.length && a[i]! <= b[j]!) ? a[i++]! : b[j++]!;
  }
  return merged;
}

/** Percentiles of ascending values. */
function summary(values: Float64Array): SlowdownSummary {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
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

function deviation(values: Float64Array, mean: number): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i]! - mean) * (values[i]! - mean);
  return values.length === 0 ? 0 : Math.sqrt(sum / values.length);
}

/** Counts ascending values in bins of three significant digits. */
function histogram(sorted: Float64Array): [number, number][] {
  const bins: [number, number][] = [];
  let scale = 100; // value x scale has three digits before the point
  let limit = 10;
  let digits = -1;
  let bin: [number, number] = [0, 0];
  for (let i = 0; i < sorted.length; i++) {
    const value = sorted[i]!;
    while (value >= limit) {
      limit *= 10;
      scale /= 10;
      digits = -1;
    }
    const rounded = Math.round(value * scale);
    if (rounded === digits) bin[1]++;
    else if (bins.length > 0 && bin[0] === rounded / scale) {
      bin[1]++; // 999.6 rounds to the first value of the next scale
      digits = rounded;
    } else {
      digits = rounded;
      bin = [rounded / scale, 1];
      bins.push(bin);
    }
  }
  return bins;
}

/** Mean length in units of the messages a workload offers: what `load` is measured with. */
export { meanUnits };
