// SPDX-License-Identifier: Apache-2.0
// What is known on disk of the guest that runs: one file, written by its supervisor, believed only while its processes
// live.
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { commandLineOf, endProcess } from '../exec/background.js';

/** A socket's path has at most 107 bytes; the longest name in the folder takes 12 of them. */
const MAX_FOLDER_BYTES = 90;
const END_LIMIT_MS = 6000;

/** The guest that runs. */
export interface RunState {
  supervisorPid: number;
  qemuPid: number;
  /** kind of card in its slots */
  nic: string;
  cards: number;
  iommu: boolean;
  /** what the driver must multiply its time limits by, because the card is simulated slowly */
  timeScale: number;
  kernelRelease: string;
  /** since 1970, in milliseconds */
  startedAtMs: number;
}

/** Folder of sockets, logs and state of the guest of this user. */
export function runFolderOf(cacheFolder: string): string {
  const folder = join(cacheFolder, 'vm', 'run');
  if (Buffer.byteLength(folder) <= MAX_FOLDER_BYTES) return folder;
  return join(tmpdir(), `homa-nic-vm-${userInfo().uid}`);
}

export function controlSocketOf(runFolder: string): string {
  return join(runFolder, 'control.sock');
}

export async function writeState(runFolder: string, state: RunState): Promise<void> {
  const path = join(runFolder, 'state.json');
  await writeFile(`${path}.part`, `${JSON.stringify(state)}\n`);
  await rename(`${path}.part`, path);
}

export async function removeState(runFolder: string): Promise<void> {
  await rm(join(runFolder, 'state.json'), { force: true });
}

async function readState(runFolder: string): Promise<RunState | undefined> {
  try {
    return JSON.parse(await readFile(join(runFolder, 'state.json'), 'utf8')) as RunState;
  } catch {
    return undefined;
  }
}

/** The guest that runs, or undefined: a file whose processes are gone counts as none. */
export async function runningGuest(runFolder: string): Promise<RunState | undefined> {
  const state = await readState(runFolder);
  if (!state) return undefined;
  const alive = (pid: number): boolean => commandLineOf(pid)?.includes(runFolder) === true;
  return alive(state.supervisorPid) && alive(state.qemuPid) ? state : undefined;
}

/** Ends what is left of an earlier guest and removes its file. False when a process of it would not end. */
export async function cleanUp(runFolder: string): Promise<boolean> {
  const state = await readState(runFolder);
  let gone = true;
  if (state) {
    gone = await endProcess(state.supervisorPid, runFolder, END_LIMIT_MS);
    gone = (await endProcess(state.qemuPid, runFolder, END_LIMIT_MS)) && gone;
  }
  if (gone) await removeState(runFolder);
  return gone;
}

/**
 * Holds the folder against another start at the same time. Returns how to let it go, or undefined when another process
 * that lives has it.
 */
export async function lockFolder(runFolder: string): Promise<(() => Promise<void>) | undefined> {
  await mkdir(runFolder, { recursive: true });
  const path = join(runFolder, 'lock');
  for (let tries = 0; tries < 2; tries++) {
    try {
      await writeFile(path, String(process.pid), { flag: 'wx' });
      return () => rm(path, { force: true });
    } catch {
      const holder = Number(await readFile(path, 'utf8').catch(() => '0'));
      if (holder > 0 && commandLineOf(holder) !== undefined) return undefined;
      await rm(path, { force: true });
    }
  }
  return undefined;
}
