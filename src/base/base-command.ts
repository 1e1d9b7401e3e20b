// SPDX-License-Identifier: Apache-2.0
import type { Interfaces } from '@oclif/core';
import { parse } from '@oclif/core/parser';
import { BugError, type HomaNicError, InterruptedError, UsageError } from '../errors/errors.js';
import { printable } from '../report/printable.js';
import type { TextShape } from '../report/text-shape.js';
import { classify, withoutAbsolutePaths } from './classify.js';
import { type Envelope, envelopeParts, exitCodeOf, formatError, makeEnvelope } from './envelope.js';
import { CONFIG_KEYS, flagOfKey } from './config-keys.js';
import { type Configuration, loadConfiguration } from './configuration.js';
import {
  checkCounts,
  flagError,
  forgivingArgs,
  forgivingFlags,
  parseFlagValue,
  scanFlags,
} from './flag-problems.js';
import { globalFlags } from './flags.js';
import { type Interrupt, listenForInterrupt } from './interrupt.js';
import { makeOutputFolder, type OutputFolder } from './output-folder.js';
import { createProgress, type Progress } from './progress.js';
import type { RunConfig } from './run-config.js';
import { shapeOfStdout, writeErr, writeOut } from './terminal.js';

/** What a command hands back. */
export interface Outcome<R = unknown> {
  /** Goes into the envelope under --json; may be empty, never absent. */
  result: R;
  /** The text for stdout; called only without --json. A stream of texts is written as it comes. */
  render(): string | Iterable<string> | AsyncIterable<string>;
  /** Set when there is a result to show and yet the run must not pass: a threshold crossed, a test that failed. */
  failure?: HomaNicError;
}

/** What a command says of itself. oclif reads it for --help, for its manifest and for completion. */
export interface CommandClass {
  id: string;
  flags: Interfaces.FlagInput;
  args: Interfaces.ArgInput;
  strict: boolean;
  run(argv: string[], config: RunConfig): Promise<Envelope>;
}

export type FlagsOf<T extends Pick<CommandClass, 'flags'>> = Interfaces.InferredFlags<
  typeof globalFlags & T['flags']
>;
export type ArgsOf<T extends Pick<CommandClass, 'args'>> = Interfaces.InferredArgs<T['args']>;

/** Is --json on this command line, before any `--`? Needed before the line is parsed, to report a parse error in kind. */
export function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  const json = argv.indexOf('--json');
  return json !== -1 && (end === -1 || json < end);
}

/**
 * Base of every command. It parses flags, calls `execute`, prints the result or the error in the form asked for, and
 * sets the exit code; a command never prints and never exits by itself. stdout carries the result only.
 *
 * It has the shape of oclif's Command but is not derived from it: that class loads all of oclif (help, plugins, spinners),
 * half of the start-up time, and its envelope is not ours (it exits 1 on every failure and prints argv). Flags, arguments
 * and their parser are oclif's.
 */
export abstract class BaseCommand<T extends Pick<CommandClass, 'flags' | 'args'>> {
  static id: string;
  static summary?: string;
  static description?: string;
  static examples: (string | { description: string; command: string })[] = [];
  static usage?: string;
  static flags: Interfaces.FlagInput = {};
  static args: Interfaces.ArgInput = {};
  static strict = true;
  static hidden = false;
  static aliases: string[] = [];
  static hiddenAliases: string[] = [];
  static baseFlags = globalFlags;
  static enableJsonFlag = false;

  /** Runs one command line of this command; `config` is ours or oclif's. */
  static async run(
    this: new (argv: string[], config: RunConfig) => { run(): Promise<Envelope> },
    argv: string[],
    config: RunConfig,
  ): Promise<Envelope> {
    return new this(argv, config).run();
  }

  constructor(
    protected readonly argv: string[],
    protected readonly config: RunConfig,
  ) {}

  protected flags!: FlagsOf<T>;
  protected args!: ArgsOf<T>;
  /** All positional words, for commands with `static strict = false`. */
  protected words: string[] = [];
  /** Names of the flags that were typed on the command line (not defaults, not configuration). */
  protected typedFlags: ReadonlySet<string> = new Set();
  /** What the environment and the configuration files say; flags have it already where they were not typed. */
  protected configuration!: Configuration;
  /** Aborted on the first Ctrl-C: stop soon, return what there is. */
  protected signal!: AbortSignal;
  protected progress!: Progress;
  readonly #warnings: string[] = [];

  /** The work of the command. */
  protected abstract execute(): Promise<Outcome>;

