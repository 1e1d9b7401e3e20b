// SPDX-License-Identifier: Apache-2.0
// A running guest: its QEMU, its cards and its agent, all of which end together.
import { mkdir, readFile, rm } from 'node:fs/promises';
import { type Server, type Socket, createServer } from 'node:net';
import { join } from 'node:path';
import { ContentError } from '../errors/errors.js';
import { AgentClient } from '../exec/agent-client.js';
import { type BackgroundProgram, startBackground } from '../exec/background.js';
import type { Executor } from '../exec/executor.js';
import { tail } from '../exec/failures.js';
import { GuestExecutor } from '../exec/guest-executor.js';
import type { NicDeviceFactory } from '../nic/device.js';
import { CardSlot, type SlotCounts } from './card-slot.js';
import type { EthernetPort } from './ethernet-port.js';
import type { BootFiles } from './guest/boot-files.js';
import type { GuestPackages } from './packages/guest-packages.js';
import { qemuCommand, qemuEnvironment } from './qemu-command.js';
import { RamFile } from './vfio-user/ram-file.js';

const SETPRIV = '/usr/bin/setpriv';
const MEMORY_MEGABYTES = 512;
/** How long QEMU may take to end after it was asked to. */
const END_LIMIT_MS = 5000;

export interface CardSetup {
  factory: NicDeviceFactory;
  port: EthernetPort;
}

export interface MachineSetup {
  executor: Executor;
  packages: GuestPackages;
  bootFiles: BootFiles;
  cards: readonly CardSetup[];
  /** folder for sockets and logs; its path must be short (a socket's path has at most 107 characters) */
  runFolder: string;
  /** the guest must have said hello by then */
  bootTimeoutMs: number;
  signal?: AbortSignal;
  iommu?: boolean;
}

/** A guest from start to end. */
export class Machine {
  readonly executor: GuestExecutor;
  readonly kernelRelease: string;

  private constructor(
    readonly agent: AgentClient,
    kernelRelease: string,
    private readonly qemu: BackgroundProgram,
    private readonly slots: readonly CardSlot[],
    private readonly ram: RamFile,
    private readonly runFolder: string,
    private readonly agentServer: Server,
  ) {
    this.executor = new GuestExecutor(agent);
    this.kernelRelease = kernelRelease;
  }

  /** Boots a guest. Whatever fails, nothing is left running. */
  static async start(setup: MachineSetup): Promise<Machine> {
    const { runFolder } = setup;
    await mkdir(runFolder, { recursive: true });
    const path = (name: string): string => join(runFolder, name);
    for (const name of ['agent.sock', 'console.log', 'qemu.log', 'qmp.sock']) {
      await rm(path(name), { force: true });
    }
    const slots: CardSlot[] = [];
    const agentServer = createServer();
    let qemu: BackgroundProgram | undefined;
    const ram = new RamFile(runFolder, MEMORY_MEGABYTES * 1024 * 1024, setup.iommu === true);
    try {
      for (const [index, card] of setup.cards.entries()) {
        const slot = new CardSlot(path(`card${index}.sock`), card.factory, card.port, ram);
        await slot.listen();
        slots.push(slot);
      }
      const connection = acceptOne(agentServer, path('agent.sock'));
      await connection.listening;
      const command = qemuCommand({
        packages: setup.packages,
        ...setup.bootFiles,
        memoryMegabytes: MEMORY_MEGABYTES,
        ramPath: ram.path,
        cardSockets: slots.map((slot) => slot.socketPath),
        agentSocket: path('agent.sock'),
        consoleLog: path('console.log'),
        controlSocket: path('qmp.sock'),
        iommu: setup.iommu === true,
      });
      const diesWithUs = (await setup.executor.exists(SETPRIV)) ? [SETPRIV, '--pdeathsig', 'KILL', '--'] : [];
      qemu = await startBackground([...diesWithUs, ...command], {
        logPath: path('qemu.log'),
        detached: false,
        env: qemuEnvironment(setup.packages),
      });
      const boot = bootLimits(qemu, setup);
      try {
        const agent = new AgentClient(await Promise.race([connection.socket, boot.failed]), 'the guest');
        const release = await Promise.race([agent.hello, boot.failed]);
        ram.unlink();
        return new Machine(agent, release, qemu, slots, ram, runFolder, agentServer);
      } finally {
        boot.release();
      }
    } catch (thrown) {
      qemu?.kill('SIGKILL');
      await qemu?.ended;
      for (const slot of slots) await slot.close();
      ram.close();
      agentServer.close();
      throw await withLogs(thrown, runFolder);
    }
  }

  get qemuPid(): number {
    return this.qemu.pid;
  }

  /** Settles when QEMU has ended, for whatever reason. */
  get ended(): Promise<unknown> {
    return this.qemu.ended;
  }

  /** Traffic of each card. */
  get counts(): SlotCounts[] {
    return this.slots.map((slot) => ({ ...slot.counts }));
  }

  /** What the guest's kernel has written to its console. */
  async console(): Promise<string> {
    return readFile(join(this.runFolder, 'console.log'), 'utf8').catch(() => '');
  }

  /** Ends the guest and all that belongs to it; harmless when it has ended. */
  async stop(): Promise<void> {
    this.qemu.kill('SIGTERM');
    const timer = setTimeout(() => this.qemu.kill('SIGKILL'), END_LIMIT_MS);
    await this.qemu.ended;
    clearTimeout(timer);
    this.agent.close();
    for (const slot of this.slots) await slot.close();
    this.ram.close();
    await new Promise<void>((resolve) => this.agentServer.close(() => resolve()));
    for (const name of ['agent.sock', 'qmp.sock']) await rm(join(this.runFolder, name), { force: true });
  }
}

function acceptOne(server: Server, path: string): { listening: Promise<void>; socket: Promise<Socket> } {
  const socket = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const listening = new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  return { listening, socket };
}

function bootLimits(
  qemu: BackgroundProgram,
  setup: MachineSetup,
): { failed: Promise<never>; release: () => void } {
  let release = (): void => undefined;
  const failed = new Promise<never>((_resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new ContentError(`the guest did not come up within ${setup.bootTimeoutMs / 1000} s`));
    }, setup.bootTimeoutMs);
    const onAbort = (): void => reject(new DOMException('aborted', 'AbortError'));
    setup.signal?.addEventListener('abort', onAbort, { once: true });
    void qemu.ended.then(({ exitCode, signal }) => {
      reject(new ContentError(`QEMU ended before the guest was up (${signal ?? `exit code ${exitCode}`})`));
    });
    release = (): void => {
      clearTimeout(timer);
      setup.signal?.removeEventListener('abort', onAbort);
    };
  });
  failed.catch(() => undefined);
  return { failed, release };
}

/** Adds what QEMU and the guest's kernel said last to an error about them. */
async function withLogs(thrown: unknown, runFolder: string): Promise<unknown> {
  if (!(thrown instanceof ContentError)) return thrown;
  const said: string[] = [];
  for (const name of ['qemu.log', 'console.log']) {
    const text = await readFile(join(runFolder, name), 'utf8').catch(() => '');
    if (text.trim() !== '') said.push(`${name}: ${tail(text)}`);
  }
  return new ContentError([thrown.message, ...said].join('\n'), { cause: thrown });
}
