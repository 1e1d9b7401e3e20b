// SPDX-License-Identifier: Apache-2.0
// The flags of the model commands, and the settings they make.
import * as Flags from '@oclif/core/flags';
import { UsageError } from '../errors/errors.js';
import { closest } from '../errors/closest.js';
import { STRATEGIES } from '../model/catalogue.js';
import { MAX_MESSAGES, UNIT_BYTES } from '../model/messages.js';
import { DEFAULT_SETTINGS, LENGTH_RULES, type LengthRule, type ModelSettings } from '../model/settings.js';

const MAX_SEEDS = 1000;
const MAX_SEED = 0xffff_ffff;

/** A whole number that may be written 200000, 200_000 or 2e5; the error names the value and the range. */
export const count = Flags.custom<number, { min?: number; max: number }>({
  parse: async (input, _context, { min = 0, max }) => {
    const plain = input.replaceAll('_', '');
    const value = /^\d+(\.\d+)?(e\+?\d+)?$/i.test(plain) ? Number(plain) : NaN;
    if (!Number.isSafeInteger(value) || value < min || value > max) {
      throw new UsageError(`'${input}' is not a whole number from ${min} to ${max}`);
    }
    return value;
  },
});

/** The flags every model run has. */
export const modelFlags = {
  workload: Flags.string({
    description: 'message lengths: w1 to w5, or a file that ends in .json',
    helpValue: 'NAME',
    default: DEFAULT_SETTINGS.workload,
  }),
  load: Flags.string({
    description: 'offered load as a share of the link, above 0 and below 1',
    helpValue: 'SHARE',
    default: String(DEFAULT_SETTINGS.load),
  }),
  overload: Flags.boolean({ description: 'allow a load of 1 or more: the queue then grows without end' }),
  messages: count({
    description: `messages of a run, warm-up included (up to ${MAX_MESSAGES})`,
    helpValue: 'N',
    min: 1,
    max: MAX_MESSAGES,
    default: DEFAULT_SETTINGS.messages,
  }),
  warmup: count({
    description: 'first messages that are not counted (default: a tenth)',
    helpValue: 'N',
    max: MAX_MESSAGES,
  }),
  seed: count({ description: 'first seed', helpValue: 'NUMBER', max: MAX_SEED, default: 1 }),
  seeds: count({
    description: 'how many seeds, one run each; two or more give confidence intervals',
    helpValue: 'N',
    min: 1,
    max: MAX_SEEDS,
  }),
  'length-rule': Flags.string({
    description: "lengths as HomaModule draws them, cut at 1,000,000 bytes, or the raw table's",
    options: [...LENGTH_RULES],
    default: DEFAULT_SETTINGS.lengthRule,
  }),
  buckets: count({ description: 'ranges of sifter', helpValue: 'N', min: 1, max: 1024, default: 32 }),
  'low-mark': count({ description: 'low water mark in entries', helpValue: 'N', max: 1_000_000 }),
  'high-mark': count({ description: 'high water mark in entries', helpValue: 'N', max: 1_000_000 }),
  'insert-cycles': count({
    description: 'cycles of 64 bytes that inserting a message keeps the queue busy',
    helpValue: 'N',
    max: 10_000,
    default: 0,
  }),
  'pop-cycles': count({
    description: 'cycles that taking a packet keeps the queue busy',
    helpValue: 'N',
    max: 10_000,
    default: 0,
  }),
  'refill-cycles': count({
    description: 'cycles to bring one entry back from behind the sorted ones',
    helpValue: 'N',
    max: 100_000,
    default: DEFAULT_SETTINGS.refillCycles,
  }),
  'grant-window': count({
    description: 'bytes a message may send before it waits for a grant (0: no limit)',
    helpValue: 'BYTES',
    max: 1_000_000_000,
    default: 0,
  }),
  'grant-delay': count({
    description: 'cycles until the grant is there',
    helpValue: 'N',
    max: 1e9,
    default: 0,
  }),
  'data-delay': count({
    description: 'cycles from the arrival of a message until its data is on the card',
    helpValue: 'N',
    max: 1e9,
    default: 0,
  }),
};

