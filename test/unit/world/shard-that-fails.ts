// SPDX-License-Identifier: Apache-2.0
// A thread of a run that fails in the middle of it; the scenario's name says how.
import { parentPort, workerData } from 'node:worker_threads';
import { runShard, type ShardTask } from '#src/world/scenario/shard-thread.js';
import type { CardMaker } from '#src/world/scenario/setup.js';
import { simCard } from './sim-card.js';

const task = workerData as ShardTask;
const FRAMES_BEFORE = 100;
let frames = 0;

const failing: CardMaker = (options) => (outputs) => {
  const card = simCard(options)(outputs);
  const frameIn = card.frameIn.bind(card);
  card.frameIn = (frame) => {
    // The last thread fails; the first ones must not wait for it.
    if (task.seat.index === task.seat.count - 1 && ++frames === FRAMES_BEFORE) {
      if (task.scenario.name === 'exits') process.exit(3);
      throw new Error('the card of this test is broken');
    }
    frameIn(frame);
  };
  return card;
};

void runShard(task, failing, parentPort!);
