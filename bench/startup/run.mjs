// SPDX-License-Identifier: Apache-2.0
// How long the command line takes to start, against an empty Node. The variants take turns, so that a busy moment of
// the machine hits them all. Usage: node bench/startup/run.mjs [ROUNDS]
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const LIMIT = 3.5;
const rounds = Number(process.argv[2] ?? 20);
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const bin = join(root, 'bin', 'run.js');
const command = existsSync(join(root, 'dist/commands/parse.js')) ? 'parse' : 'perf';
const variants = [
  ['node -e 0', ['-e', '0']],
  ['homa-nic --version', [bin, '--version']],
  [`homa-nic ${command} --help`, [bin, command, '--help']],
];
const folder = mkdtempSync(join(tmpdir(), 'homa-nic-bench-'));

function measure() {
  const times = variants.map(() => []);
  for (let round = 0; round < rounds; round++) {
    variants.forEach(([, args], i) => {
      const begin = process.hrtime.bigint();
      const { status } = spawnSync(process.execPath, args, { cwd: folder, stdio: 'ignore' });
      if (status !== 0) throw new Error(`${variants[i][0]} ended with ${status}`);
      times[i].push(Number(process.hrtime.bigint() - begin) / 1e6);
    });
  }
  return times.map((list) => list.sort((a, b) => a - b)).map((list) => [list[0], list[list.length >> 1]]);
}

function print(title, figures) {
  console.log(`start-up, ${title} (${rounds} rounds, Node ${process.version})`);
  const [[baseMin, baseMedian]] = figures;
  figures.forEach(([min, median], i) => {
    const ratio = median / baseMedian;
    const verdict = i === 0 ? '' : ratio <= LIMIT ? `  (limit ${LIMIT}: met)` : `  (limit ${LIMIT}: NOT met)`;
    console.log(
      `  ${variants[i][0].padEnd(24)} min ${min.toFixed(0).padStart(4)} ms  median ${median.toFixed(0).padStart(4)} ms` +
        `  ratio of mins ${(min / baseMin).toFixed(2)}  of medians ${ratio.toFixed(2)}${verdict}`,
    );
  });
}

const manifest = join(root, 'oclif.manifest.json');
const aside = join(folder, 'manifest');
try {
  if (existsSync(manifest)) renameSync(manifest, aside);
  print('clean clone, no manifest', measure());
  const made = spawnSync(join(root, 'node_modules/.bin/oclif'), ['manifest'], { cwd: root, stdio: 'ignore' });
  if (made.status === 0) print('with oclif.manifest.json', measure());
} finally {
  rmSync(manifest, { force: true });
  if (existsSync(aside)) renameSync(aside, manifest);
  rmSync(folder, { recursive: true, force: true });
}
