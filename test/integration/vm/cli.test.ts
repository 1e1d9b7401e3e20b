// SPDX-License-Identifier: Apache-2.0
// The commands as a person types them, with a cache of their own so that a guest that runs already is left alone.
import { mkdir, mkdtemp, readFile, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { commandLineOf } from '#src/exec/background.js';
import { LocalExecutor } from '#src/exec/local-executor.js';
import type { RunOutcome } from '#src/exec/executor.js';
import { cacheFolder } from './guest-for-tests.js';

const EXIT_MISSING = 4;

describe('commands of the guest', function () {
  this.timeout(180_000);
  const here = new LocalExecutor();
  const bin = resolve('bin/run.js');
  let cache: string;

  before(async () => {
    cache = await mkdtemp(join(tmpdir(), 'hn-'));
    await mkdir(join(cache, 'vm'));
    for (const name of ['vm/sets', 'vm/current.json', 'programs', 'module']) {
      await mkdir(join(cacheFolder, 'programs'), { recursive: true });
      await mkdir(join(cacheFolder, 'module'), { recursive: true });
      await symlink(join(cacheFolder, name), join(cache, name));
    }
  });
  after(async () => {
    await homaNic('vm', 'stop');
    await rm(cache, { recursive: true, force: true });
  });

  function homaNic(...words: string[]): Promise<RunOutcome> {
    const env = { HOMA_NIC_CACHE_DIR: cache };
    return here.run([process.execPath, bin, ...words], { env, cwd: cache, timeoutMs: 170_000 });
  }

  async function succeeds(...words: string[]): Promise<string> {
    const outcome = await homaNic(...words);
    expect(outcome.exitCode, `${words.join(' ')}\n${outcome.stdout}${outcome.stderr}`).to.equal(0);
    return outcome.stdout;
  }

  async function pids(): Promise<number[]> {
    const state = JSON.parse(await readFile(join(cache, 'vm/run/state.json'), 'utf8')) as Record<
      string,
      number
    >;
    return [state['supervisorPid']!, state['qemuPid']!];
  }

  it('say what to type when no guest runs', async () => {
    for (const words of [
      ['vm', 'status'],
      ['vm', 'exec', 'true'],
      ['load-driver', '--target', 'vm'],
      ['perf', '--target', 'vm'],
    ]) {
      const outcome = await homaNic(...words);
      expect(outcome.exitCode, words.join(' ')).to.equal(EXIT_MISSING);
      expect(outcome.stderr).to.include('no guest is running').and.to.include('homa-nic vm start');
    }
    expect(await succeeds('vm', 'stop')).to.include('no guest was running');
  });

  it('start, load, measure, parse: the three commands of the README', async () => {
    expect(await succeeds('vm', 'start')).to.include('the guest runs');
    expect(await succeeds('vm', 'start')).to.include('was running already');
    const steps = await succeeds('load-driver', '--target', 'vm');
    for (const step of ['cards', 'headers', 'build', 'load', 'devices', 'permissions', 'identity']) {
      expect(steps).to.match(new RegExp(`^${step} `, 'm'));
    }
    const words = ['perf', '--nic', 'card', '--target', 'vm', '--parse', '--count', '200', '--json'];
    const { result } = JSON.parse(await succeeds(...words)) as {
      result: {
        simulated: boolean;
        nic: string;
        tests: { name: string; count: number }[];
        parsed: unknown[];
      };
    };
    expect(result).to.include({ simulated: true, nic: 'card' });
    expect(result.tests.map(({ name, count }) => [name, count])).to.deep.equal([
      ['echo', 200],
      ['read', 200],
      ['loopback', 200],
    ]);
    expect(result.parsed.length).to.equal(3);
    expect((await readdir(join(cache, 'homa-nic-results/001-perf'))).sort()).to.include.members([
      'echo.tt',
      'read.tt',
      'result.json',
    ]);
  });

  it('run programs in the guest and hand on how they ended', async () => {
    expect(await succeeds('vm', 'exec', 'echo $((6 * 7))')).to.equal('42\n');
    const failed = await homaNic('vm', 'exec', '--json', '--', 'sh', '-c', 'echo out; echo err >&2; exit 7');
    expect(failed.exitCode).to.equal(1);
    const envelope = JSON.parse(failed.stdout) as { status: string; result: unknown };
    expect(envelope.status).to.equal('error');
    expect(envelope.result).to.deep.equal({ exitCode: 7, stdout: 'out\n', stderr: 'err\n' });
    const slow = await homaNic('vm', 'exec', '--timeout', '1', 'sleep 30');
    expect(slow.exitCode).to.equal(1);
    expect(slow.stderr).to.include('did not end within 1 s');
  });

  it('unload the driver, twice', async () => {
    expect(await succeeds('unload-driver', '--target', 'vm')).to.include('rmmod homanic');
    expect(await succeeds('unload-driver', '--target', 'vm')).to.include('not loaded');
  });

  it('start anew when QEMU has died, and leave no process behind', async () => {
    const [supervisor, qemu] = await pids();
    process.kill(qemu!, 'SIGKILL');
    const deadline = Date.now() + 10_000;
    while (commandLineOf(supervisor!) !== undefined && Date.now() < deadline) {
      await new Promise((wait) => setTimeout(wait, 50));
    }
    expect(commandLineOf(supervisor!), 'the supervisor ends with QEMU').to.equal(undefined);
    expect((await homaNic('vm', 'status')).exitCode).to.equal(EXIT_MISSING);
    expect(await succeeds('vm', 'start', '--cards', '2')).to.include('2 cards');
    const [second, secondQemu] = await pids();
    // A supervisor that is killed takes QEMU with it.
    process.kill(second!, 'SIGKILL');
    const limit = Date.now() + 10_000;
    while (commandLineOf(secondQemu!) !== undefined && Date.now() < limit) {
      await new Promise((wait) => setTimeout(wait, 50));
    }
    expect(commandLineOf(secondQemu!), 'QEMU ends with its supervisor').to.equal(undefined);
    await succeeds('vm', 'stop');
  });
});
