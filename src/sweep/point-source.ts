// SPDX-License-Identifier: Apache-2.0
import { loadWorkload } from '../data/load-workload.js';
import type { LengthRule } from '../model/settings.js';
import {
  cutDistribution,
  homaModuleDistribution,
  rawDistribution,
  type LengthDistribution,
} from '../workload/length-distribution.js';

/** Loads a workload and makes the distribution a length rule asks for. Throws WorkloadError. */
export async function loadDistribution(workload: string, rule: LengthRule): Promise<LengthDistribution> {
  const table = await loadWorkload(workload);
  if (rule === 'raw') return rawDistribution(table);
  return rule === 'cut' ? cutDistribution(table) : homaModuleDistribution(table);
}
