// SPDX-License-Identifier: Apache-2.0
// The PerfBackend over a card with its driver: builds and runs the C programs of app/, here or in the guest.
import { basename } from 'node:path';
import { buildPrograms, type ProgramBuildSetup } from '../../build/programs.js';
import { type CardInfo, cardPresent, findCards, MODULE_NAME } from '../../doctor/driver-state.js';
import { ContentError, MissingError, UsageError } from '../../errors/errors.js';
import type { Executor } from '../../exec/executor.js';
import { tail } from '../../exec/failures.js';
import type {
  BackendDescription,
  Explanation,
  PerfBackend,
  RunSettings,
  TestRequest,
  TestRun,
  TraceEvent,
} from '../backend.js';
import type { Ceiling, RunResult } from '../result.js';
import { findTest, TESTS } from '../tests.js';

/** The program of each test that runs on one card. */
const PROGRAMS: Record<string, string> = { echo: 'perf_echo', read: 'perf_read', loopback: 'perf_loopback' };

/** Longest wait for one answer of the card, before it is multiplied for slow cards. */
const ANSWER_LIMIT_S = 10;
const MAX_ANSWER_LIMIT_S = 86_400;
const EMULATED =
  'the times are those of an emulated machine with a simulated card: they show that it works, not how fast a card is';
const INTERRUPTED = 130;
const MISSING = 4;

export interface CardBackendOptions {
  build: ProgramBuildSetup;
  target: 'local' | 'vm';
  /** PCI address; the first card when undefined */
  device?: string;
  /** what time limits are multiplied by, for a card that is simulated slowly; default 1 */
  timeScale?: number;
}

/**
 * A backend for the card of a machine or of the guest. Throws `MissingError` when no card with its driver is there,
 * `UsageError` when `device` names none.
 */
export async function createCardBackend(
  executor: Executor,
  options: CardBackendOptions,
): Promise<PerfBackend> {
  const load = `homa-nic load-driver${options.target === 'vm' ? ' --target vm' : ''}`;
  const cards = (await findCards(executor)).filter((card) => card.driver === MODULE_NAME);
  if (cards.length === 0) {
    throw new MissingError(`no card with its driver is on ${executor.place}`, {
      code: 'card_missing',
      suggestions: [options.target === 'vm' ? load : `sudo ${load}`],
    });
  }
  const card = options.device === undefined ? cards[0]! : cards.find((one) => one.address === options.device);
  if (!card) {
    throw new UsageError(`there is no card at ${options.device} on ${executor.place}`, {
      suggestions: cards.map((one) => `--device ${one.address}`),
    });
  }
  const index = Number(card.state['card'] ?? 0);
  if (!(await cardPresent(executor, index))) {
    throw new MissingError(`the device files of the card at ${card.address} are not there`, {
      suggestions: [load],
    });
  }
  return new CardBackend(executor, options, card, index);
}

class CardBackend implements PerfBackend {
  #folder: string | undefined;

  constructor(
    private readonly executor: Executor,
    private readonly options: CardBackendOptions,
    private readonly card: CardInfo,
    private readonly index: number,
  ) {}

  describe(): BackendDescription {
    const { build_kind: kind, interface_version: version, build_id: build } = this.card.state;
    return {
      nic: 'card',
      simulated: kind !== 'card',
      profile: null,
      tests: TESTS.filter((test) => test.name in PROGRAMS).map(({ name, text, sized }) => ({
        name,
        text,
        sized,
      })),
      profiles: [],
      versions: {
        cardInterface: version ?? 'unknown',
        cardBuild: build ?? 'unknown',
        cardKind: kind ?? 'unknown',
      },
    };
  }

