// SPDX-License-Identifier: Apache-2.0
// Programs that go on running while others are asked for: QEMU, and the supervisor of the guest.
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { noSuchProgram } from './failures.js';

export interface BackgroundProgram {
  readonly pid: number;
  /** Settles when it has ended; never rejects. */
  readonly ended: Promise<{ exitCode: number | null; signal: string | null }>;
  kill(signal: NodeJS.Signals): void;
}

/**
 * Starts a program whose output goes to the end of `logPath`. A detached one survives us; another is killed with us
 * where the system has setpriv. Throws `MissingError` when there is no such program.
 */
export async function startBackground(
  argv: readonly string[],
  options: { logPath: string; detached: boolean; env?: Readonly<Record<string, string>> },
): Promise<BackgroundProgram> {
  const log = openSync(options.logPath, 'a');
  try {
    const child = spawn(argv[0]!, argv.slice(1), {
      stdio: ['ignore', log, log],
      detached: options.detached,
      ...(options.env ? { env: { ...inherited(), ...options.env } } : {}),
    });
    const ended = new Promise<{ exitCode: number | null; signal: string | null }>((resolve) => {
      child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }));
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', () => reject(noSuchProgram(argv[0]!, 'this machine')));
    });
    if (options.detached) child.unref();
    return { pid: child.pid!, ended, kill: (signal) => void child.kill(signal) };
  } finally {
    closeSync(log);
  }
}

/** The environment a child gets when nothing is said; spelled out only because `env` replaces it. */
function inherited(): NodeJS.ProcessEnv {
  // eslint-disable-next-line no-restricted-syntax -- handed on to a child unread
  return process.env;
}

/** The command line of a process, its words separated by blanks; undefined when there is no such process. */
export function commandLineOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return text === '' ? undefined : text.replaceAll('\0', ' ').trimEnd();
  } catch {
    return undefined;
  }
}

/** Ends a process that belongs to us, as `mark` in its command line shows; first by asking. True when it is gone. */
export async function endProcess(pid: number, mark: string, limitMs: number): Promise<boolean> {
  const isOurs = (): boolean => commandLineOf(pid)?.includes(mark) === true;
  const deadline = Date.now() + limitMs;
  for (const [signal, until] of [
    ['SIGTERM', deadline - limitMs / 2],
    ['SIGKILL', deadline],
  ] as const) {
    if (!isOurs()) return true;
    try {
      process.kill(pid, signal);
    } catch {
      return true;
    }
    while (isOurs() && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return !isOurs();
}