/** What parsing `modelFlags` gives. */
export interface ModelFlagValues {
  readonly workload: string;
  readonly load: string;
  readonly overload?: boolean | undefined;
  readonly messages: number;
  readonly warmup?: number | undefined;
  readonly seed: number;
  readonly 'length-rule': string;
  readonly buckets: number;
  readonly 'low-mark'?: number | undefined;
  readonly 'high-mark'?: number | undefined;
  readonly 'insert-cycles': number;
  readonly 'pop-cycles': number;
  readonly 'refill-cycles': number;
  readonly 'grant-window': number;
  readonly 'grant-delay': number;
  readonly 'data-delay': number;
}

/** Settings of a run, before strategy and entries are chosen. */
export function baseSettings(flags: ModelFlagValues): ModelSettings {
  return {
    ...DEFAULT_SETTINGS,
    workload: flags.workload.endsWith('.json') ? flags.workload : flags.workload.toLowerCase(),
    load: parseShare(flags.load),
    overload: flags.overload === true, // absent unless typed
    messages: flags.messages,
    warmup: flags.warmup ?? Math.floor(flags.messages / 10),
    seed: flags.seed,
    lengthRule: flags['length-rule'] as LengthRule,
    buckets: flags.buckets,
    lowMark: flags['low-mark'] ?? null,
    highMark: flags['high-mark'] ?? null,
    insertCycles: flags['insert-cycles'],
    popCycles: flags['pop-cycles'],
    refillCycles: flags['refill-cycles'],
    windowUnits: Math.ceil(flags['grant-window'] / UNIT_BYTES),
    grantDelayCycles: flags['grant-delay'],
    dataDelayCycles: flags['data-delay'],
  };
}

/** A load; whether it is in range is for the settings to say. */
export function parseShare(text: string): number {
  const value = /^[-+]?\d*\.?\d+(e-?\d+)?$/i.test(text) ? Number(text) : NaN;
  if (!Number.isFinite(value)) {
    throw new UsageError(`--load '${text}' is not a number: it is a share above 0 and below 1, such as 0.8`);
  }
  return value;
}

/** Names with commas; each must be a strategy. */
export function parseStrategies(text: string): string[] {
  const names = splitList(text, '--strategy');
  for (const name of names) {
    const known = STRATEGIES.map((strategy) => strategy.name);
    if (known.includes(name)) continue;
    const near = closest(name, known);
    throw new UsageError(`unknown strategy '${name}': use one or more of ${known.join(', ')}`, {
      suggestions: near === undefined ? ['homa-nic model list'] : [`--strategy ${near}`],
    });
  }
  return [...new Set(names)];
}

/** Numbers of sorted entries: `16`, `1,2,4`, `4..64` (doubles), `2..16:2` (steps), `unbounded` (null). */
export function parseEntries(text: string): (number | null)[] {
  return parseNumbers(text, '--entries', 1, 1_000_000, true);
}

/** The same for priority levels. */
export function parseLevels(text: string): number[] {
  return parseNumbers(text, '--levels', 1, 64, false) as number[];
}

/** Words between commas, none empty. */
export function splitList(text: string, flag: string): string[] {
  const words = text.split(',').map((word) => word.trim());
  if (words.some((word) => word === ''))
    throw new UsageError(`${flag} '${text}' has an empty place in its list`);
  return words;
}

function parseNumbers(
  text: string,
  flag: string,
  min: number,
  max: number,
  unbounded: boolean,
): (number | null)[] {
  const values = new Set<number | null>();
  const one = (word: string): number => {
    const value = /^\d+$/.test(word) ? Number(word) : NaN;
    if (!(value >= min && value <= max)) {
      const also = unbounded ? `, or 'unbounded'` : '';
      throw new UsageError(`${flag} '${word}' is not a whole number from ${min} to ${max}${also}`);
    }
    return value;
  };
  for (const word of splitList(text, flag)) {
    if (unbounded && word === 'unbounded') {
      values.add(null);
      continue;
    }
    const range = /^(\d+)\.\.(\d+)(?::(\d+))?$/.exec(word);
    if (range === null) {
      values.add(one(word));
      continue;
    }
    const from = one(range[1]!);
    const to = one(range[2]!);
    const step = range[3] === undefined ? undefined : one(range[3]);
    if (to < from || (to - from) / (step ?? from) > 10_000) {
      throw new UsageError(`${flag} '${word}' is not an ascending range of at most 10000 numbers`);
    }
    for (let value = from; value <= to; value = step === undefined ? value * 2 : value + step)
      values.add(value);
  }
  return [...values];
}
