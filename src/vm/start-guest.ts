// SPDX-License-Identifier: Apache-2.0
// What `vm start` does: packages, boot files, then a supervisor in the background.
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ContentError, InterruptedError, UsageError } from '../errors/errors.js';
import { commandLineOf, endProcess, startBackground } from '../exec/background.js';
import { LocalExecutor } from '../exec/local-executor.js';
import { tail } from '../exec/failures.js';
import { ensureBootFiles } from './guest/boot-files.js';
import { ensurePackages } from './packages/guest-packages.js';
import { prepareKernelBuild } from './packages/kernel-headers.js';
import { type RunState, cleanUp, lockFolder, runFolderOf, runningGuest } from './run-state.js';

const POLL_MS = 50;
const END_LIMIT_MS = 6000;

export interface StartSetup {
  cacheFolder: string;
  agentSource: string;
  nic: string;
  cards: number;
  iommu: boolean;
  /** how this program is called, up to and without `vm` */
  ownCommand: readonly string[];
  /** for fetching packages, and again for booting */
  timeoutMs: number;
  signal: AbortSignal;
  onStep: (text: string) => void;
}

/** Starts a guest, or finds that one of the wanted kind runs already. */
export async function startGuest(setup: StartSetup): Promise<{ state: RunState; started: boolean }> {
  const runFolder = runFolderOf(setup.cacheFolder);
  const release = await lockFolder(runFolder);
  if (!release) throw new ContentError('another homa-nic is starting the guest right now');
  try {
    const running = await runningGuest(runFolder);
    if (running) {
      const same =
        running.nic === setup.nic && running.cards === setup.cards && running.iommu === setup.iommu;
      if (same) return { state: running, started: false };
      throw new UsageError(
        `a guest runs already, with other hardware (${running.cards} x ${running.nic}${running.iommu ? ', IOMMU' : ''})`,
        { suggestions: ['homa-nic vm stop'] },
      );
    }
    if (!(await cleanUp(runFolder))) {
      throw new ContentError('processes of an earlier guest do not end', {
        suggestions: ['homa-nic vm stop'],
      });
    }
    const executor = new LocalExecutor();
    const packages = await ensurePackages({ ...setup, executor });
    await prepareKernelBuild(packages, join(setup.cacheFolder, 'vm'));
    await ensureBootFiles(executor, packages, setup.agentSource);
    if (setup.signal.aborted) throw new InterruptedError();
    setup.onStep(`booting Linux ${packages.kernelRelease} under QEMU`);
    return { state: await boot(setup, runFolder), started: true };
  } finally {
    await release();
  }
}

async function boot(setup: StartSetup, runFolder: string): Promise<RunState> {
  const logPath = join(runFolder, 'supervisor.log');
  await rm(logPath, { force: true });
  const seconds = Math.ceil(setup.timeoutMs / 1000);
  const words = ['vm', 'serve', '--nic', setup.nic, '--cards', String(setup.cards)];
  words.push('--run-folder', runFolder, '--boot-timeout', String(seconds));
  if (setup.iommu) words.push('--iommu');
  const supervisor = await startBackground([...setup.ownCommand, ...words], { logPath, detached: true });
  let ended = false;
  void supervisor.ended.then(() => (ended = true));
  const deadline = Date.now() + setup.timeoutMs;
  for (;;) {
    const state = await runningGuest(runFolder);
    if (state) return state;
    if (ended || setup.signal.aborted || Date.now() > deadline) break;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  await endProcess(supervisor.pid, runFolder, END_LIMIT_MS);
  if (setup.signal.aborted) throw new InterruptedError();
  const said = tail(await readFile(logPath, 'utf8').catch(() => ''));
  throw new ContentError(
    ended ? `the guest did not start:\n${said}` : `the guest did not come up within ${seconds} s\n${said}`,
    { suggestions: ['homa-nic vm start --timeout 300'] },
  );
}

/** Ends the guest of this user. False when none was running. */
export async function stopGuest(cacheFolder: string): Promise<boolean> {
  const runFolder = runFolderOf(cacheFolder);
  const state = await runningGuest(runFolder);
  const gone = await cleanUp(runFolder);
  if (!gone) {
    throw new ContentError(
      `the processes of the guest do not end: ${[state?.supervisorPid, state?.qemuPid]
        .filter((pid) => pid !== undefined && commandLineOf(pid) !== undefined)
        .join(', ')}`,
    );
  }
  return state !== undefined;
}
