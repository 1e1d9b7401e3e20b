// SPDX-License-Identifier: Apache-2.0
// What `perf` sees of whatever it measures (design section 3).
import type { Ceiling, SampleUnit } from './result.js';

/** One test to run at one size. */
export interface TestRequest {
  name: string;
  sizeBytes: number;
}

/** Settings of a run, resolved: flags, environment, files and defaults are behind us. */
export interface RunSettings {
  count: number;
  warmup: number;
  seed: number;
  pcieProfile: string;
  /** workload test: w1..w5 */
  workload?: string;
  /** workload test: offered load, 0 < load < 1 */
  load?: number;
}

/** An event of a time trace; times are whole nanoseconds since the run began. */
export interface TraceEvent {
  timeNs: number;
  name: string;
}

/** What a test gave. */
export interface TestRun {
  /** one value for each measured iteration, in order */
  samples: Float64Array;
  unit: SampleUnit;
  clock: string;
  span: string;
  /** events of the measured iterations in order of time (warm-up left out); empty for tests without a trace */
  trace: Iterable<TraceEvent>;
  /** the clock the trace was taken with; absent: simulated, counting nanoseconds from 0 */
  traceClock?: { timestamp: number; ghz: number };
  /** payload bits over measured time, where it means something */
  rateGbps?: number;
  details?: Record<string, unknown>;
  warnings: string[];
  /** true when the signal ended it early */
  partial: boolean;
}

/** One row of `--explain`: where the time of an operation goes. */
export interface ExplainRow {
  part: string;
  timePs: number;
  cycles?: number;
  source: string;
}

/** How a test's latency is put together. */
export interface Explanation {
  test: string;
  rows: ExplainRow[];
  /** sum of the rows, exactly */
  basePs: number;
  jitter: { distribution: string; parameters: Record<string, number>; source: string };
}

/** What a backend is and can do. */
export interface BackendDescription {
  /** kind of NIC, as in --nic */
  nic: string;
  simulated: boolean;
  profile: string | null;
  tests: { name: string; text: string; sized: boolean }[];
  profiles: { name: string; text: string }[];
  versions: Record<string, string>;
}

/** Runs tests on one NIC, whichever it is. */
export interface PerfBackend {
  describe(): BackendDescription;
  /** Runs one test; an aborted signal ends it early with what was measured. Throws typed errors (src/errors). */
  run(
    test: TestRequest,
    settings: RunSettings,
    signal: AbortSignal,
    onProgress: (done: number, total: number) => void,
  ): Promise<TestRun>;
  /** How the test's time is made up; undefined where that is not known (a real card). */
  explain(test: TestRequest, settings: RunSettings): Explanation | undefined;
  /** What bus, wire and host allow in a test between hosts; empty where that is not known. */
  limits(test: TestRequest, settings: RunSettings): Ceiling[];
}
