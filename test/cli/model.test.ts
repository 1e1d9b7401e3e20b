// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { validate } from '#src/schema/validate.js';
import { makeFolder, runHomaNic, runInProcess } from './harness.js';

interface Reply<T> {
  status: string;
  result: T;
}
const parse = <T>(text: string): T => (JSON.parse(text) as Reply<T>).result;

describe('model', function () {
  this.timeout(60_000);
  let folder: ReturnType<typeof makeFolder>;
  beforeEach(() => {
    folder = makeFolder();
  });
  afterEach(() => {
    folder.remove();
  });
  const model = (...argv: string[]): ReturnType<typeof runInProcess> =>
    runInProcess(['model', ...argv], { cwd: folder.path });

  it('list names every strategy', async () => {
    const { strategies } = parse<{ strategies: { name: string }[] }>((await model('list', '--json')).stdout);
    expect(strategies.map((s) => s.name)).to.include.members(['exact', 'fifo', 'strict', 'sifter', 'pieo']);
    const text = (await model('list')).stdout;
    expect(text).to.match(/^exact .*the reference$/m);
    expect(text).to.match(
      /^sifter [^]*?low\s+--entries, --buckets, --low-mark, --high-mark, --refill-cycles$/m,
    );
    for (const line of text.split('\n')) expect(line.length, line).to.be.at.most(80);
    expect(text).to.not.contain('…');
  });

  it('run is the same twice, says it is simulated, and leaves a valid result', async () => {
    const argv = ['run', '--strategy', 'sifter', '--entries', '4', '--messages', '2e3', '--workload', 'w2'];
    const one = await model(...argv, '--out', 'a');
    const two = await model(...argv, '--out', 'b');
    expect(one.exitCode).to.equal(0);
    expect(one.stdout).to.contain('Queue model (simulated)');
    expect(two.stdout.replaceAll('./b/', './a/')).to.equal(one.stdout);
    const document: unknown = JSON.parse(readFileSync(join(folder.path, 'a', 'result.json'), 'utf8'));
    expect(await validate('result.v1', document)).to.deep.equal([]);
    const json = await model(...argv, '--out', 'c', '--json');
    const result = parse<{ completions: number; simulated: boolean; settings: { entries: number } }>(
      json.stdout,
    );
    expect(result.completions).to.equal(1800);
    expect(result.simulated).to.equal(true);
    expect(result.settings.entries).to.equal(4);
  });

  it('run says what decides the outcome: levels, and what operations cost', async () => {
    const argv = ['run', '--messages', '500', '--workload', 'w2'];
    const strict = (await model(...argv, '--strategy', 'strict', '--levels', '16')).stdout;
    expect(strict)
      .to.match(/^levels +16$/m)
      .and.to.not.contain('entries  ');
    const free = (await model(...argv, '--strategy', 'sifter', '--entries', '2')).stdout;
    expect(free).to.match(/^operations +insert 0, pop 0, refill 4 cycles$/m);
    expect(free).to.match(/^slots in use +\d+(\.\d+)? % \d+(\.\d+)? %$/m);
    const slow = await model(...argv, '--insert-cycles', '2', '--pop-cycles', '1', '--grant-window', '6400');
    expect(slow.stdout).to.match(/^operations +insert 2, pop 1 cycles$/m);
    expect(slow.stdout).to.match(/^waiting +a grant each 6,400 bytes, 0 cycles$/m);
  });

  it("run replays arrivals with the original's accounting", async () => {
    writeFileSync(join(folder.path, 'a.csv'), 'cycle,length\n10,30\n10,1\n12,2\n');
    const argv = ['run', '--arrivals', 'a.csv', '--json'];
    const original = parse<{ meanCompletionCycles: number; packets: number; endCycle: number }>(
      (await model(...argv, '--original-accounting')).stdout,
    );
    expect(original).to.include({ packets: 4, endCycle: 38, meanCompletionCycles: (28 + 24 + 24) / 3 });
    // The clock stops when the last packet starts: the link never seems to do more than it can.
    const used = parse<{ utilization: number }>((await model(...argv, '--original-accounting')).stdout);
    expect(used.utilization).to.be.closeTo(27 / 28, 1e-12);
    const first = parse<{ completions: number; settings: object }>(
      (await model(...argv, '--messages', '2')).stdout,
    );
    expect(first.completions).to.equal(2);
    const all = await model('run', '--arrivals', 'a.csv');
    expect(all.stderr).to.contain('exact on a.csv');
    const now = parse<{ meanCompletionCycles: number }>((await model(...argv)).stdout);
    expect(now.meanCompletionCycles).to.equal((33 + 1 + 25) / 3);
  });

  it('compares strategies only with confidence intervals', async () => {
    const argv = [
      'run',
      '--strategy',
      'fifo,pifo-naive,pifo-watermark',
      '--entries',
      '2',
      '--messages',
      '2000',
      '--seeds',
      '3',
    ];
    const ran = await model(...argv);
    expect(ran.exitCode).to.equal(0);
    expect(ran.stdout).to.contain('w4 at load 0.8, 3 seeds');
    expect(ran.stdout).to.match(
      /^fifo +unbounded +[\de.]+ ± [\de.]+ +[\de.]+ ± [\de.]+ +[\d.]+ ± [\d.]+ %$/m,
    );
    expect(ran.stdout).to.match(/^exact +unbounded +1\.0000 ± 0\.0000 +1\.0000 ± 0\.0000$/m);
    for (const line of ran.stdout.split('\n')) expect(line.length, line).to.be.at.most(80);
    expect(ran.stdout).to.match(/^pifo-watermark /m);
    const original = await model('run', '--messages', '500', '--seeds', '2', '--original-accounting');
    expect(original.stdout).to.contain("Queue model (simulated, the original simulator's accounting), 95 %");
    const single = await model('sweep', '--messages', '500', '--seeds', '1', '--entries', '2');
    expect(single.stdout).to.contain('no comparison without confidence intervals');
  });

  it('sweep writes one row a point and goes on where it stopped', async () => {
    const argv = ['sweep', '--entries', '1,4', '--strategy', 'sifter,strict', '--workload', 'w1,w4'];
    const rest = ['--messages', '500', '--load', '0.5', '--out', 's', '--json'];
    const first = parse<{ points: number }>((await model(...argv, ...rest, '--seeds', '2')).stdout);
    expect(first.points).to.equal(2 * 2 * 4); // seeds, workloads, exact + strict + 2 x sifter
    const file = join(folder.path, 's', 'points.jsonl');
    const before = readFileSync(file, 'utf8');
    writeFileSync(file, `${before}{"schemaVersion":1,"kind":"mod`); // killed while it wrote
    expect((await model(...argv, ...rest, '--seeds', '3')).exitCode).to.equal(2);
    const more = await model(...argv, ...rest, '--seeds', '3', '--resume');
    expect(parse<{ points: number }>(more.stdout).points).to.equal(24);
    const after = readFileSync(file, 'utf8');
    expect(after.startsWith(before)).to.equal(true);
    expect(after.trimEnd().split('\n')).to.have.length(24);
    for (const line of after.trimEnd().split('\n')) expect(JSON.parse(line)).to.have.property('slowdown');
  });

  it('sweep --force begins anew, and a point that is in a file twice is one seed', async () => {
    const argv = ['sweep', '--entries', '2', '--messages', '3000', '--seeds', '2', '--out', 's'];
    expect((await model(...argv)).exitCode).to.equal(0);
    const file = join(folder.path, 's', 'points.jsonl');
    const before = readFileSync(file, 'utf8').trimEnd().split('\n').sort();
    expect((await model(...argv, '--force')).exitCode).to.equal(0);
    expect(readFileSync(file, 'utf8').trimEnd().split('\n').sort()).to.deep.equal(before);
    const draw = async (out: string): Promise<string> => {
      expect((await model('plot', 's', '--out', out)).exitCode).to.equal(0);
      return readFileSync(join(folder.path, out, 'slowdown.svg'), 'utf8');
    };
    const once = await draw('one');
    writeFileSync(file, [...before, ...before, ''].join('\n'));
    expect(await draw('two')).to.equal(once);
  });

  it('plot compares only with intervals, and only points of one sweep', async () => {
    const argv = ['sweep', '--entries', '2,4', '--messages', '3000', '--out', 's'];
    expect((await model(...argv, '--seeds', '1')).exitCode).to.equal(0);
    const refused = await model('plot', 's', '--out', 'p');
    expect(refused.exitCode).to.equal(2);
    expect(refused.stderr).to.contain('at least two seeds');
    const one = ['plot', 's', '--strategy', 'sifter', '--entries', '4', '--out', 'one'];
    expect((await model(...one)).exitCode).to.equal(0);
    // One more seed of exact SRPT and sifter with 2 entries, as when Ctrl-C came: 4 entries are left out.
    const other = ['--entries', '2', '--seed', '2', '--seeds', '1', '--resume'];
    expect((await model(...argv.slice(0, 1), ...argv.slice(3), ...other)).exitCode).to.equal(0);
    const some = await model('plot', 's', '--out', 'some');
    expect(some.stderr).to.contain('1 points left out');
    expect(readFileSync(join(folder.path, 'some', 'slowdown.svg'), 'utf8')).to.contain('sifter, 2');
    const longer = [
      'sweep',
      '--entries',
      '2',
      '--messages',
      '4000',
      '--seeds',
      '2',
      '--out',
      's',
      '--resume',
    ];
    expect((await model(...longer)).exitCode).to.equal(0);
    const mixed = await model('plot', 's', '--out', 'mixed');
    expect(mixed.exitCode).to.equal(1);
    expect(mixed.stderr).to.contain(
      './s holds more than one sweep: points of one name differ in messages, warmup',
    );
  });

  it('Ctrl-C keeps the finished points', async () => {
    const argv = [
      'model',
      'sweep',
      '--messages',
      '20000',
      '--entries',
      '1..64:1',
      '--seeds',
      '20',
      '--out',
      's',
    ];
    const file = join(folder.path, 's', 'points.jsonl');
    let timer: NodeJS.Timeout | undefined;
    const ran = await runHomaNic(argv, {
      cwd: folder.path,
      when: {
        seen: 'points of the model',
        act: (kill) => {
          timer = setInterval(() => {
            if (!existsSync(file)) return;
            clearInterval(timer);
            kill('SIGINT');
          }, 20);
        },
      },
    });
    clearInterval(timer);
    expect(ran.exitCode).to.equal(130);
    const rows = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(rows.length).to.be.within(1, 1299);
    expect(ran.stdout).to.contain(`${rows.length} of 1300 points`).and.to.contain('--resume');
    expect(ran.stdout).to.not.contain('add --seeds');
  });

  it('plot draws a sweep and a run', async () => {
    const sweep = ['sweep', '--messages', '3000', '--entries', '1..4', '--workload', 'w1,w4', '--seeds', '2'];
    expect((await model(...sweep, '--out', 's')).exitCode).to.equal(0);
    expect((await model('plot', 's', '--out', 'p')).exitCode).to.equal(0);
    const files = readdirSync(join(folder.path, 'p')).sort();
    expect(files).to.deep.equal([
      'inversions.svg',
      'occupancy.svg',
      'plots.html',
      'ratio.svg',
      'slowdown.svg',
    ]);
    const svg = readFileSync(join(folder.path, 'p', 'ratio.svg'), 'utf8');
    expect(svg).to.match(/^<svg/);
    expect(svg).to.contain('(simulated)');
    expect((await model('run', '--messages', '3000', '--out', 'r')).exitCode).to.equal(0);
    expect((await model('plot', 'r', '--out', 'q')).exitCode).to.equal(0);
    expect(readdirSync(join(folder.path, 'q'))).to.include.members(['drain.svg', 'slowdown.svg']);
    const other = await model('plot', 's', '--workload', 'w3');
    expect(other.exitCode).to.equal(2);
  });
});
