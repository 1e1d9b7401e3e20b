// SPDX-License-Identifier: Apache-2.0
// Speed of the queue model, as issue D asks: `node bench/model/run.mjs` (needs g++; builds into a temporary folder).
//
//   1. exact SRPT on w4, 200,000 messages at load 0.8: whole process against a straightforward per-cycle simulation in C++
//      compiled without optimization flags, in alternating pairs; every counter must be equal, else the ratio is void.
//      Two processes of ours: the simulator by itself (replay.mjs) and the whole command line
//   2. cost of a message against the length of the queue
//   3. a sweep of 100 points: how busy both cores are
//
// Wall clock on a shared machine says little: user CPU time is given beside it, minimum and median over the pairs.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { performance } from 'node:perf_hooks';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const load = (path) => import(join(root, 'dist', path));
const { Messages } = await load('model/messages.js');
const { runModel } = await load('model/run.js');
const { DEFAULT_SETTINGS } = await load('model/settings.js');
const { loadDistribution } = await load('sweep/point-source.js');
const { sweepPoints } = await load('sweep/points.js');
const { runSweep } = await load('sweep/run-sweep.js');

const PAIRS = Number(process.env.PAIRS ?? 5);
const MESSAGES = 200_000;
const folder = mkdtempSync(join(tmpdir(), 'homa-nic-bench-'));
const failures = [];
const check = (ok, text) => {
  process.stdout.write(`${ok ? 'ok  ' : 'FAIL'}  ${text}\n`);
  if (!ok) failures.push(text);
};
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** Runs a program; wall and CPU seconds (its own and its children's) and what it printed. */
function timed(file, args) {
  const began = performance.now();
  const ran = spawnSync('bash', ['-c', 'TIMEFORMAT="%U %S"; time "$0" "$@"', file, ...args], {
    encoding: 'utf8',
  });
  const wall = (performance.now() - began) / 1000;
  if (ran.status !== 0) throw new Error(`${file} failed: ${ran.stderr}`);
  const [user, system] = ran.stderr.trim().split('\n').at(-1).split(' ').map(Number);
  return { wall, cpu: user + system, stdout: ran.stdout };
}

/** Seconds each thread of this process spent on a core, and ready but without one. */
function scheduled() {
  const threads = new Map();
  for (const task of readdirSync('/proc/self/task')) {
    const [run, wait] = readFileSync(`/proc/self/task/${task}/schedstat`, 'utf8').split(' ').map(Number);
    threads.set(task, { run: run / 1e9, wait: wait / 1e9 });
  }
  return threads;
}

try {
  const flags = [join(root, 'bench', 'model', 'per-cycle.cpp'), '-o', join(folder, 'per-cycle')];
  const built = spawnSync('g++', flags, { encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`g++ is needed for this bench: ${built.stderr}`);
  const gxx = spawnSync('g++', ['--version'], { encoding: 'utf8' }).stdout.split('\n')[0];
  process.stdout.write(`${cpus().length} x ${cpus()[0].model}, Node ${process.version}, ${gxx}\n`);

  // 1. The same arrivals for both.
  const distribution = await loadDistribution('w4', 'homa');
  const list = Messages.poisson({ distribution, load: 0.8, seed: 1, capacity: MESSAGES, limit: MESSAGES });
  list.has(MESSAGES - 1);
  const csv = join(folder, 'arrivals.csv');
  const lines = Array.from(
    { length: MESSAGES },
    (_, i) => `${list.arrivalCycle[i]},${list.lengthUnits[i]}\n`,
  );
  writeFileSync(csv, lines.join(''));

  const ours = join(root, 'bin', 'run.js');
  const out = ['--quiet', '--force', '--out', join(folder, 'out')];
  const bare = [join(root, 'bench', 'model', 'replay.mjs'), csv];
  const whole = [
    ours,
    'model',
    'run',
    '--strategy',
    'exact',
    '--workload',
    'w4',
    '--load',
    '0.8',
    '--messages',
    '2e5',
  ];
  const pairs = [];
  for (let i = 0; i < PAIRS; i++) {
    const slow = timed(join(folder, 'per-cycle'), [csv]);
    const fast = timed(process.execPath, bare);
    const line = timed(process.execPath, [...whole, ...out]);
    if (slow.stdout !== fast.stdout)
      check(false, `counters differ: ${slow.stdout.trim()} and ${fast.stdout.trim()}`);
    pairs.push({ slow, fast, line });
    const said = Object.entries({ 'per cycle': slow, simulator: fast, 'command line': line });
    const text = said.map(([name, t]) => `${name} ${t.cpu.toFixed(2)} s CPU (${t.wall.toFixed(2)} wall)`);
    process.stdout.write(`pair ${i + 1}: ${text.join(', ')}\n`);
  }
  const least = (pick) => Math.min(...pairs.map(pick));
  const ratios = (pick, time) => pairs.map((pair) => pair.slow[time] / pick(pair)[time]);
  const said = (list) => `median ${median(list).toFixed(1)}, minimum ${Math.min(...list).toFixed(1)}`;
  const line = (time) => ratios((pair) => pair.line, time);
  check(failures.length === 0, `every counter equal in ${PAIRS} pairs: ${pairs[0].slow.stdout.trim()}`);
  // Wall time of whole processes: what a user waits for. A busy machine takes it from the one that uses two cores; the
  // processor time beside it counts V8's compiler threads as well.
  check(
    median(line('wall')) >= 30,
    `per-cycle C++ (g++ without optimization flags) over the whole command line, wall time: ${said(line('wall'))}; wanted 30`,
  );
  process.stdout.write(
    `      the same in processor time: ${said(line('cpu'))}${median(line('cpu')) < 30 ? ', below 30' : ''}; over the simulator without a command line (modules not bundled):` +
      ` ${said(ratios((pair) => pair.fast, 'wall'))} wall, ${said(ratios((pair) => pair.fast, 'cpu'))} processor\n`,
  );
  check(
    least((p) => p.line.wall) <= 0.5,
    `whole command line, w4, ${MESSAGES} messages: best ${least((p) => p.line.wall).toFixed(2)} s wall, ` +
      `${least((p) => p.line.cpu).toFixed(2)} s CPU; the simulator by itself ${least((p) => p.fast.wall).toFixed(2)} s wall, ` +
      `${least((p) => p.fast.cpu).toFixed(2)} s CPU; wanted 0.5`,
  );

  // 2. All messages at once make the queue as long as there are messages: cost of one against log2 of that.
  const costs = [];
  for (const n of [1000, 4000, 16_000, 64_000, 256_000]) {
    const arrivals = {
      cycles: new Float64Array(n),
      units: Int32Array.from({ length: n }, (_, i) => 1 + ((i * 7919) % 997)),
    };
    const settings = { ...DEFAULT_SETTINGS, messages: n, warmup: 0 };
    const repeats = Math.max(3, Math.ceil(256_000 / n));
    let best = Infinity;
    for (let i = 0; i < repeats; i++) {
      const began = process.cpuUsage();
      const result = runModel(settings, { kind: 'list', arrivals });
      const spent = process.cpuUsage(began);
      if (result.maxSize !== n - 1 && result.maxSize !== n)
        throw new Error(`queue of ${result.maxSize}, not ${n}`);
      best = Math.min(best, ((spent.user + spent.system) * 1000) / n);
    }
    costs.push({ n, ns: best });
    process.stdout.write(
      `queue of ${n}: ${best.toFixed(0)} ns a message, ${(best / Math.log2(n)).toFixed(1)} per doubling\n`,
    );
  }
  const growth = costs.at(-1).ns / costs[1].ns;
  const bound = (2 * Math.log2(costs.at(-1).n)) / Math.log2(costs[1].n);
  check(
    growth <= bound,
    `cost of a message grows ${growth.toFixed(2)}-fold from ${costs[1].n} to ${costs.at(-1).n}; twice the logarithm would be ${bound.toFixed(2)}`,
  );

  // 3. A sweep of 100 points.
  const base = { ...DEFAULT_SETTINGS, messages: 100_000, warmup: 10_000 };
  const points = sweepPoints(base, { strategies: ['sifter'], entries: [1, 2, 4, 8], levels: [8], workloads: ['w1', 'w4'], loads: [0.8], seeds: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] }); // prettier-ignore
  const before = scheduled();
  const began = performance.now();
  const cpuBefore = process.cpuUsage();
  let rows = 0;
  let after = before;
  await runSweep({
    points,
    onRow: () => {
      if (++rows === points.length) after = scheduled(); // the threads are gone when the sweep returns
    },
  });
  const used = process.cpuUsage(cpuBefore);
  const threads = Math.min(cpus().length, points.length);
  const span = ((performance.now() - began) / 1000) * threads;
  const processor = (used.user + used.system) / 1e6 / span;
  // The threads that worked are the busiest ones; the others are V8's compiler and collector, and this one.
  const busiest = [...after]
    .map(([task, now]) => ({
      run: now.run - (before.get(task)?.run ?? 0),
      wait: now.wait - (before.get(task)?.wait ?? 0),
    }))
    .sort((x, y) => y.run - x.run)
    .slice(0, threads);
  const onCore = busiest.reduce((sum, thread) => sum + thread.run, 0) / span;
  const wanted = onCore + busiest.reduce((sum, thread) => sum + thread.wait, 0) / span;
  check(
    rows === 100 && processor >= 0.9,
    `sweep of ${rows} points uses ${(100 * processor).toFixed(0)} % of ${threads} cores; wanted 90. ` +
      `Its working threads: on a core ${(100 * onCore).toFixed(0)} % of the time, on one or waiting for one ${(100 * wanted).toFixed(0)} %`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (failures.length > 0) process.exitCode = 1;
