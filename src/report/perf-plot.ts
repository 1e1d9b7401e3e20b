// SPDX-License-Identifier: Apache-2.0
// Which plot a run gets: bytes against time when one test ran at several sizes, else the distributions.
import type { RunResult, TestResult } from '../perf/result.js';
import { sizeSweepFit } from '../perf/run.js';
import { countValues, type CountedValues } from '../stats/counted-values.js';
import { rowName } from './perf-report.js';
import { plotDistribution } from './plot-distribution.js';
import { plotSizeSweep } from './plot-size-sweep.js';

function counted(test: TestResult): CountedValues {
  if (test.samplesNs) return countValues(test.samplesNs);
  const histogram = test.histogram ?? [];
  return { values: histogram.map(([value]) => value), counts: histogram.map(([, count]) => count) };
}

/** Draws a run to SVG. */
export async function drawRun(result: RunResult): Promise<string> {
  const { simulated, profile, seed } = result;
  const names = new Set(result.tests.map((test) => test.name));
  const timed = result.tests.filter((test) => test.unit === 'ns' && test.summary.p50 !== null);
  const fit = names.size === 1 ? sizeSweepFit(timed) : undefined;
  if (fit) {
    const points = timed.map((test) => ({
      sizeBytes: test.sizeBytes,
      medianNs: test.summary.p50!,
      p99Ns: test.summary.p99,
    }));
    const line = {
      slope: 8 / fit.slopeGbps,
      intercept: fit.interceptNs,
      r2: fit.r2,
      rateGbps: fit.slopeGbps,
    };
    return plotSizeSweep(
      { title: `${[...names][0]!}: message size against time`, simulated, profile, seed },
      points,
      line,
    );
  }
  const series = result.tests.map((test) => ({
    name: rowName(test),
    counted: counted(test),
    summary: test.summary,
  }));
  return plotDistribution({ title: 'homa-nic perf', simulated, profile, seed }, series);
}
