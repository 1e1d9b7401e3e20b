// SPDX-License-Identifier: Apache-2.0
// The steps of load-driver and unload-driver on machines that are made up.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { deviceFiles, findCards } from '#src/doctor/driver-state.js';
import { type LoadSetup, loadDriver, unloadDriver } from '#src/doctor/load-driver.js';
import { HomaNicError } from '#src/errors/errors.js';
import type { Executor, RunOutcome } from '#src/exec/executor.js';

interface Machine {
  root: boolean;
  cards: number;
  headers: boolean;
  loaded: boolean;
  /** does probe succeed once the module is loaded */
  probes: boolean;
  users: number[];
  group: boolean;
  insmod?: string;
}

/** A machine that answers the questions which the steps ask; it keeps what it was told to do. */
class MadeUp implements Executor {
  readonly place = 'this machine';
  readonly did: string[] = [];

  constructor(readonly machine: Machine) {}

  run(argv: readonly string[]): Promise<RunOutcome> {
    const { machine } = this;
    const line = argv.join(' ');
    const ok = (stdout = ''): Promise<RunOutcome> => Promise.resolve({ exitCode: 0, stdout, stderr: '' });
    const no = (stderr: string): Promise<RunOutcome> => Promise.resolve({ exitCode: 1, stdout: '', stderr });
    if (line.includes('/sys/bus/pci/devices')) return ok(this.#cards());
    if (line === 'id -u') return ok(machine.root ? '0\n' : '1000\n');
    if (line === 'dmesg') return ok('[ 1.0] homanic 0000:01:00.0: the sentence\n[ 1.1] other: noise\n');
    if (line.includes('/proc/[0-9]*')) return ok(machine.users.map((pid) => `/proc/${pid}/fd/3\n`).join(''));
    if (line.startsWith('grep')) return machine.group ? ok() : no('');
    if (line.startsWith('cat /sys/module')) return ok('ABC\n');
    this.did.push(line);
    if (argv[0] === 'insmod') {
      if (machine.insmod !== undefined) return no(machine.insmod);
      machine.loaded = true;
    }
    if (argv[0] === 'rmmod') {
      if (machine.users.length > 0) return no('Module homanic is in use');
      machine.loaded = false;
    }
    return ok();
  }

  #cards(): string {
    const driven = this.machine.loaded && this.machine.probes;
    const state =
      'state build_kind card\nstate interface_version 1.0\nstate build_id 0000abcd\nstate link 1\n';
    return Array.from({ length: this.machine.cards }, (_, i) =>
      driven ? `card 0000:0${i + 1}:00.0 homanic\n${state}` : `card 0000:0${i + 1}:00.0 \n`,
    ).join('');
  }

  exists(path: string): Promise<boolean> {
    const { machine } = this;
    if (path.startsWith('/lib/modules')) return Promise.resolve(machine.headers);
    if (path.startsWith('/sys/module')) return Promise.resolve(machine.loaded);
    if (path.startsWith('/dev/homa')) return Promise.resolve(machine.loaded && machine.probes);
    return Promise.resolve(false);
  }

  readFile(): Promise<Uint8Array> {
    return Promise.reject(new Error('not asked'));
  }

  writeFile(): Promise<void> {
    return Promise.resolve();
  }
}