  async run(
    test: TestRequest,
    settings: RunSettings,
    signal: AbortSignal,
    onProgress: (done: number, total: number) => void,
  ): Promise<TestRun> {
    const program = PROGRAMS[test.name];
    if (program === undefined) {
      throw new UsageError(
        `test '${test.name}' needs simulated hosts; on a card run ${Object.keys(PROGRAMS).join(', ')}`,
        {
          suggestions: [`--nic sim --test ${test.name}`],
        },
      );
    }
    const total = settings.count + settings.warmup;
    onProgress(0, total);
    const trace = `/tmp/homa-nic-${test.name}-${process.pid}.tt`;
    const argv = await this.command(program, test, settings, trace);
    const outcome = await this.executor.run(argv, { signal, interruptible: true });
    if (outcome.exitCode !== 0 && outcome.exitCode !== INTERRUPTED) throw this.failure(program, outcome);
    const result = parseResult(program, outcome.stdout);
    const row = result.tests[0]!;
    onProgress(total, total);
    const text = Buffer.from(await this.executor.readFile(trace)).toString('utf8');
    await this.executor.run(['rm', '-f', trace]);
    return {
      samples: Float64Array.from(row.samplesNs ?? []),
      unit: row.unit,
      clock: row.clock,
      span: row.span,
      trace: readTrace(text),
      ...(row.rateGbps === undefined ? {} : { rateGbps: row.rateGbps }),
      details: { ...row.details, store: result.settings['store'], programEnvironment: result.environment },
      warnings: [...(result.simulated ? [EMULATED] : []), ...result.warnings, ...row.warnings],
      partial: result.partial,
    };
  }

  explain(): Explanation | undefined {
    return undefined;
  }

  /** Tests between hosts do not run here. */
  limits(): Ceiling[] {
    return [];
  }

  private async command(
    program: string,
    test: TestRequest,
    settings: RunSettings,
    trace: string,
  ): Promise<string[]> {
    const limit = Math.min(MAX_ANSWER_LIMIT_S, ANSWER_LIMIT_S * (this.options.timeScale ?? 1));
    const words = ['--json', '--trace', trace, '--card', String(this.index), '--timeout', String(limit)];
    words.push('--count', String(settings.count), '--warmup', String(settings.warmup));
    words.push('--seed', String(settings.seed));
    if (findTest(test.name)?.sized) words.push('--size', String(test.sizeBytes));
    return [`${await this.programs()}/${program}`, ...words];
  }

  /** Folder with the programs, where the executor can run them. */
  private async programs(): Promise<string> {
    if (this.#folder !== undefined) return this.#folder;
    const built = await buildPrograms(this.options.build);
    if (this.options.target === 'local') return (this.#folder = built);
    const folder = `/tmp/homa-nic-${basename(built)}`;
    if (!(await this.executor.exists(folder))) {
      const here = this.options.build.executor;
      await this.executor.run(['mkdir', '-p', `${folder}.part`]);
      for (const name of Object.values(PROGRAMS)) {
        await this.executor.writeFile(
          `${folder}.part/${name}`,
          await here.readFile(`${built}/${name}`),
          0o755,
        );
      }
      await this.executor.run(['mv', `${folder}.part`, folder]);
    }
    return (this.#folder = folder);
  }

  private failure(program: string, outcome: { exitCode: number; stderr: string }): Error {
    const said = tail(outcome.stderr) || `${program} ended with exit code ${outcome.exitCode}`;
    if (outcome.exitCode !== MISSING) return new ContentError(said);
    return new MissingError(said, {
      suggestions: [`homa-nic load-driver${this.options.target === 'vm' ? ' --target vm' : ''}`],
    });
  }
}

function parseResult(program: string, text: string): RunResult {
  try {
    const result = JSON.parse(text) as RunResult;
    if (result.tests.length === 1) return result;
  } catch {
    // reported below
  }
  throw new ContentError(`${program} did not print a result: ${tail(text)}`);
}

const EVENT = /^\s*(\d+)\.(\d{3}) us \(\+\s*\d+\.\d{3} us\) \[[^\]]*\]\s+(.*)$/;

/** Events of a trace in the line format of the time-trace library; the line that names the clock is left out. */
export function* readTrace(text: string): Generator<TraceEvent> {
  for (const line of text.split('\n')) {
    const match = EVENT.exec(line);
    if (!match || match[3]!.startsWith('First event has timestamp')) continue;
    yield { timeNs: Number(match[1]) * 1000 + Number(match[2]), name: match[3]! };
  }
}
