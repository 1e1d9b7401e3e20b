// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { TestResult } from '#src/perf/result.js';
import { validate } from '#src/schema/validate.js';
import { expectGolden } from './golden.js';
import { makeFolder, REPOSITORY, runHomaNic, runInProcess, runShell } from './harness.js';

describe('perf', () => {
  let folder: ReturnType<typeof makeFolder>;
  beforeEach(() => (folder = makeFolder()));
  afterEach(() => folder.remove());
  const run = (...argv: string[]) => runInProcess(argv, { cwd: folder.path });
  const read = (name: string): string => readFileSync(join(folder.path, name), 'utf8');

  it('--parse measures, writes traces and prints what they say', async () => {
    const ran = await run('perf', '--nic', 'sim', '--parse');
    expect(ran.exitCode, ran.stderr).to.equal(0);
    expectGolden('perf-parse', ran.stdout);
    expect(readdirSync(join(folder.path, 'homa-nic-results/001-perf')).sort()).to.deep.equal([
      'echo.tt',
      'loopback-64B.tt',
      'read.tt',
      'result.json',
    ]);
  });

  it('without --parse says where the traces are and what to type next, and that works', async () => {
    const ran = await run('perf', '--nic', 'sim', '--test', 'echo', '--count', '200');
    expectGolden('perf-recorded', ran.stdout);
    const next = /^ {2}homa-nic (parse .*)$/m.exec(ran.stdout)![1]!;
    expect((await run(...next.split(' '))).exitCode).to.equal(0);
  });

  it('names no other run where there is no trace to parse', async () => {
    const ran = await run('perf', '--nic', 'sim', '--test', 'rate', '--count', '200');
    expect(ran.stdout).to.contain('the same command with --parse').and.not.contain('homa-nic perf --parse');
  });

  it('gives the figures of the trace: parse of the same file agrees', async () => {
    const perf = JSON.parse((await run('perf', '--test', 'echo', '--parse', '--json')).stdout);
    const parse = JSON.parse((await run('parse', 'homa-nic-results/001-perf/echo.tt', '--json')).stdout);
    expect(parse.result.pairs[0].summary).to.deep.equal(perf.result.parsed[0].summary);
    const file = JSON.parse(read('homa-nic-results/001-perf/result.json'));
    expect(file.tests[0].summary).to.deep.equal(perf.result.parsed[0].summary);
  });

  it('writes a result that follows its schema and says that it is simulated', async () => {
    await run('perf', '--test', 'loopback', '--size', '64,100000', '--count', '20', '--out', 'r');
    const result = JSON.parse(read('r/result.json'));
    expect(await validate('result.v1', result)).to.deep.equal([]);
    expect(result).to.include({
      nic: 'sim',
      simulated: true,
      profile: 'u250-gen3x16',
      seed: 1,
      partial: false,
    });
    expect(result.tests.map((t: { sizeBytes: number }) => t.sizeBytes)).to.deep.equal([64, 100000]);
  });

  it('--force leaves nothing of the run before in the folder, and everything else', async () => {
    const perf = (...argv: string[]) =>
      run('perf', '--nic', 'sim', '--count', '20', '--out', 'r', '--force', ...argv);
    expect((await perf('--test', 'echo,loopback', '--size', '64,128')).exitCode).to.equal(2);
    await perf('--test', 'loopback', '--size', '64,128');
    writeFileSync(join(folder.path, 'r/echo.tt'), 'of somebody else');
    writeFileSync(join(folder.path, 'r/notes.txt'), 'mine');
    expect((await perf('--test', 'read')).exitCode).to.equal(0);
    const files = () => readdirSync(join(folder.path, 'r')).sort();
    expect(files()).to.deep.equal(['echo.tt', 'notes.txt', 'read.tt', 'result.json']);
    expect(read('r/echo.tt')).to.equal('of somebody else');
    expect(JSON.parse(read('r/result.json')).tests).to.have.lengthOf(1);
    // A result that is not of perf, or none at all, says nothing about the files beside it.
    for (const text of ['{"kind":"model","tests":[{"name":"read","sizeBytes":64}]}', 'null', '{']) {
      writeFileSync(join(folder.path, 'r/result.json'), text);
      writeFileSync(join(folder.path, 'r/read.tt'), 'of somebody else');
      expect((await perf('--test', 'loopback', '--size', '64')).exitCode).to.equal(0);
      expect(read('r/read.tt')).to.equal('of somebody else');
    }
  });

  it('--repeat gives the same bytes', async () => {
    await run('perf', '--test', 'echo,loopback', '--count', '50', '--seed', '77', '--out', 'a');
    const again = await run('perf', '--repeat', 'a/result.json', '--out', 'b');
    expect(again.exitCode, again.stderr).to.equal(0);
    for (const name of ['echo.tt', 'loopback-64B.tt', 'result.json'])
      expect(read(`b/${name}`)).to.equal(read(`a/${name}`));
  });

  it('prints a row a size and the slope of bytes over median time', async () => {
    const ran = await run('perf', '--test', 'loopback', '--size', '64..65536', '--count', '20', '--parse');
    for (let size = 64; size <= 65536; size *= 2) expect(ran.stdout).to.include(`loopback ${size} B `);
    const slope = Number(/rise with ([0-9.]+) Gbit\/s/.exec(ran.stdout)![1]);
    expect(slope).to.be.within(50, 91.3);
    expectGolden('perf-sweep', ran.stdout);
  });

  it('draws a sweep or the distributions with --plot', async () => {
    await run('perf', '--test', 'loopback', '--size', '64,4096', '--count', '20', '--plot', 'sweep.svg');
    await run('perf', '--test', 'echo', '--count', '200', '--out', 'new', '--plot', 'new/echo.svg');
    for (const name of ['sweep.svg', 'new/echo.svg'])
      expect(read(name)).to.match(/^<svg [\s\S]*simulated[\s\S]*<\/svg>\s*$/);
  });

  it('sets a limit beside an RPC: the bus of both hosts and the wire, below what was measured', async () => {
    for (const profile of ['u250-gen3x16', 'u250-original']) {
      await run('perf', '--test', 'rpc', '--count', '120', '--pcie-profile', profile, '--out', profile);
      const [test] = JSON.parse(read(`${profile}/result.json`)).tests;
      expect(test.ceilings.map(({ unit }: { unit: string }) => unit)).to.deep.equal(['ns']);
      expect(test.ceilings[0].value).to.be.within(1000, test.summary.min);
    }
  });

  it('sets limits beside throughput and message rate: in 80 columns, in the envelope, in the result', async () => {
    const argv = ['--nic', 'sim', '--test', 'throughput,rate', '--size', '64,4096', '--count', '200'];
    const ran = await run('perf', ...argv, '--parse', '--out', 'text');
    expect(ran.exitCode, ran.stderr).to.equal(0);
    expectGolden('perf-limits', ran.stdout);
    for (const line of ran.stdout.split('\n')) expect(line.length, line).to.be.at.most(80);
    const { result } = JSON.parse((await run('perf', ...argv, '--json', '--out', 'json')).stdout);
    const { tests } = JSON.parse(read('json/result.json'));
    expect(await validate('result.v1', JSON.parse(read('json/result.json')))).to.deep.equal([]);
    tests.forEach((test: TestResult, i: number) => {
      expect(result.tests[i].ceilings).to.deep.equal(test.ceilings);
      expect(test.ceilings!.map(({ unit }) => unit)).to.include.members(['ns', 'Gbps']);
      for (const { unit, value, source } of test.ceilings!) {
        expect(source).to.match(/docs\/|aws-fpga|least time/);
        if (unit === 'ns') expect(value).to.be.within(1000, test.summary.min!);
        if (unit === 'Gbps') expect(value).to.be.at.least(test.rateGbps!);
        if (unit === 'million/s') {
          expect(test.name).to.equal('rate');
          expect(value * 1e6).to.be.at.least(Number(test.details!['messagesPerSecond']));
        }
      }
    });
  });

  it('--explain and --list are text that does not change by itself', async () => {
    const tests = ['--test', 'echo,read,loopback'];
    expectGolden('perf-explain', (await run('perf', '--nic', 'sim', ...tests, '--explain')).stdout);
    expectGolden('perf-list', (await run('perf', '--nic', 'sim', '--list')).stdout);
    expect(existsSync(join(folder.path, 'homa-nic-results'))).to.equal(false);
  });

  it('a percentile that n cannot support is a dash, and a warning says so', async () => {
    const ran = await run('perf', '--test', 'echo', '--count', '20', '--parse');
    expect(ran.stdout).to.match(/^echo 64 B +20 +\d+ +\d+ +\d+ +- +- /m);
    expect(ran.stderr).to.match(/^warning: echo 64 B: 20 samples cannot support p99/m);
  });

  it('says a warning once that many sizes share', async () => {
    const ran = await run('perf', '--test', 'loopback', '--size', '1..12:1', '--count', '1');
    expect(ran.stderr.match(/^warning: .*$/gm)).to.deep.equal([
      'warning: loopback 1 B and 11 more: 1 sample cannot support p99: it needs 100 (--count)',
    ]);
  });

  it('--device alone means the card of that address, not a simulation', async () => {
    const ran = await run('perf', '--device', '0000:99:00.0', '--json');
    expect([ran.exitCode, JSON.parse(ran.stdout).error.code]).to.deep.equal([4, 'card_missing']);
  });

  it('Ctrl-C keeps what was measured, marked partial, exit 130', async () => {
    const ran = await runHomaNic(['perf', '--test', 'echo', '--count', '10000000', '--out', 'r'], {
      cwd: folder.path,
      when: { seen: 'echo 64 B', act: (kill) => setTimeout(() => kill('SIGINT'), 400) },
    });
    expect(ran.exitCode, ran.stderr).to.equal(130);
    expect(ran.stdout).to.match(/interrupted: partial results/);
    const result = JSON.parse(read('r/result.json'));
    expect(result.partial).to.equal(true);
    expect(await validate('result.v1', result)).to.deep.equal([]);
    expect(result.tests[0].count).to.be.within(1, 9_999_999);
  }).timeout(60_000);

  it('a terminal that does not know its width gets 80 columns', async () => {
    const ran = await runShell(
      `script -qec "$HOMA_NIC perf --test echo --count 100 --parse --quiet" /dev/null`,
      {
        cwd: folder.path,
      },
    );
    expect(ran.stdout).to.match(/^echo 64 B +100 /m);
  });

  for (const how of ['--parse', '--json']) {
    it(`a full disk behind stdout is an error, not a bug: ${how}`, async () => {
      const ran = await runShell(`$HOMA_NIC perf --test echo --count 100 --quiet ${how} > /dev/full`, {
        cwd: folder.path,
      });
      expect(ran).to.deep.equal({
        exitCode: 1,
        stdout: '',
        stderr: 'error: cannot write the result: no space left on the disk\n',
      });
    });
  }

  it('a folder in the place of a trace is an error that names no absolute path', async () => {
    mkdirSync(join(folder.path, 'r/read.tt'), { recursive: true });
    const out = join(folder.path, 'r');
    const ran = await runInProcess(
      ['perf', '--test', 'echo,read', '--count', '100', '--out', out, '--force'],
      { cwd: REPOSITORY },
    );
    expect(ran.exitCode).to.equal(1);
    expect(ran.stderr).to.match(/^error: (\.\.\/)+\S+\/r\/read\.tt: it is a folder$/m);
  });

  it('ends quietly when the reader of its output goes away', async () => {
    const ran = await runShell(
      '$HOMA_NIC perf --test echo --count 100 --parse --quiet | head -1; echo ${PIPESTATUS[0]}',
      {
        cwd: folder.path,
      },
    );
    expect(ran.stdout).to.match(/^SIMULATED NIC 'sim'.*\n0\n$/);
    expect(ran.stderr).to.equal('');
  });
});
