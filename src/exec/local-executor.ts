// SPDX-License-Identifier: Apache-2.0
import { access, chmod, readFile, writeFile } from 'node:fs/promises';
import { constants as osConstants } from 'node:os';
import { execa } from 'execa';
import { InterruptedError } from '../errors/errors.js';
import type { Executor, RunOptions, RunOutcome } from './executor.js';
import { noSuchProgram, timeoutError } from './failures.js';

/** How long a program may take to end after it was asked to. */
const KILL_AFTER_MS = 2000;
/** After SIGINT, how long an interruptible program may go on. */
const END_AFTER_INTERRUPT_MS = 5000;

/** Runs programs on this machine. */
export class LocalExecutor implements Executor {
  readonly place = 'this machine';

  async run(argv: readonly string[], options: RunOptions = {}): Promise<RunOutcome> {
    const [program, ...rest] = argv;
    if (options.signal?.aborted) throw new InterruptedError();
    const child = execa(program!, rest, {
      reject: false,
      encoding: 'buffer',
      stripFinalNewline: false,
      maxBuffer: 256 * 1024 * 1024,
      forceKillAfterDelay: KILL_AFTER_MS,
      ...(options.stdin === undefined ? { stdin: 'ignore' as const } : { input: options.stdin }),
      ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
      ...(options.signal && !options.interruptible ? { cancelSignal: options.signal } : {}),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.env ? { env: options.env } : {}),
    });
    const { onOutput } = options;
    if (onOutput) {
      child.stdout?.on('data', (bytes: Uint8Array) => onOutput('stdout', bytes));
      child.stderr?.on('data', (bytes: Uint8Array) => onOutput('stderr', bytes));
    }
    const interrupt = (): void => {
      child.kill('SIGINT');
      setTimeout(() => child.kill('SIGKILL'), END_AFTER_INTERRUPT_MS).unref();
    };
    if (options.interruptible) options.signal?.addEventListener('abort', interrupt, { once: true });
    const ended = await child;
    options.signal?.removeEventListener('abort', interrupt);
    if (ended.timedOut) throw timeoutError(argv, options.timeoutMs ?? 0, this.place);
    if (ended.isCanceled) throw new InterruptedError();
    if (ended.exitCode === undefined && ended.signal === undefined) {
      const code = (ended.cause as NodeJS.ErrnoException | undefined)?.code;
      if (code === 'ENOENT' || code === 'EACCES') throw noSuchProgram(program!, this.place);
      throw ended.cause instanceof Error ? ended.cause : new Error(`${program} could not be started`);
    }
    const signalNumber = ended.signal === undefined ? 0 : (osConstants.signals[ended.signal] ?? 0);
    return {
      exitCode: ended.exitCode ?? 128 + signalNumber,
      stdout: Buffer.from(ended.stdout ?? []).toString('utf8'),
      stderr: Buffer.from(ended.stderr ?? []).toString('utf8'),
    };
  }

  readFile(path: string): Promise<Uint8Array> {
    return readFile(path);
  }

  async writeFile(path: string, bytes: Uint8Array | string, mode?: number): Promise<void> {
    await writeFile(path, bytes);
    if (mode !== undefined) await chmod(path, mode);
  }

  async exists(path: string): Promise<boolean> {
    try {
      await access(path);
      return true;
    } catch {
      return false;
    }
  }
}
