// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises';
import * as Flags from '@oclif/core/flags';
import { BaseCommand, type Outcome } from '../base/base-command.js';
import { DEFAULTS } from '../base/config-keys.js';
import { sharedFlags, wholeNumber } from '../base/flags.js';
import { readJsonFile } from '../base/json-file.js';
import { checkPlotFile } from '../base/output-file.js';
import { showPath } from '../base/shown-path.js';
import { parseSizeList } from '../base/size-list.js';
import { BugError, ContentError, InterruptedError, UsageError } from '../errors/errors.js';
import type { PerfBackend, RunSettings, TestRequest } from '../perf/backend.js';
import { defaultTests, MAX_COUNT, parseLoad, parseTestNames, planRequests } from '../perf/plan.js';
import type { RunResult } from '../perf/result.js';
import type { Session } from '../perf/session.js';

/** Of a result that does not follow the schema, no more than this are told at once. */
const MOST_FAULTS = 5;
/** Longest time that building the C programs may take. */
const BUILD_LIMIT_MS = 300_000;

interface Plan {
  nic: string;
  /** why this kind, for people */
  choice: string;
  requests: TestRequest[];
  settings: RunSettings;
}

export default class Perf extends BaseCommand<typeof Perf> {
  static override summary = 'Measure a network card: echo, read, loopback, RPCs, throughput, workloads.';
  static override description =
    'Runs performance tests on the simulated card or on a real one and writes a time trace for each, with a result.json ' +
    'that holds the settings, the machine and every sample. With --parse the traces are read back and their figures ' +
    'printed beside what the bus and the wire allow.';

  static override examples = [
    { description: 'Run the three tests and print the figures', command: '<%= config.bin %> perf --parse' },
    {
      description: 'Message sizes from 64 bytes to 64 KiB through the loopback',
      command: '<%= config.bin %> perf --test loopback --size 64..65536 --count 200 --parse',
    },
    {
      description: 'Where the time of an echo goes',
      command: '<%= config.bin %> perf --test echo --explain',
    },
    {
      description: 'The real driver and C programs, in the guest',
      command: '<%= config.bin %> perf --nic card --target vm --parse',
    },
    {
      description: 'The original card, as its real trace shows it',
      command: '<%= config.bin %> perf --test echo --pcie-profile u250-original --parse',
    },
  ];

  static override flags = {
    nic: sharedFlags.nic,
    device: sharedFlags.device,
    target: sharedFlags.target,
    test: Flags.string({
      description: 'tests to run, with commas (default: echo,read,loopback)',
      helpValue: 'NAMES',
    }),
    list: Flags.boolean({ description: 'list the tests and the PCIe profiles, run nothing' }),
    size: Flags.string({
      description: 'message sizes in bytes: 64,1024 or 64..65536 (doubles) or 64..1024:64 (steps)',
      helpValue: 'SIZES',
    }),
    count: wholeNumber({
      description: 'measured iterations of each test',
      helpValue: 'N',
      min: 1,
      max: MAX_COUNT,
      default: DEFAULTS.count,
    }),
    warmup: wholeNumber({
      description: 'iterations before those, not measured',
      helpValue: 'N',
      min: 0,
      max: MAX_COUNT,
      default: DEFAULTS.warmup,
    }),
    seed: sharedFlags.seed,
    'pcie-profile': Flags.string({
      description: 'bus and card of the simulation: see --list',
      helpValue: 'NAME',
      default: DEFAULTS.pcieProfile,
    }),
    workload: Flags.string({
      description: 'message lengths of the workload test',
      options: ['w1', 'w2', 'w3', 'w4', 'w5'],
      default: 'w4',
    }),
    load: Flags.string({
      description: 'share of each link that the workload test fills, above 0 and below 1',
      helpValue: 'SHARE',
      default: '0.8',
    }),
    repeat: Flags.string({ description: 'run again what this result.json holds', helpValue: 'FILE' }),
    out: sharedFlags.out,
    force: sharedFlags.force,
    parse: Flags.boolean({ description: 'read the traces back and print their figures' }),
    plot: Flags.string({
      description: 'draw the distributions, or the size sweep, into this file',
      helpValue: 'FILE.svg',
    }),
    explain: sharedFlags.explain,
  };

  /** Lets go of the place the card is in; set when a backend needed one. */
  private leave: () => void = () => undefined;

  protected async execute(): Promise<Outcome> {
    const plan = await this.plan();
    try {
      return await this.runPlan(plan, await this.backend(plan));
    } finally {
      this.leave();
    }
  }

