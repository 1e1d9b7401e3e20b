// SPDX-License-Identifier: Apache-2.0
// A thread of a run, for tests of the world.
import { parentPort, workerData } from 'node:worker_threads';
import { runShard, type ShardTask } from '#src/world/scenario/shard-thread.js';
import { simCard } from './sim-card.js';

void runShard(workerData as ShardTask, simCard, parentPort!);
