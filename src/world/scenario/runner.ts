// SPDX-License-Identifier: Apache-2.0
// Runs a scenario, in as many threads as are worth it, and says what happened.
import { availableParallelism } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { ShardLost } from '../shards/meeting.js';
import { Shard, type ShardSeat } from '../shards/shard.js';
import type { World } from '../world.js';
import { shortestDelayNs } from './build-network.js';
import type { Lengths } from './client-plan.js';
import { collectReport } from './collect.js';
import type { RunOutcome } from './outcome.js';
import type { ScenarioReport } from './report.js';
import { ScenarioRun, type RunInputs, type RunOptions } from './scenario-run.js';
import type { Scenario } from './scenario.js';
import { expandHosts, type CardMaker } from './setup.js';
import type { ShardAnswer, ShardFailure, ShardTask } from './shard-thread.js';
import { canBeDivided, threadsWorthIt } from './threads.js';

/** What a run needs besides the scenario. */
export interface ScenarioInputs {
  scenario: Scenario;
  makeCard: CardMaker;
  /** the distributions that the scenario's workloads name */
  lengths?: Lengths;
  /** takes the place of the scenario's seed */
  seed?: number;
  /** sees every frame as it leaves a card or a switch for the first time (once a frame, at the sender) */
  onFrame?: (timePs: number, frame: Uint8Array) => void;
  /** told the world before anything happens in it: for benches, which count its events */
  onWorld?: (world: World) => void;
  /** whether hosts run alone between meetings (lockstep.ts); by default where the cables' delay allows it */
  lockstep?: boolean;
  /** a module that calls `runShard` with cards of the same kind: without it the run has one thread */
  shardModule?: URL;
  /** at most so many; by default as many as are worth it on this machine. The report is the same. */
  threads?: number;
}

const DEFAULT_SEED = 1;
/** With cables of less delay the parts would run alone for too short a time to be worth it. */
const LOCKSTEP_FROM_NS = 50;
/** A thread that has failed says why at once; one that hangs never does. */
const LAST_WORDS_MS = 2000;

/** Runs a scenario and says what happened. Throws ScenarioError when its parts do not fit; never for what cards do. */
export async function runScenario(inputs: ScenarioInputs, options: RunOptions = {}): Promise<ScenarioReport> {
  const { scenario, makeCard, lengths = {}, onFrame, onWorld } = inputs;
  const run: RunInputs = {
    scenario,
    seed: inputs.seed ?? scenario.seed ?? DEFAULT_SEED,
    makeCard,
    lengths,
    ...(onFrame === undefined ? {} : { onFrame }),
    ...(onWorld === undefined ? {} : { onWorld }),
    lockstep: inputs.lockstep ?? shortestDelayNs(scenario.network ?? {}) >= LOCKSTEP_FROM_NS,
  };
  const threads = run.lockstep && onFrame === undefined ? threadsFor(inputs) : 1;
  if (threads > 1) return runInThreads(run, inputs.shardModule!, threads, options);
  const only = new ScenarioRun(run);
  const outcome = await only.run(options);
  return collectReport(only.facts, [outcome]);
}

function threadsFor({ scenario, shardModule, lengths = {}, threads }: ScenarioInputs): number {
  if (shardModule === undefined || !canBeDivided(scenario)) return 1;
  if (threads === undefined) return threadsWorthIt(scenario, lengths, availableParallelism());
  return Math.max(1, Math.min(threads, expandHosts(scenario.hosts).length));
}

async function runInThreads(
  inputs: RunInputs,
  module: URL,
  threads: number,
  options: RunOptions,
): Promise<ScenarioReport> {
  const { shard, seats } = Shard.first(threads);
  const others: ShardThread[] = [];
  try {
    for (const seat of seats) others.push(new ShardThread(module, inputs, seat));
    const first = new ScenarioRun(inputs, shard);
    const ready = Promise.all(others.map((other) => other.begun)).then(() => undefined);
    ready.catch(() => undefined); // seen where the run waits for it, if it comes so far
    const outcome = await first.run({ ...options, ready });
    return collectReport(first.facts, [
      outcome,
      ...(await Promise.all(others.map((other) => other.outcome))),
    ]);
  } catch (error) {
    shard.meeting.fail();
    if (!(error instanceof ShardLost)) throw error;
    const causes = await Promise.all(others.map((other) => other.failure()));
    throw causes.find((cause) => cause !== undefined) ?? error;
  } finally {
    await Promise.all(others.map((other) => other.end()));
    shard.close();
  }
}

/** Another thread of a run. */
class ShardThread {
  /** The thread has loaded its code. Before, nothing tells the others that they wait in vain. */
  readonly begun: Promise<void>;
  readonly outcome: Promise<RunOutcome>;
  private readonly worker: Worker;

  constructor(module: URL, inputs: RunInputs, seat: ShardSeat) {
    const task: ShardTask = {
      seat,
      scenario: inputs.scenario,
      seed: inputs.seed,
      lengths: Object.entries(inputs.lengths).map(([name, { lengthsBytes, fractions }]) => ({
        name,
        points: Array.from(lengthsBytes, (length, i) => [length, fractions[i]!] as const),
      })),
    };
    this.worker = new Worker(module, { workerData: task, transferList: [seat.link.port] });
    let hasBegun = (): void => undefined;
    const begun = new Promise<void>((resolve) => {
      hasBegun = resolve;
    });
    this.outcome = new Promise((resolve, reject) => {
      this.worker.on('message', (answer: ShardAnswer) => {
        if ('begun' in answer) hasBegun();
        else if ('outcome' in answer) resolve(answer.outcome);
        else reject(answer.isCause ? failureOf(answer) : new ShardLost(answer.error));
      });
      this.worker.on('error', reject);
      this.worker.on('exit', (code) => {
        reject(new Error(`a thread of the run ended with code ${code}`));
      });
    });
    this.begun = Promise.race([begun, this.outcome.then(() => undefined)]);
    // seen by who waits for them, if anybody does
    this.begun.catch(() => undefined);
    this.outcome.catch(() => undefined);
  }

  /** What it failed of, if it did so by itself and says so soon. */
  async failure(): Promise<unknown> {
    const timer = new AbortController();
    const failed = this.outcome.then(
      () => undefined,
      (error: unknown) => (error instanceof ShardLost ? undefined : error),
    );
    const error = await Promise.race([
      failed,
      setTimeout(LAST_WORDS_MS, undefined, { signal: timer.signal }).catch(() => undefined),
    ]);
    timer.abort();
    return error;
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }
}

/** A failure of another thread, with the place where it happened. */
function failureOf({ error: message, stack }: ShardFailure): Error {
  const error = new Error(`a thread of the run: ${message}`);
  if (stack !== undefined) error.stack = stack;
  return error;
}