  private async runPlan(plan: Plan, backend: PerfBackend): Promise<Outcome> {
    if (this.flags.list) return this.list(backend);
    if (this.flags.explain) return this.explain(backend, plan);
    if (this.flags.plot !== undefined) checkPlotFile(this.flags.plot, this.flags.force, this.flags.out);
    return this.measure(backend, plan);
  }

  private async plan(): Promise<Plan> {
    if (this.flags.repeat !== undefined) return this.repeatPlan(this.flags.repeat);
    const tests = this.flags.test === undefined ? defaultTests() : parseTestNames(this.flags.test);
    const sizes = this.flags.size === undefined ? undefined : parseSizeList(this.flags.size);
    const settings: RunSettings = {
      count: this.flags.count,
      warmup: this.flags.warmup,
      seed: this.flags.seed,
      pcieProfile: this.flags['pcie-profile'],
    };
    if (tests.some((test) => test.name === 'workload')) {
      settings.workload = this.flags.workload;
      settings.load = parseLoad(this.flags.load);
    } else {
      const idle = ['workload', 'load'].filter((name) => this.typedFlags.has(name));
      if (idle.length > 0) {
        throw new UsageError(`--${idle.join(' and --')} without the workload test would do nothing`, {
          code: 'idle_flag',
          suggestions: ['--test workload'],
        });
      }
    }
    return { ...(await this.kind()), requests: planRequests(tests, sizes), settings };
  }

  private async repeatPlan(file: string): Promise<Plan> {
    const settled = [
      'nic',
      'test',
      'size',
      'count',
      'warmup',
      'seed',
      'pcie-profile',
      'workload',
      'load',
    ].filter((name) => this.typedFlags.has(name));
    if (settled.length > 0) {
      throw new UsageError(`--repeat takes its settings from the file: leave out --${settled.join(', --')}`);
    }
    const { validate } = await import('../schema/validate.js');
    const { repeatOf } = await import('../perf/repeat.js');
    const shown = showPath(file);
    const value = await readJsonFile(file, shown, ['name a result.json of an earlier run']);
    const faults = await validate('result.v1', value);
    if (faults.length > 0) {
      const told = faults.slice(0, MOST_FAULTS).map((fault) => `${shown}: ${fault}`);
      throw new ContentError(told.join('\n'));
    }
    const { nic, requests, settings } = repeatOf(value as RunResult, shown);
    return { nic, choice: `as in ${shown}`, requests, settings };
  }

  private async kind(): Promise<Pick<Plan, 'nic' | 'choice'>> {
    const { nic, target } = this.flags;
    const place = ['device', 'target'].find((name) => this.typedFlags.has(name));
    if (nic === 'sim' && (place === 'device' || (place === 'target' && target === 'vm'))) {
      throw new UsageError(`--${place} says where a real card is: it does not go with --nic sim`, {
        code: 'place_of_simulation',
        suggestions: [`leave out --${place}`, '--nic card'],
      });
    }
    if (nic !== undefined) return { nic, choice: 'as asked' };
    if (target === 'vm') return { nic: 'card', choice: 'chosen because the guest has a card' };
    if (place === 'device') return { nic: 'card', choice: 'chosen because --device names one' };
    const { cardPresent } = await import('../doctor/card-present.js');
    return (await cardPresent())
      ? { nic: 'card', choice: 'chosen because its device files are here' }
      : { nic: 'sim', choice: 'chosen because no card is here' };
  }

  private async backend({ nic, settings }: Plan): Promise<PerfBackend> {
    if (nic === 'sim') {
      const { WorldBackend } = await import('../perf/backends/world.js');
      const { simCardKind } = await import('../perf/backends/sim-card-kind.js');
      return new WorldBackend(simCardKind(this.config.version), settings.pcieProfile);
    }
    if (nic === 'card') return this.cardBackend();
    throw new UsageError(`unknown kind of network card '${nic}': the kinds are sim, card`, {
      code: 'unknown_nic',
      suggestions: ['--nic sim', '--nic card'],
    });
  }

  private async cardBackend(): Promise<PerfBackend> {
    const { LocalExecutor } = await import('../exec/local-executor.js');
    const { createCardBackend } = await import('../perf/backends/card.js');
    const here = new LocalExecutor();
    const inGuest = this.flags.target === 'vm';
    const build = {
      executor: here,
      cacheFolder: this.config.cacheDir,
      packageRoot: this.config.root,
      isStatic: inGuest,
      timeoutMs: BUILD_LIMIT_MS,
      signal: this.signal,
    };
    const device = this.flags.device === undefined ? {} : { device: this.flags.device };
    if (!inGuest) return createCardBackend(here, { build, target: 'local', ...device });
    const { connectToGuest } = await import('../vm/connect.js');
    const guest = await connectToGuest(this.config.cacheDir);
    this.leave = () => guest.close();
    const { timeScale } = guest.state;
    return createCardBackend(guest.executor, { build, target: 'vm', timeScale, ...device });
  }

