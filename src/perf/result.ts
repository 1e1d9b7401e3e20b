// SPDX-License-Identifier: Apache-2.0
// The result of a measurement, as `schemas/result.v1.json` has it.
import type { Summary } from '../stats/summary.js';

/** Who ran what, where: enough to repeat it and to refuse an unfair comparison. */
export interface EnvironmentRecord {
  cpuModel: string;
  cores: number;
  governor: string | null;
  kernel: string;
  node: string;
  gitHash: string | null;
  gitDirty: boolean | null;
  virtualMachine: boolean | null;
}

/** Unit of a test's samples. */
export type SampleUnit = 'ns' | 'slowdown' | 'Gbps' | 'messages/s';

/** An expected limit of the bus or the wire, shown beside the figure. */
export interface Ceiling {
  what: string;
  value: number;
  unit: string;
  source: string;
}

/** One row: one test at one size. */
export interface TestResult {
  /** echo, read, loopback, rpc, throughput, rate, workload */
  name: string;
  sizeBytes: number;
  unit: SampleUnit;
  /** which clock: `simulated` or `tsc` */
  clock: string;
  /** what lies between start and stop, for people */
  span: string;
  count: number;
  /** samples in order of time; above 1e6 the histogram takes their place */
  samplesNs?: number[];
  /** [value, count] in ascending order of value */
  histogram?: [number, number][];
  summary: Summary;
  /** payload bits over time, where the test has a payload */
  rateGbps?: number;
  /** expected ceilings with their source */
  ceilings?: Ceiling[];
  /** extra figures of a test (packets, drops, decile rows), plain JSON */
  details?: Record<string, unknown>;
  warnings: string[];
}

/** A whole run. */
export interface RunResult {
  schemaVersion: 1;
  kind: 'perf' | 'sim' | 'model' | 'app';
  nic: string;
  simulated: boolean;
  profile: string | null;
  seed: number | null;
  settings: Record<string, unknown>;
  environment: EnvironmentRecord;
  versions: Record<string, string>;
  /** true when Ctrl-C ended the run early */
  partial: boolean;
  tests: TestResult[];
  warnings: string[];
}
