// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { commandLineOf, startBackground } from '#src/exec/background.js';
import {
  type RunState,
  cleanUp,
  lockFolder,
  runFolderOf,
  runningGuest,
  writeState,
} from '#src/vm/run-state.js';

const STATE: Omit<RunState, 'supervisorPid' | 'qemuPid'> = {
  nic: 'sim',
  cards: 1,
  iommu: false,
  timeScale: 1,
  kernelRelease: '6.12',
  startedAtMs: 1,
};

describe('state of the guest on disk', () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'hn-'))));
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** A process whose command line has the folder in it, as a supervisor's has. */
  function sleeper(): Promise<{ pid: number; ended: Promise<unknown> }> {
    const program = 'setInterval(() => {}, 1000)';
    return startBackground([process.execPath, '-e', program, folder], {
      logPath: join(folder, 'log'),
      detached: false,
    });
  }

  it('is none when there is no file, a broken one, or one whose processes are gone or others', async () => {
    expect(await runningGuest(folder)).to.equal(undefined);
    await writeFile(join(folder, 'state.json'), '{');
    expect(await runningGuest(folder)).to.equal(undefined);
    await writeState(folder, { ...STATE, supervisorPid: 2 ** 22 + 1, qemuPid: 2 ** 22 + 1 });
    expect(await runningGuest(folder)).to.equal(undefined);
    await writeState(folder, { ...STATE, supervisorPid: process.pid, qemuPid: process.pid });
    expect(await runningGuest(folder), 'a process that is not ours').to.equal(undefined);
  });

  it('ends what is left of a guest, and nothing that is not its own', async () => {
    const left = await sleeper();
    while (!commandLineOf(left.pid)?.includes(folder)) await new Promise((wait) => setTimeout(wait, 5));
    await writeState(folder, { ...STATE, supervisorPid: left.pid, qemuPid: process.pid });
    expect(await cleanUp(folder)).to.equal(true);
    await left.ended;
    expect(commandLineOf(left.pid)).to.equal(undefined);
    await readFile(join(folder, 'state.json')).then(
      () => expect.fail('the file is still there'),
      () => undefined,
    );
  });

  it('is started by one process at a time, and a dead starter holds nobody up', async () => {
    const release = await lockFolder(folder);
    expect(await lockFolder(folder)).to.equal(undefined);
    await release!();
    await writeFile(join(folder, 'lock'), String(2 ** 22 + 1));
    const again = await lockFolder(folder);
    expect(again).to.not.equal(undefined);
    await again!();
  });

  it('lies where a socket path fits', () => {
    expect(runFolderOf('/home/a/.cache/homa-nic')).to.equal('/home/a/.cache/homa-nic/vm/run');
    expect(runFolderOf(`/home/${'x'.repeat(100)}/.cache/homa-nic`).length).to.be.below(90);
  });
});
