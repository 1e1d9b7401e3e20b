// SPDX-License-Identifier: Apache-2.0
// oclif's parser stops at the first fault. This reads the command line first, so that one error can name them all.
import type { Interfaces } from '@oclif/core';
import { UsageError } from '../errors/errors.js';
import { closest } from '../errors/closest.js';

type FlagTable = Interfaces.FlagInput;
type ArgTable = Interfaces.ArgInput;

export interface ScannedLine {
  /** The command line without what cannot be parsed. */
  argv: string[];
  /** One sentence per fault. */
  problems: string[];
}

function findFlag(word: string, flags: FlagTable): string | undefined {
  if (word.startsWith('--')) {
    const name = word.slice(2);
    if (name in flags) return name;
    const positive = name.startsWith('no-') ? name.slice(3) : undefined;
    const flag = positive === undefined ? undefined : flags[positive];
    if (positive !== undefined && flag?.type === 'boolean' && flag.allowNo) return positive;
    return Object.keys(flags).find((key) => flags[key]!.aliases?.includes(name));
  }
  if (!/^-[A-Za-z]/.test(word)) return undefined;
  return Object.keys(flags).find((key) => flags[key]!.char === word[1]);
}

function unknownFlag(word: string, flags: FlagTable): string {
  const name = word.replace(/=.*$/s, '');
  const near = closest(name.replace(/^-+/, ''), Object.keys(flags));
  return `unknown flag ${name}${near ? `; did you mean --${near}?` : ''}`;
}

/** Finds unknown flags, flags without their value and flags given twice, and takes them out of the line. */
export function scanFlags(line: readonly string[], flags: FlagTable): ScannedLine {
  const argv: string[] = [];
  const problems: string[] = [];
  const seen = new Set<string>();
  for (let i = 0; i < line.length; i++) {
    const word = line[i]!;
    if (word === '--') {
      argv.push(...line.slice(i));
      break;
    }
    if (!word.startsWith('-') || word === '-' || /^-\d/.test(word)) {
      argv.push(word);
      continue;
    }
    const equals = word.indexOf('=');
    const head = equals > 0 ? word.slice(0, equals) : word;
    const name = findFlag(head, flags);
    const flag = name === undefined ? undefined : flags[name]!;
    if (name === undefined || flag === undefined) {
      problems.push(unknownFlag(word, flags));
      continue;
    }
    if (flag.type === 'boolean') {
      if (equals > 0) problems.push(`--${name} takes no value`);
      else argv.push(word);
      continue;
    }
    const attached = equals > 0 || (!word.startsWith('--') && word.length > 2);
    const value = attached ? undefined : line[i + 1];
    const taken: string[] = [word];
    const needsValue = `--${name} needs a value${flag.options ? `: ${flag.options.join(', ')}` : ''}`;
    if (!attached) {
      if (value === undefined || value === '--' || findFlag(value, flags) !== undefined) {
        problems.push(needsValue);
        continue;
      }
      taken.push(value);
      i++;
    }
    if (value === '' || (equals > 0 && equals === word.length - 1)) {
      problems.push(needsValue);
      continue;
    }
    if (seen.has(name) && !flag.multiple) {
      problems.push(`--${name} was given more than once`);
      continue;
    }
    seen.add(name);
    argv.push(...taken);
  }
  return { argv, problems };
}

function noteProblem(problems: string[], what: string, error: unknown): undefined {
  problems.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  return undefined;
}

function notAnOption(input: unknown, options: readonly string[]): string {
  const near = closest(String(input), options);
  return `'${String(input)}' is none of ${options.join(', ')}${near ? `; did you mean ${near}?` : ''}`;
}

/** The value of a flag from its text; throws what the flag's own parse throws, or a UsageError on a wrong option. */
export async function parseFlagValue(
  flag: Interfaces.FlagInput[string],
  input: unknown,
  context: unknown,
): Promise<unknown> {
  const options = (flag as { options?: readonly string[] }).options;
  if (options && !options.includes(String(input))) throw new UsageError(notAnOption(input, options));
  const parse = flag.parse as ((...parameters: unknown[]) => Promise<unknown>) | undefined;
  return parse ? parse(input, context, flag) : input;
}

/** Copies of flags that note their own faults in `problems` instead of stopping the parser. */
export function forgivingFlags(flags: FlagTable, problems: string[]): FlagTable {
  const copies: Record<string, unknown> = {};
  for (const [name, flag] of Object.entries(flags)) {
    const copy: Record<string, unknown> = { ...flag };
    if (flag.type === 'option') {
      delete copy['options'];
      copy['parse'] = async (input: string, context: unknown) =>
        parseFlagValue(flag, input, context).catch((error: unknown) =>
          noteProblem(problems, `--${name}`, error),
        );
    }
    if (flag.required) copy['required'] = false;
    copies[name] = copy;
  }
  return copies as FlagTable;
}

/** Copies of arguments that note their own faults, and never wait for text on stdin. */
export function forgivingArgs(args: ArgTable, problems: string[]): ArgTable {
  const copies: Record<string, unknown> = {};
  for (const [name, arg] of Object.entries(args)) {
    const copy: Record<string, unknown> = { ...arg, required: false, ignoreStdin: true };
    delete copy['options'];
    const parse = arg.parse as ((...parameters: unknown[]) => Promise<unknown>) | undefined;
    copy['parse'] = async (input: string, context: unknown) => {
      try {
        if (arg.options && !arg.options.includes(input))
          throw new UsageError(notAnOption(input, arg.options));
        return parse ? await parse(input, context, arg) : input;
      } catch (error) {
        return noteProblem(problems, name.toUpperCase(), error);
      }
    };
    copies[name] = copy;
  }
  return copies as ArgTable;
}

/** What is missing or too much once the line is parsed. */
export function checkCounts(
  found: { flags: Record<string, unknown>; args: Record<string, unknown>; extra: readonly string[] },
  tables: { flags: FlagTable; args: ArgTable },
  problems: string[],
): void {
  for (const [name, flag] of Object.entries(tables.flags)) {
    if (
      flag.required &&
      found.flags[name] === undefined &&
      !problems.some((p) => p.startsWith(`--${name}`))
    ) {
      problems.push(`--${name} is required`);
    }
  }
  for (const [name, arg] of Object.entries(tables.args)) {
    if (
      arg.required &&
      found.args[name] === undefined &&
      !problems.some((p) => p.startsWith(name.toUpperCase()))
    ) {
      problems.push(`${name.toUpperCase()} is missing${arg.description ? `: ${arg.description}` : ''}`);
    }
  }
  if (found.extra.length > 0) {
    const words = found.extra.map((word) => `'${word}'`).join(', ');
    problems.push(`unexpected argument${found.extra.length === 1 ? '' : 's'} ${words}`);
  }
}

/** One error for all faults of a command line. */
export function flagError(command: string, problems: readonly string[]): UsageError {
  const message =
    problems.length === 1
      ? problems[0]!
      : `${problems.length} problems with this command line:\n${problems.map((p) => `  - ${p}`).join('\n')}`;
  return new UsageError(message, { code: 'flags', suggestions: [`homa-nic ${command} --help`] });
}
