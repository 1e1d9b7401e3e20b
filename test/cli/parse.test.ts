// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expectGolden } from './golden.js';
import { makeFolder, runHomaNic, runInProcess, runShell } from './harness.js';

const CHECK = 'test/fixtures/traces/worked-check.tt';

/** A made trace with 200 requests, each answered after 1000 + i % 50 ns. */
function echoTrace(): string {
  const us = (ns: number, width: number): string => (ns / 1000).toFixed(3).padStart(width);
  let now = 0;
  let text = '    0.000 us (+   0.000 us) [C0]   First event has timestamp 1 (cpu_ghz 2.400000000000000)\n';
  for (let i = 0; i < 400; i++) {
    const step = i % 2 ? 1000 + ((i >> 1) % 50) : 80;
    now += step;
    text += `${us(now, 9)} us (+${us(step, 8)} us) [main] write ${i % 2 ? 'response' : 'request'}\n`;
  }
  return text;
}

const RUN = JSON.stringify({ schemaVersion: 1, simulated: true, profile: 'u250-gen3x16', seed: 7 });

describe('parse', () => {
  const inFolder = async (
    files: Record<string, string>,
    body: (cwd: string) => Promise<void>,
  ): Promise<void> => {
    const folder = makeFolder(files);
    try {
      await body(folder.path);
    } finally {
      folder.remove();
    }
  };

  const made: (() => void)[] = [];
  after(() => made.forEach((remove) => remove()));
  const folderWithTrace = (): string => {
    const { path, remove } = makeFolder({ 'echo.tt': echoTrace() });
    made.push(remove);
    return path;
  };

  it('shows latency first, then events, and what the run says of itself', () =>
    inFolder({ 'echo.tt': echoTrace(), 'result.json': RUN }, async (cwd) => {
      const ran = await runInProcess(['parse', 'echo.tt'], { cwd });
      expect(ran).to.include({ exitCode: 0, stderr: '' });
      expectGolden('parse-echo', ran.stdout);
      const ascii = await runInProcess(['parse', 'echo.tt'], { cwd, env: { LANG: 'C', LC_ALL: 'C' } });
      expectGolden('parse-echo-ascii', ascii.stdout);
      expect(ascii.stdout).to.match(/^[\x20-\x7e\n]*$/);
    }));

  it('--json has the same figures', () =>
    inFolder({ 'echo.tt': echoTrace(), 'result.json': RUN }, async (cwd) => {
      const ran = await runInProcess(['parse', 'echo.tt', '--json'], { cwd });
      const { result, status } = JSON.parse(ran.stdout);
      expect(status).to.equal('ok');
      expect(result).to.include({ simulated: true, profile: 'u250-gen3x16', seed: 7, partial: false });
      expect(result).to.include({ lines: 401, records: 401, badLines: 0, backwards: 0 });
      expect(result.pairs).to.have.length(1);
      expect(result.pairs[0].summary).to.include({ count: 200, min: 1000, p50: 1024, p99: 1049, p999: null });
      expect(result.pairs[0].binsNs.counts.reduce((a: number, b: number) => a + b)).to.equal(200);
    }));

  it('--csv, --from and --alt', async () => {
    const csv = await runInProcess(['parse', '--csv', '--from', 'start', CHECK]);
    expectGolden('parse-check-csv', csv.stdout);
    expectGolden('parse-check-from', (await runInProcess(['parse', '--from', 'start', CHECK])).stdout);
    const alt = await runInProcess(['parse', '--from', 'start', '--alt', '--numbers', CHECK]);
    expectGolden('parse-check-from-alt-numbers', alt.stdout);
  });

  for (const [name, argv] of [
    ['homa', []],
    ['homa-from', ['--from', 'start']],
    ['homa-from-alt', ['--from', 'start', '--alt']],
  ] as const) {
    it(`--format ttsum-homa ${argv.join(' ')} is the worked check, byte for byte`, async () => {
      const ran = await runInProcess(['parse', '--format', 'ttsum-homa', ...argv, CHECK]);
      expect(ran).to.deep.equal({
        exitCode: 0,
        stderr: '',
        stdout: readFileSync(`test/fixtures/traces/worked-check.${name}.txt`, 'utf8'),
      });
    });
  }

  it('--format ttsum works on our own traces', () =>
    inFolder({ 'echo.tt': echoTrace() }, async (cwd) => {
      const { stdout } = await runInProcess(['parse', '--format', 'ttsum', 'echo.tt'], { cwd });
      expect(stdout.split('\n').slice(2)).to.deep.equal([
        '[main] write response    1025   1000   1049   1024     200',
        '[main] write request       80     80     80     80     200',
        '',
      ]);
    }));

  it('a bad line and time going backwards cost a warning each, and nothing else', () =>
    inFolder({ 't.tt': `${echoTrace()}oops\n    1.000 us (+   0.000 us) [main] late\n` }, async (cwd) => {
      const ran = await runInProcess(['parse', 't.tt'], { cwd });
      expect(ran.exitCode).to.equal(0);
      expect(ran.stderr).to.match(
        /^warning: t\.tt:402: no time in us at its start\nwarning: t\.tt:403: time went backwards by \d+ ns\n$/,
      );
      const json = await runInProcess(['parse', 't.tt', '--json'], { cwd });
      expect(JSON.parse(json.stdout).warnings).to.have.length(2);
      const quiet = await runInProcess(['parse', 't.tt', '--quiet'], { cwd });
      expect(quiet.stderr).to.equal('');
    }));

  it('says that a trace is of an interrupted run', () =>
    inFolder(
      { 'echo.tt': echoTrace(), 'result.json': JSON.stringify({ ...JSON.parse(RUN), partial: true }) },
      async (cwd) => {
        const ran = await runInProcess(['parse', 'echo.tt'], { cwd });
        expect(ran.stdout.split('\n')[0]).to.equal(
          'echo.tt [of an interrupted run] (simulated, profile u250-gen3x16, seed 7)',
        );
        const json = await runInProcess(['parse', 'echo.tt', '--json'], { cwd });
        expect(JSON.parse(json.stdout).result).to.include({ interrupted: true, partial: false });
      },
    ));

  it('hands no control character of a trace or a name to the terminal; JSON and CSV keep the text', () =>
    inFolder(
      { 't.tt': echoTrace().replaceAll('write', 'wr\u001b[31mi\tte').replaceAll('\n', '\r\n') },
      async (cwd) => {
        const text = await runInProcess(['parse', 't.tt'], { cwd });
        expect(text.stdout).to.match(/^wr\\x1b\[31mi\\tte +200 /m);
        expect(text.stdout).not.to.match(/[\0-\t\v-\u001f\u007f]/);
        const json = await runInProcess(['parse', 't.tt', '--json'], { cwd });
        expect(JSON.parse(json.stdout).result.pairs[0].name).to.include('wr\u001b[31mi\tte request');
        const gone = await runInProcess(['parse', '\u001b[2Jgone'], { cwd });
        expect(gone.stderr).to.match(/^error: cannot read \\x1b\[2Jgone: no such file/);
      },
    ));

  it('a result.json that cannot be read is not used, and said', () =>
    inFolder({ 'echo.tt': echoTrace(), 'result.json': '{' }, async (cwd) => {
      const ran = await runInProcess(['parse', 'echo.tt'], { cwd });
      expect(ran.exitCode).to.equal(0);
      expect(ran.stderr).to.equal('warning: the result.json beside echo.tt cannot be read; it is not used\n');
    }));

  it('--plot draws an SVG, and --force draws it over an old one', () =>
    inFolder({ 'echo.tt': echoTrace(), 'old.svg': 'old' }, async (cwd) => {
      const ran = await runInProcess(['parse', '--plot', 'old.svg', '--force', 'echo.tt'], { cwd });
      expect(ran.exitCode, ran.stderr).to.equal(0);
      const svg = readFileSync(join(cwd, 'old.svg'), 'utf8');
      expect(svg).to.match(/^<svg/);
      expect(svg).to.include('write request -&gt; write response');
      expect(existsSync(join(cwd, 'x.svg'))).to.equal(false);
    }));

  it('reads standard input with - and without a file', async () => {
    const input = readFileSync(CHECK, 'utf8');
    const plain = await runHomaNic(['parse', '--format', 'ttsum-homa'], { input });
    expect(plain.stdout).to.equal(readFileSync('test/fixtures/traces/worked-check.homa.txt', 'utf8'));
    const dash = await runHomaNic(['parse', '-', '--json'], { input });
    expect(JSON.parse(dash.stdout).result.files).to.deep.equal(['stdin']);
    const redirected = await runShell(`$HOMA_NIC parse --format ttsum-homa < ${CHECK}`);
    expect(redirected.stdout).to.equal(plain.stdout);
  });

  it('waits for a writer that is slow to begin, or pauses', async () => {
    const expected = readFileSync('test/fixtures/traces/worked-check.homa.txt', 'utf8');
    const slow = `(sleep 0.5; head -n 3 ${CHECK}; sleep 0.5; tail -n +4 ${CHECK})`;
    for (const line of [
      `${slow} | $HOMA_NIC parse --format ttsum-homa`,
      `${slow} | $HOMA_NIC parse --format ttsum-homa -`,
      `$HOMA_NIC parse --format ttsum-homa <(${slow})`,
    ]) {
      expect(await runShell(line), line).to.deep.equal({ exitCode: 0, stderr: '', stdout: expected });
    }
  });

  it('Ctrl-C while a pipe is silent keeps what came before', async () => {
    const began = Date.now();
    const ran = await runShell(
      `mkfifo pipe; (cat echo.tt; exec sleep 20) > pipe & $HOMA_NIC parse pipe & sleep 2; kill -INT $!; wait $!; echo "exit $?"; kill %1`,
      { cwd: folderWithTrace() },
    );
    expect(ran.stdout).to.match(/^pipe \[partial\]\n/);
    expect(ran.stdout).to.match(/\nwrite +200 /);
    expect(ran.stdout).to.match(/exit 130\n$/);
    expect(Date.now() - began).to.be.lessThan(15_000);
  });

  it('/dev/null or nothing on standard input is a usage error', async () => {
    const ran = await runShell('$HOMA_NIC parse --json < /dev/null');
    expect(ran.exitCode).to.equal(2);
    expect(JSON.parse(ran.stdout).error).to.include({ code: 'no_input' });
    const closed = await runHomaNic(['parse'], { input: '' });
    expect(closed.exitCode).to.equal(1);
    expect(closed.stderr).to.match(/^error: stdin: the trace is empty/);
  });

  it('| head ends quietly', async () => {
    const ran = await runShell(`$HOMA_NIC parse ${CHECK} | head -n 1; echo "\${PIPESTATUS[0]}"`);
    expect(ran).to.deep.equal({ exitCode: 0, stderr: '', stdout: `${CHECK}\n0\n` });
  });
});
