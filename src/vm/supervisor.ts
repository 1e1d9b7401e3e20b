// SPDX-License-Identifier: Apache-2.0
// The process behind `vm start`: serves the cards, holds QEMU and the door to the guest, and ends with them.
import type { Executor } from '../exec/executor.js';
import type { NicDeviceFactory } from '../nic/device.js';
import { ControlServer } from './control-server.js';
import { Hub } from './ethernet-port.js';
import { ensureBootFiles } from './guest/boot-files.js';
import { Machine } from './machine.js';
import type { GuestPackages } from './packages/guest-packages.js';
import { controlSocketOf, removeState, writeState } from './run-state.js';

export interface SupervisorSetup {
  executor: Executor;
  packages: GuestPackages;
  agentSource: string;
  nic: string;
  factory: NicDeviceFactory;
  cards: number;
  timeScale: number;
  iommu: boolean;
  runFolder: string;
  bootTimeoutMs: number;
  /** ends the guest */
  signal: AbortSignal;
}

/** Runs a guest until it ends or the signal is given. All its cards hang on one hub. */
export async function superviseGuest(setup: SupervisorSetup): Promise<void> {
  const { executor, packages, runFolder, signal } = setup;
  const bootFiles = await ensureBootFiles(executor, packages, setup.agentSource);
  const hub = new Hub();
  const machine = await Machine.start({
    executor,
    packages,
    bootFiles,
    cards: Array.from({ length: setup.cards }, () => ({ factory: setup.factory, port: hub.addPort() })),
    runFolder,
    bootTimeoutMs: setup.bootTimeoutMs,
    iommu: setup.iommu,
    signal,
  });
  let askedToStop = (): void => undefined;
  const stopAsked = new Promise<void>((resolve) => (askedToStop = resolve));
  signal.addEventListener('abort', askedToStop, { once: true });
  const control = new ControlServer(controlSocketOf(runFolder), machine.agent, (question) => {
    if (isQuestion(question, 'traffic')) return Promise.resolve(machine.counts);
    if (isQuestion(question, 'stop')) {
      setImmediate(askedToStop);
      return Promise.resolve({});
    }
    return Promise.reject(new Error('the supervisor does not know this question'));
  });
  try {
    await control.listen();
    await writeState(runFolder, {
      supervisorPid: process.pid,
      qemuPid: machine.qemuPid,
      nic: setup.nic,
      cards: setup.cards,
      timeScale: setup.timeScale,
      iommu: setup.iommu,
      kernelRelease: machine.kernelRelease,
      startedAtMs: Date.now(),
    });
    if (!signal.aborted) await Promise.race([stopAsked, machine.ended]);
  } finally {
    await control.close();
    await machine.stop();
    await removeState(runFolder);
  }
}

function isQuestion(question: unknown, name: string): boolean {
  return typeof question === 'object' && question !== null && 'ask' in question && question.ask === name;
}
