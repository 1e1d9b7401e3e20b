// SPDX-License-Identifier: Apache-2.0
// A thread of a run: what it is given, what it answers, and its life.
import type { MessagePort } from 'node:worker_threads';
import { LengthDistribution } from '../../workload/length-distribution.js';
import { ShardLost } from '../shards/meeting.js';
import { Shard, type ShardSeat } from '../shards/shard.js';
import type { RunOutcome } from './outcome.js';
import { ScenarioRun } from './scenario-run.js';
import type { Scenario } from './scenario.js';
import type { CardMaker } from './setup.js';

/** What a thread is to do, as plain data. */
export interface ShardTask {
  seat: ShardSeat;
  scenario: Scenario;
  seed: number;
  lengths: readonly { name: string; points: readonly (readonly [number, number])[] }[];
}

/** What went wrong, here or (no cause) in another thread. */
export interface ShardFailure {
  error: string;
  stack: string | undefined;
  isCause: boolean;
}

/** What a thread answers: that it has begun; then what it has seen, or what went wrong. */
export type ShardAnswer = { begun: true } | { outcome: RunOutcome } | ShardFailure;

/** Runs a thread's share of a scenario; `task` is the thread's `workerData`. Never rejects. */
export async function runShard(task: ShardTask, makeCard: CardMaker, answers: MessagePort): Promise<void> {
  const shard = Shard.seated(task.seat);
  const lengths = Object.fromEntries(
    task.lengths.map(({ name, points }) => [name, new LengthDistribution(name, points)]),
  );
  const { scenario, seed } = task;
  // However the thread ends, nobody shall wait for it.
  process.once('exit', () => {
    shard.meeting.fail();
  });
  const begun: ShardAnswer = { begun: true };
  answers.postMessage(begun);
  let answer: ShardAnswer;
  try {
    const run = new ScenarioRun({ scenario, seed, makeCard, lengths, lockstep: true }, shard);
    answer = { outcome: await run.run({}) };
  } catch (error) {
    shard.meeting.fail();
    const text = error instanceof Error ? error.message : String(error);
    const stack = error instanceof Error ? error.stack : undefined;
    answer = { error: text, stack, isCause: !(error instanceof ShardLost) };
  }
  answers.postMessage(answer);
  shard.close();
}