  get #class(): CommandClass {
    return this.constructor as unknown as CommandClass;
  }

  /** The name as it is typed: `sim run`, not `sim:run`. */
  protected get commandName(): string {
    return (this.#class.id ?? '').replaceAll(':', ' ');
  }

  /** Width, characters and colour that the text on stdout may use. */
  protected get shape(): TextShape {
    return shapeOfStdout();
  }

  protected get json(): boolean {
    return wantsJson(this.argv);
  }

  /** Notes something that did not stop the run: a line on stderr, or an entry of `warnings` under --json. */
  protected warn(text: string): void {
    this.#warnings.push(text);
    if (!this.json && !this.flags?.quiet) {
      this.progress?.stop();
      writeErr(`warning: ${printable(withoutAbsolutePaths(text, this.config.root))}\n`);
    }
  }

  /** Says on stderr what is being done, under --verbose only. */
  protected detail(text: string): void {
    if (this.flags.verbose) writeErr(`${withoutAbsolutePaths(text, this.config.root)}\n`);
  }

  /**
   * Makes the folder for this command's output, before any work: `out`, else the next number in the results folder.
   * Throws a UsageError when it cannot be written, or is in use and `force` is not set.
   */
  protected makeOutputFolder(out: string | undefined, force: boolean): OutputFolder {
    const resultsFolder = String(this.configuration.resultsFolder.value);
    return makeOutputFolder({ command: this.commandName, out, force, resultsFolder });
  }

  /** Final: commands implement `execute`. Returns the envelope, which tests may read. */
  async run(): Promise<Envelope> {
    let interrupt: Interrupt | undefined;
    let ended: { outcome?: Outcome; failure?: HomaNicError | undefined; interrupted: boolean };
    try {
      await this.#parseLine();
      this.progress = createProgress(this.flags.quiet === true);
      interrupt = listenForInterrupt(this.flags.quiet === true);
      this.signal = interrupt.signal;
      const outcome = await this.execute();
      ended = { outcome, failure: outcome.failure, interrupted: interrupt.signal.aborted };
    } catch (thrown) {
      const failure = classify(thrown);
      const interrupted = failure instanceof InterruptedError || interrupt?.signal.aborted === true;
      ended = { failure, interrupted };
    } finally {
      this.progress?.stop();
      interrupt?.release();
    }
    return this.#finish(ended);
  }

  async #finish(ended: {
    outcome?: Outcome;
    failure?: HomaNicError | undefined;
    interrupted: boolean;
  }): Promise<Envelope> {
    let { failure } = ended;
    const result = ended.outcome ? { result: ended.outcome.result ?? null } : {};
    let text = '';
    if (!this.json && ended.outcome) {
      try {
        const rendered = ended.outcome.render();
        if (typeof rendered === 'string') text = rendered;
        else for await (const part of rendered) await writeOut(part);
      } catch (thrown) {
        failure = new BugError(classify(thrown).message, { cause: thrown });
      }
    }
    const envelope = makeEnvelope(
      this.commandName,
      { ...result, failure, interrupted: ended.interrupted },
      this.#warnings,
      this.config.root,
    );
    process.exitCode = exitCodeOf({ failure, interrupted: ended.interrupted });
    if (this.json) {
      for (const part of envelopeParts(envelope)) await writeOut(part);
    } else {
      if (text !== '') await writeOut(text.endsWith('\n') ? text : `${text}\n`);
      if (failure && !(failure instanceof InterruptedError && ended.outcome)) {
        writeErr(formatError(failure, { version: this.config.version, packageRoot: this.config.root }));
      }
    }
    return envelope;
  }

  async #parseLine(): Promise<void> {
    const { args, strict, flags: own } = this.#class;
    const flags: Interfaces.FlagInput = { ...BaseCommand.baseFlags, ...own };
    const { argv, problems } = scanFlags(this.argv, flags);
    let parsed: Interfaces.ParserOutput | undefined;
    try {
      parsed = await parse(argv, {
        flags: forgivingFlags(flags, problems),
        args: forgivingArgs(args, problems),
        strict: false,
      } as Interfaces.Input<Interfaces.OutputFlags<Interfaces.FlagInput>, never, never>);
    } catch (thrown) {
      problems.push(...oclifReasons(thrown));
    }
    if (parsed) {
      const takesMore = !strict || Object.values(args).some((arg) => arg.multiple);
      const words = parsed.argv as string[];
      const extra = takesMore ? [] : words.slice(Object.keys(args).length);
      checkCounts({ flags: parsed.flags, args: parsed.args, extra }, { flags, args }, problems);
    }
    if (problems.length > 0 || !parsed) throw flagError(this.commandName, problems);
    this.flags = parsed.flags as FlagsOf<T>;
    this.args = parsed.args as ArgsOf<T>;
    this.words = parsed.argv as string[];
    const fromDefault = parsed.metadata.flags;
    this.typedFlags = new Set(Object.keys(parsed.flags).filter((name) => !fromDefault[name]?.setFromDefault));
    this.configuration = await loadConfiguration();
    await this.#fillFromConfiguration(flags);
  }

  /** Flags that were not typed take the value of the environment or of a configuration file, if one has it. */
  async #fillFromConfiguration(table: Interfaces.FlagInput): Promise<void> {
    for (const key of CONFIG_KEYS) {
      const name = flagOfKey(key);
      const flag = table[name];
      const { value, source, from } = this.configuration[key];
      if (!flag || source === 'default' || this.typedFlags.has(name)) continue;
      try {
        const parsed = await parseFlagValue(flag, String(value), this);
        (this.flags as Record<string, unknown>)[name] = parsed;
      } catch (thrown) {
        throw new UsageError(`${from}: ${classify(thrown).message}`, {
          code: 'config',
          suggestions: ['homa-nic config'],
        });
      }
    }
  }
}

/** Sentences out of an error of oclif's own checks (exclusive flags and the like). */
function oclifReasons(thrown: unknown): string[] {
  if (!(thrown instanceof Error) || !('oclif' in thrown)) throw thrown;
  const text = thrown.message.replace(/\nSee more help with --help$/, '');
  const lines = text.split('\n').map((line) => line.trim());
  if (lines.length > 1 && /^The following errors? occurred:$/.test(lines[0]!)) lines.shift();
  return lines.filter((line) => line !== '');
}