describe('load-driver', () => {
  let folder: string;
  const good: Machine = {
    root: true,
    cards: 1,
    headers: true,
    loaded: false,
    probes: true,
    users: [],
    group: false,
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hn-'));
    await mkdir(join(folder, 'driver'));
    await writeFile(join(folder, 'driver/a.c'), 'int a;');
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** `make` is a script that "builds" by writing the module. */
  function setup(executor: MadeUp, more: Partial<LoadSetup> = {}): LoadSetup {
    const compiler = new MadeUp(executor.machine);
    compiler.run = async (argv) => {
      await writeFile(join(argv[1]!, 'homanic.ko'), 'elf srcversion=ABC\0 elf');
      return { exitCode: 0, stdout: '', stderr: '' };
    };
    return {
      executor,
      target: 'local',
      build: {
        executor: compiler,
        cacheFolder: join(folder, 'cache'),
        driverFolder: join(folder, 'driver'),
        kernelRelease: '6.1.0',
        make: (path) => ['make', path],
        always: false,
        timeoutMs: 1000,
      },
      parameters: ['mtu=9000'],
      dryRun: false,
      timeoutMs: 200,
      signal: new AbortController().signal,
      onStep: () => undefined,
      ...more,
    };
  }

  async function failureOf(promise: Promise<unknown>): Promise<HomaNicError> {
    try {
      await promise;
    } catch (thrown) {
      expect(thrown).to.be.instanceOf(HomaNicError);
      return thrown as HomaNicError;
    }
    throw new Error('it did not fail');
  }

  it('does every step, and again without harm', async () => {
    const machine = new MadeUp({ ...good, group: true });
    const { steps, cards } = await loadDriver(setup(machine));
    expect(steps.map(({ name, state }) => `${name} ${state}`)).to.deep.equal(
      ['cards', 'headers', 'build', 'load', 'devices', 'permissions', 'identity'].map(
        (name) => `${name} done`,
      ),
    );
    expect(steps.at(-1)!.detail).to.equal('0000:01:00.0: card, interface 1.0, build 0000abcd, link up');
    expect(cards.map(({ address }) => address)).to.deep.equal(['0000:01:00.0']);
    expect(machine.did[0]).to.match(/^insmod .*\/homanic\.ko mtu=9000$/);
    expect(machine.did).to.include(`chgrp homa ${deviceFiles(0)[0]}`);
    const again = await loadDriver(setup(machine));
    const states = again.steps
      .filter(({ name }) => name === 'build' || name === 'load')
      .map(({ state }) => state);
    expect(states).to.deep.equal(['was done already', 'was done already']);
    expect(machine.did.filter((line) => line.startsWith('insmod')).length).to.equal(1);
  });

  it('with --dry-run says all of it and does none', async () => {
    const machine = new MadeUp({ ...good, cards: 0, headers: false, root: false });
    const { steps } = await loadDriver(setup(machine, { dryRun: true }));
    expect(steps.length).to.equal(7);
    expect(machine.did).to.deep.equal([]);
    expect(steps.find(({ name }) => name === 'load')!.detail).to.equal('insmod homanic.ko mtu=9000');
  });

  it('says what is missing and what to type', async () => {
    const cases: [Partial<Machine>, number, string, string][] = [
      [{ cards: 0 }, 4, 'no homa-nic card', 'homa-nic vm start'],
      [{ headers: false }, 4, 'headers', 'apt install linux-headers-6.1.0'],
      [{ root: false }, 4, 'needs root', 'sudo homa-nic load-driver'],
      [{ insmod: 'insmod: Key was rejected by service' }, 1, 'Key was rejected', 'Secure Boot'],
      [{ probes: false }, 1, 'drives no card\nhomanic 0000:01:00.0: the sentence', 'unload-driver'],
    ];
    for (const [change, exitCode, message, suggestion] of cases) {
      const failure = await failureOf(loadDriver(setup(new MadeUp({ ...good, ...change }))));
      expect(failure.exitCode, message).to.equal(exitCode);
      expect(failure.message).to.include(message);
      expect(failure.suggestions.join('\n')).to.include(suggestion);
    }
  });

  it('does not mistake another build for its own', async () => {
    const machine = new MadeUp({ ...good, loaded: true });
    const other = setup(machine);
    const run = other.build.executor.run.bind(other.build.executor);
    other.build.executor.run = async (argv, options) => {
      const outcome = await run(argv, options);
      await writeFile(join(argv[1]!, 'homanic.ko'), 'elf srcversion=XYZ\0 elf');
      return outcome;
    };
    const failure = await failureOf(loadDriver(other));
    expect(failure.code).to.equal('driver_differs');
    expect(failure.suggestions).to.deep.equal(['homa-nic unload-driver']);
  });

  it('unloads, twice harmlessly, and names the programs in the way', async () => {
    const machine = new MadeUp({ ...good, loaded: true, users: [12, 7] });
    const failure = await failureOf(unloadDriver({ executor: machine, target: 'vm', dryRun: false }));
    expect(failure.message).to.equal('the driver is in use by processes 7, 12');
    expect(failure.suggestions).to.deep.equal(["homa-nic vm exec 'kill 7 12'"]);
    machine.machine.users = [];
    const states = [];
    for (const dryRun of [true, false, false]) {
      states.push((await unloadDriver({ executor: machine, target: 'vm', dryRun }))[0]!.state);
    }
    expect(states).to.deep.equal(['would be done', 'done', 'was done already']);
  });

  it('reads cards and their state from what sysfs says', async () => {
    const cards = await findCards(new MadeUp({ ...good, cards: 2, loaded: true }));
    expect(cards.map(({ address, driver }) => [address, driver])).to.deep.equal([
      ['0000:01:00.0', 'homanic'],
      ['0000:02:00.0', 'homanic'],
    ]);
    expect(cards[1]!.state).to.include({ build_kind: 'card', link: '1' });
    expect(deviceFiles(2)[0]).to.equal('/dev/homa_nic2_h2c_msgbuff');
  });
});
