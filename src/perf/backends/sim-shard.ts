// SPDX-License-Identifier: Apache-2.0
// A thread of a run of simulated cards.
import { parentPort, workerData } from 'node:worker_threads';
import { runShard, type ShardTask } from '../../world/scenario/shard-thread.js';
import { makeSimCard } from './sim-card-kind.js';

void runShard(workerData as ShardTask, makeSimCard, parentPort!);