  private list(backend: PerfBackend): Outcome {
    const { tests, profiles } = backend.describe();
    return {
      result: { tests, profiles },
      render: async function* (this: Perf) {
        const { formatTestList } = await import('../report/perf-report.js');
        yield formatTestList(tests, profiles, this.shape);
      }.bind(this),
    };
  }

  private explain(backend: PerfBackend, { requests, settings }: Plan): Outcome {
    const explanations = requests.map((request) => {
      const explanation = backend.explain(request, settings);
      if (explanation) return explanation;
      throw backend.describe().simulated
        ? new UsageError(`--explain knows the parts of echo, read and loopback, not of ${request.name}`, {
            suggestions: ['--test echo,read,loopback --explain'],
          })
        : new UsageError('--explain is for simulated cards: the parts of a real one are not known', {
            suggestions: ['--nic sim --explain'],
          });
    });
    return {
      result: { explanations },
      render: async function* (this: Perf) {
        const { formatExplanation } = await import('../report/perf-report.js');
        for (const [i, explanation] of explanations.entries()) {
          yield (i === 0 ? '' : '\n') + formatExplanation(explanation, this.shape);
        }
      }.bind(this),
    };
  }

  private async measure(backend: PerfBackend, plan: Plan): Promise<Outcome> {
    const { readEnvironment } = await import('../doctor/environment.js');
    const { runSession } = await import('../perf/session.js');
    const folder = this.makeOutputFolder(this.flags.out, this.flags.force);
    let session: Session | undefined;
    let current = '';
    try {
      session = await runSession(
        backend,
        plan.requests,
        plan.settings,
        {
          folder: folder.path,
          environment: readEnvironment(this.config.root),
          versions: { 'homa-nic': this.config.version },
        },
        this.signal,
        ({ name, sizeBytes }, done, total) => {
          const phase = sizeBytes > 0 ? `${name} ${sizeBytes} B` : name;
          if (phase !== current) this.progress.start((current = phase), total);
          this.progress.update(done);
        },
      );
    } finally {
      this.progress.stop();
      folder.discardIfEmpty();
    }
    if (!session) throw new InterruptedError('interrupted before the first measurement');
    await this.checkResult(session.result);
    const { sizeSweepFit, warningsOf, withoutSamples } = await import('../perf/run.js');
    for (const warning of warningsOf(session.result.tests)) this.warn(warning);
    if (this.flags.plot !== undefined) await this.plot(this.flags.plot, session.result);
    const result = {
      ...withoutSamples(session.result),
      folder: folder.shown,
      traces: session.traces.map((t) => t.file),
      choice: plan.choice,
    };
    if (!this.flags.parse) {
      return {
        result,
        render: async function* (this: Perf) {
          const { formatRecorded } = await import('../report/perf-report.js');
          yield formatRecorded(session.result, plan.choice, result.traces, folder.shown);
        }.bind(this),
      };
    }
    const { readBack } = await import('../perf/read-back.js');
    const { rowName } = await import('../report/perf-report.js');
    const rows = (await readBack(folder.path, session)).map((row) => ({ ...row, name: rowName(row.test) }));
    const names = [...new Set(session.result.tests.map((test) => test.name))];
    const fits = names.flatMap((test) => {
      const fit = sizeSweepFit(session.result.tests.filter((t) => t.name === test));
      return fit ? [{ test, fit }] : [];
    });
    return {
      result: { ...result, parsed: rows.map(({ name, summary }) => ({ name, summary })), fits },
      render: async function* (this: Perf) {
        const { formatPerfReport } = await import('../report/perf-report.js');
        yield formatPerfReport(
          session.result,
          rows,
          { fits, folder: folder.shown, choice: plan.choice },
          this.shape,
        );
      }.bind(this),
    };
  }

  private async checkResult(result: RunResult): Promise<void> {
    const { validate } = await import('../schema/validate.js');
    const faults = await validate('result.v1', result);
    if (faults.length > 0) throw new BugError(`the result does not follow its schema: ${faults[0]!}`);
  }

  private async plot(file: string, result: RunResult): Promise<void> {
    const { drawRun } = await import('../report/perf-plot.js');
    await writeFile(file, await drawRun(result));
  }
}
