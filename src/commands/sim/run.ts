// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises';
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { BaseCommand, type Outcome } from '../../base/base-command.js';
import { MAX_SEED, sharedFlags, wholeNumber } from '../../base/flags.js';
import { readJsonFile } from '../../base/json-file.js';
import { checkOutputFile } from '../../base/output-file.js';
import { showPath } from '../../base/shown-path.js';
import { loadWorkload } from '../../data/load-workload.js';
import { ContentError, UsageError } from '../../errors/errors.js';
import { makeSimCard, simShardModule } from '../../perf/backends/sim-card-kind.js';
import { formatScenarioReport } from '../../report/scenario-report.js';
import { validate } from '../../schema/validate.js';
import { homaModuleDistribution, type LengthDistribution } from '../../workload/length-distribution.js';
import { WorkloadError } from '../../workload/workload-table.js';
import { AddressError } from '../../world/addresses.js';
import { DriverError } from '../../world/host/driver.js';
import { PcapWriter } from '../../world/pcap.js';
import type { ScenarioReport } from '../../world/scenario/report.js';
import { runScenario } from '../../world/scenario/runner.js';
import { ScenarioError, type Scenario } from '../../world/scenario/scenario.js';

/** Of a scenario that does not follow the schema, no more than this are told at once. */
const MOST_FAULTS = 5;
/** What a scenario's author can put right. */
const CONTENT_ERRORS = [ScenarioError, AddressError, DriverError, WorkloadError];

export default class SimRun extends BaseCommand<typeof SimRun> {
  static override summary =
    'Run a scenario of simulated hosts, cards and networks, and hold it against what it expects.';
  static override description = `A scenario is a JSON file: hosts, network, faults, workload, expectations (schemas/scenario.v1.json). The same file and seed give the same output, byte for byte, in one thread or several. All times are simulated. The exit code is 1 when an expectation does not hold.`;
  static override examples = [
    { description: 'One RPC between two hosts', command: '<%= config.bin %> sim run scenarios/rpc.json' },
    {
      description: 'A lossy network, with every frame kept',
      command: '<%= config.bin %> sim run scenarios/lossy.json --pcap lossy.pcap',
    },
  ];

  static override args = {
    scenario: Args.string({ description: 'scenario file', required: true }),
  };

  static override flags = {
    seed: wholeNumber({
      description: "seed of every random draw, in place of the scenario's",
      helpValue: 'NUMBER',
      min: 0,
      max: MAX_SEED,
    }),
    pcap: Flags.string({
      description: 'write every frame, as it leaves its card, to this file',
      helpValue: 'FILE',
    }),
    threads: wholeNumber({
      description: 'run the hosts in so many threads (default: as many as make the run shorter)',
      helpValue: 'NUMBER',
      min: 1,
      max: 256,
    }),
    force: sharedFlags.force,
  };

  protected async execute(): Promise<Outcome<ScenarioReport>> {
    const scenario = await readScenario(this.args.scenario);
    const { pcap, threads } = this.flags;
    if (pcap !== undefined && threads !== undefined && threads > 1) {
      throw new UsageError('--pcap keeps frames in the order of time, which needs one thread', {
        code: 'threads_and_pcap',
        suggestions: ['leave out --threads', 'leave out --pcap'],
      });
    }
    if (pcap !== undefined) checkOutputFile(pcap, this.flags.force);
    const writer = new PcapWriter();
    const total = (scenario.workload?.clients ?? []).reduce((sum, client) => sum + client.count, 0);
    if (total > 1000) this.progress.start('RPCs', total);
    const report = await runScenario(
      {
        scenario,
        makeCard: makeSimCard,
        shardModule: simShardModule,
        ...(threads === undefined ? {} : { threads }),
        lengths: await loadLengths(scenario),
        ...(this.flags.seed === undefined ? {} : { seed: this.flags.seed }),
        ...(pcap === undefined
          ? {}
          : {
              onFrame: (timePs, frame) => {
                writer.add(timePs, frame);
              },
            }),
      },
      {
        signal: this.signal,
        onProgress: (done) => {
          this.progress.update(done);
        },
      },
    ).catch((error: unknown) => {
      const isContent = error instanceof Error && CONTENT_ERRORS.some((kind) => error instanceof kind);
      if (!isContent) throw error;
      throw new ContentError(`${shownFile(this.args.scenario)}: ${error.message}`, { cause: error });
    });
    if (pcap !== undefined) await writeFile(pcap, writer.toBytes());
    const missed = report.expectations.filter((expectation) => !expectation.ok);
    return {
      result: report,
      render: () =>
        formatScenarioReport(report, this.shape) +
        (pcap === undefined ? '' : `\n${writer.frames} frames written to ${shownFile(pcap)}\n`),
      ...(missed.length === 0 || report.partial
        ? {}
        : {
            failure: new ContentError(
              `${missed.length} of ${report.expectations.length} expectations failed: ${missed
                .slice(0, 3)
                .map((e) => `${e.path} is ${String(e.actual)}`)
                .join('; ')}`,
              { code: 'expectation' },
            ),
          }),
    };
  }
}

/** A path as messages name it: as typed, but never absolute. */
function shownFile(path: string): string {
  return showPath(path).replace(/^\.\//, '');
}

async function readScenario(path: string): Promise<Scenario> {
  const file = shownFile(path);
  const json = await readJsonFile(path, file, ['homa-nic sim run scenarios/rpc.json']);
  const faults = await validate('scenario.v1', json);
  if (faults.length > 0) {
    const rest = faults.length > MOST_FAULTS ? `; and ${faults.length - MOST_FAULTS} more` : '';
    throw new ContentError(`${file}: ${faults.slice(0, MOST_FAULTS).join('; ')}${rest}`);
  }
  return json as Scenario;
}

async function loadLengths(scenario: Scenario): Promise<Record<string, LengthDistribution>> {
  const lengths: Record<string, LengthDistribution> = {};
  for (const { requestBytes } of scenario.workload?.clients ?? []) {
    if (typeof requestBytes !== 'object' || !('workload' in requestBytes)) continue;
    const name = requestBytes.workload;
    lengths[name] ??= homaModuleDistribution(await loadWorkload(name));
  }
  return lengths;
}
