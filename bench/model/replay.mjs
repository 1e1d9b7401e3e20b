// SPDX-License-Identifier: Apache-2.0
// The event-driven simulator without the command line around it: `node bench/model/replay.mjs ARRIVALS.csv` replays the
// arrivals with exact SRPT and the original's accounting and prints the counters of per-cycle.cpp.
import { readFileSync } from 'node:fs';
import { parseArrivals } from '../../dist/model/arrival-file.js';
import { runModel } from '../../dist/model/run.js';
import { DEFAULT_SETTINGS } from '../../dist/model/settings.js';

const arrivals = parseArrivals(readFileSync(process.argv[2], 'latin1'));
const settings = {
  ...DEFAULT_SETTINGS,
  messages: arrivals.units.length,
  warmup: 0,
  originalAccounting: true,
};
const result = runModel(settings, { kind: 'list', arrivals });
const { completions, packets, endCycle, inversions, underflowCycles, maxSize } = result;
const completionSum = Math.round(result.meanCompletionCycles * completions);
const slowdownSum = Math.round(result.slowdown.mean * completions);
const counters = {
  completions,
  packets,
  endCycle,
  completionSum,
  slowdownSum,
  inversions,
  underflowCycles,
  maxSize,
};
process.stdout.write(`${JSON.stringify(counters)}\n`);
