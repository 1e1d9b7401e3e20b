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

/** stdout of git in the package's own checkout, or null: not a checkout, or no git. */
function git(packageRoot: string, ...args: string[]): string | null {
  if (!existsSync(join(packageRoot, '.git'))) return null;
  try {
    return execFileSync('git', ['-C', packageRoot, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return null;
  }
}

/** Looks the surroundings up; what cannot be told is null, never a guess. */
export function readEnvironment(packageRoot: string): EnvironmentRecord {
  const processors = cpus();
  const cpuInfo = readText('/proc/cpuinfo');
  const changes = git(packageRoot, 'status', '--porcelain');
  return {
    cpuModel: processors[0]?.model.trim() ?? 'unknown',
    cores: Math.max(1, processors.length),
    governor: readText(GOVERNOR),
    kernel: `${type()} ${release()}`,
    node: process.version,
    gitHash: git(packageRoot, 'rev-parse', 'HEAD'),
    gitDirty: changes === null ? null : changes !== '',
    virtualMachine: cpuInfo === null ? null : /^flags\s*:.*\bhypervisor\b/m.test(cpuInfo),
  };
}
