// SPDX-License-Identifier: Apache-2.0
// The machine a measurement ran on, for the head of every result.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cpus, release, type } from 'node:os';
import { join } from 'node:path';
import type { EnvironmentRecord } from '../perf/result.js';

const GOVERNOR = '/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor';

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}

/** Commit of the package's own checkout and whether it was changed; null: not a checkout, or no git. One call tells both. */
function checkout(packageRoot: string): { hash: string | null; dirty: boolean | null } {
  const unknown = { hash: null, dirty: null };
  if (!existsSync(join(packageRoot, '.git'))) return unknown;
  try {
    const said = execFileSync('git', ['-C', packageRoot, 'status', '--porcelain=v2', '--branch'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return {
      hash: /^# branch\.oid ([0-9a-f]+)$/m.exec(said)?.[1] ?? null,
      dirty: said.split('\n').some((line) => line !== '' && !line.startsWith('# ')),
    };
  } catch {
    return unknown;
  }
}

/** Looks the surroundings up; what cannot be told is null, never a guess. */
export function readEnvironment(packageRoot: string): EnvironmentRecord {
  const processors = cpus();
  const cpuInfo = readText('/proc/cpuinfo');
  const { hash, dirty } = checkout(packageRoot);
  return {
    cpuModel: processors[0]?.model.trim() ?? 'unknown',
    cores: Math.max(1, processors.length),
    governor: readText(GOVERNOR),
    kernel: `${type()} ${release()}`,
    node: process.version,
    gitHash: hash,
    gitDirty: dirty,
    virtualMachine: cpuInfo === null ? null : /^flags\s*:.*\bhypervisor\b/m.test(cpuInfo),
  };
}
