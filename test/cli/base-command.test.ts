// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { expect } from 'chai';
import { expectNoInsides } from './failures.test.js';
import {
  makeFolder,
  REPOSITORY,
  type ProcessOptions,
  type Ran,
  runHomaNic,
  runProgram,
  runShell,
} from './harness.js';

const PROGRAM = join(REPOSITORY, 'build', 'test', 'cli', 'endings-command.js');
const folder = makeFolder();

function end(argv: string[], options: ProcessOptions = {}): Promise<Ran> {
  const env = { TEST_ROOT: REPOSITORY, ...options.env };
  return runProgram(process.execPath, [PROGRAM, ...argv], { cwd: folder.path, ...options, env });
}

describe('base command', function () {
  this.timeout(60_000);
  after(() => folder.remove());

  const endings: [how: string, exitCode: number, status: string, code: string | undefined][] = [
    ['ok', 0, 'ok', undefined],
    ['empty', 0, 'ok', undefined],
    ['content', 1, 'error', 'content'],
    ['io', 1, 'error', 'io'],
    ['threshold', 3, 'error', 'regression'],
    ['missing', 4, 'error', 'missing'],
    ['bug', 70, 'error', 'bug'],
  ];
  for (const [how, exitCode, status, code] of endings) {
    it(`ends with ${exitCode} on ${how}, with and without --json`, async () => {
      const [text, json] = await Promise.all([end(['--how', how]), end(['--how', how, '--json'])]);
      expect(text.exitCode, text.stderr).to.equal(exitCode);
      expect(json.exitCode).to.equal(exitCode);
      const envelope = JSON.parse(json.stdout);
      expect(envelope.status).to.equal(status);
      expect(envelope.command).to.equal('endings');
      expect(envelope.error?.code).to.equal(code);
      if (status === 'ok') expect(envelope).to.have.property('result');
      else expect(text.stderr).to.match(/^error: /m);
      expectNoInsides(text.stderr + text.stdout, folder.path);
      expectNoInsides(json.stderr + json.stdout, folder.path);
    });
  }

  it('an empty result is null in the envelope, not absent', async () => {
    const { result } = JSON.parse((await end(['--how', 'empty', '--json'])).stdout);
    expect(result).to.equal(null);
  });

  it('a crossed threshold keeps the result beside the error', async () => {
    const [text, json] = await Promise.all([
      end(['--how', 'threshold']),
      end(['--how', 'threshold', '--json']),
    ]);
    expect(text.stdout).to.equal('result {"seed":1,"size":null}\n');
    expect(JSON.parse(json.stdout).result).to.deep.equal({ seed: 1, size: null });
  });

  it('a bug says how to report it, and shows its stack only under HOMA_NIC_DEBUG', async () => {
    const plain = await end(['--how', 'bug']);
    expect(plain.stderr).to.match(/this is a bug in homa-nic.*\n.*report it.*homa-nic \d.*node v/);
    const debug = await end(['--how', 'bug'], { env: { HOMA_NIC_DEBUG: '1' } });
    expect(debug.stderr).to.match(/^\s+at /m);
    expect((await end(['--how', 'render-bug'])).exitCode).to.equal(70);
  });

  it('progress and warnings go to stderr; --quiet silences them; --verbose adds detail', async () => {
    const plain = await end(['--how', 'ok']);
    expect(plain.stdout).to.equal('result {"seed":1,"size":null}\n');
    expect(plain.stderr).to.equal('warning: careful with trace.tt\nworking (3) ...\n');
    expect((await end(['--how', 'ok', '--quiet'])).stderr).to.equal('');
    expect((await end(['--how', 'ok', '--verbose'])).stderr).to.match(/^in detail$/m);
    const json = await end(['--how', 'ok', '--json', '--quiet']);
    expect(json.stderr).to.equal('');
    expect(JSON.parse(json.stdout).warnings).to.deep.equal(['careful with trace.tt']);
  });

  it('all faults of a command line stand in one error', async () => {
    const ran = await end([
      '--size',
      '0,5',
      '--seed',
      'x',
      '--count',
      '11',
      '--hwo',
      'ok',
      '--out',
      '--json',
    ]);
    expect(ran.exitCode).to.equal(2);
    expect(JSON.parse(ran.stdout).error.message).to.equal(
      [
        '7 problems with this command line:',
        '  - unknown flag --hwo; did you mean --how?',
        '  - --out needs a value',
        "  - --seed: 'x' is not a whole number from 0 to 4294967295",
        '  - --size: size 0 is out of range: 1 to 1000000 bytes',
        "  - --count: '11' is not a whole number from 1 to 10",
        '  - --how is required',
        "  - unexpected argument 'ok'",
      ].join('\n'),
    );
  });

  it('a wrong choice names the choices and the nearest', async () => {
    const ran = await end(['--how', 'emtpy']);
    expect(ran.stderr).to.match(/^error: --how: 'emtpy' is none of ok, empty, .*; did you mean empty\?$/m);
  });

  it('a flag goes before the environment, that before the project file, that before the user file', async () => {
    const files = makeFolder({
      'homa-nic.json': '{"seed": 30}',
      'xdg/homa-nic/config.json': '{"seed": 40}',
      'other/homa-nic/config.json': '{"sede": 40}',
    });
    const seedOf = async (argv: string[], env: Record<string, string>, cwd = files.path): Promise<unknown> =>
      JSON.parse((await end(['--how', 'ok', '--json', '--quiet', ...argv], { cwd, env })).stdout).result
        ?.seed;
    const xdg = { XDG_CONFIG_HOME: join(files.path, 'xdg') };
    expect(await seedOf(['--seed', '10'], { ...xdg, HOMA_NIC_SEED: '20' })).to.equal(10);
    expect(await seedOf([], { ...xdg, HOMA_NIC_SEED: '20' })).to.equal(20);
    expect(await seedOf([], xdg)).to.equal(30);
    expect(await seedOf([], xdg, folder.path)).to.equal(40);
    expect(await seedOf([], {}, folder.path)).to.equal(1);
    const wrong = await end(['--how', 'ok'], { env: { XDG_CONFIG_HOME: join(files.path, 'other') } });
    expect(wrong.exitCode).to.equal(2);
    expect(wrong.stderr).to.match(/unknown key 'sede'; did you mean 'seed'/);
    files.remove();
  });

  it('Ctrl-C keeps what there is: exit 130, status interrupted, result present', async () => {
    const when = { seen: 'waiting', act: (kill: (s: NodeJS.Signals) => void) => kill('SIGINT') };
    const [text, json, thrown] = await Promise.all([
      end(['--how', 'wait'], { when }),
      end(['--how', 'wait', '--json'], { when }),
      end(['--how', 'wait-throw', '--json'], { when }),
    ]);
    expect(text.exitCode).to.equal(130);
    expect(text.stdout).to.equal('result {"partial":true}\n');
    expect(json.exitCode).to.equal(130);
    expect(JSON.parse(json.stdout)).to.include({ status: 'interrupted' });
    expect(JSON.parse(json.stdout).result).to.deep.equal({ partial: true });
    expect(thrown.exitCode).to.equal(130);
    expect(JSON.parse(thrown.stdout).error.code).to.equal('interrupted');
  });

  it('a second Ctrl-C leaves at once', async () => {
    const act = (kill: (s: NodeJS.Signals) => void): void => {
      kill('SIGINT');
      setTimeout(() => kill('SIGINT'), 200);
    };
    const ran = await end(['--how', 'stuck'], { when: { seen: 'waiting', act } });
    expect(ran.exitCode).to.equal(130);
    expect(ran.stdout).to.equal('');
  });

  it('a reader that goes away ends it quietly with 0', async () => {
    const line = `'${process.execPath}' '${PROGRAM}' --how lines | head -1; echo "code \${PIPESTATUS[0]}"`;
    const long = await runShell(line, { env: { TEST_ROOT: REPOSITORY } });
    expect(long).to.deep.equal({ stdout: 'line 0\ncode 0\n', stderr: '', exitCode: 0 });
    const help = await runShell('$HOMA_NIC config --help | true; echo "code ${PIPESTATUS[0]}"');
    expect(help).to.deep.equal({ stdout: 'code 0\n', stderr: '', exitCode: 0 });
  });

  it('--version is one line, or an envelope', async () => {
    expect((await runHomaNic(['--version'])).stdout).to.match(/^homa-nic\/\d+\.\d+\.\d+ \S+ node-v\S+\n$/);
    expect(JSON.parse((await runHomaNic(['--version', '--json'])).stdout).result.node).to.equal(
      process.version,
    );
  });

  it('colour is never written to a pipe', async () => {
    const ran = await runHomaNic(['config'], { env: { NO_COLOR: undefined, TERM: 'xterm-256color' } });
    expect(ran.stdout).not.to.include('\u001b');
  });
});
