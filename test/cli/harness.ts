// SPDX-License-Identifier: Apache-2.0
// Runs command lines for tests: in this process (fast) or in one of their own (pipes, signals, exit codes).
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runCli } from '#src/base/main.js';

export interface Ran {
  stdout: string;
  stderr: string;
  exitCode: number;
}

export interface RunOptions {
  /** Added to the environment; undefined takes a variable away. */
  env?: Record<string, string | undefined>;
  /** Current folder of the command; the repository when left out. */
  cwd?: string;
}

export const REPOSITORY = process.cwd();

/** Settings of the machine must not reach the tests: no HOMA_NIC_* variable, no user configuration, UTF-8, 80 columns. */
const NEUTRAL: Record<string, string | undefined> = {
  XDG_CONFIG_HOME: '/nonexistent-homa-nic-config',
  LANG: 'C.UTF-8',
  LC_ALL: undefined,
  LC_CTYPE: undefined,
  NO_COLOR: '1',
  OCLIF_COLUMNS: '80',
};

function neutralEnvironment(added: RunOptions['env'] = {}): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('HOMA_NIC_'));
  const all = { ...Object.fromEntries(inherited), ...NEUTRAL, ...added };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** Runs a command line in this process and returns what it wrote. Not for two at a time. */
export async function runInProcess(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const saved = { env: process.env, exitCode: process.exitCode };
  const writes = { stdout: process.stdout.write, stderr: process.stderr.write };
  const texts = { stdout: '', stderr: '' };
  process.env = neutralEnvironment(options.env);
  if (options.cwd) process.chdir(options.cwd);
  for (const name of ['stdout', 'stderr'] as const) {
    process[name].write = ((chunk: string | Uint8Array): boolean => {
      texts[name] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
      return true;
    }) as typeof process.stdout.write;
  }
  try {
    await runCli(argv);
    return { ...texts, exitCode: Number(process.exitCode ?? 0) };
  } finally {
    process.stdout.write = writes.stdout;
    process.stderr.write = writes.stderr;
    process.env = saved.env;
    process.exitCode = saved.exitCode;
    process.chdir(REPOSITORY);
  }
}

export interface ProcessOptions extends RunOptions {
  /** Text for stdin; an empty closed stdin when left out. */
  input?: string;
  /** Called once, when this text has been seen on stderr or stdout. */
  when?: { seen: string; act: (kill: (signal: NodeJS.Signals) => void) => void };
}

/** Runs a program in a process of its own. */
export async function runProgram(
  file: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<Ran> {
  const child = spawn(file, args, {
    cwd: options.cwd ?? REPOSITORY,
    env: neutralEnvironment(options.env),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const texts = { stdout: '', stderr: '' };
  let acted = false;
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text;
      if (acted || !options.when || !texts[name].includes(options.when.seen)) return;
      acted = true;
      options.when.act((signal) => child.kill(signal));
    });
  }
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(code ?? (signal ? -1 : 0)));
  });
  return { ...texts, exitCode };
}

/** Runs homa-nic in a process of its own. */
export async function runHomaNic(argv: readonly string[], options: ProcessOptions = {}): Promise<Ran> {
  return runProgram(process.execPath, [join(REPOSITORY, 'bin', 'run.js'), ...argv], options);
}

/** Runs a line of shell, in which `$HOMA_NIC` is the command. */
export async function runShell(line: string, options: ProcessOptions = {}): Promise<Ran> {
  const command = `'${process.execPath}' '${join(REPOSITORY, 'bin', 'run.js')}'`;
  return runProgram('bash', ['-c', line.replaceAll('$HOMA_NIC', command)], options);
}

/** A new empty folder with these files in it; `remove` takes it away. */
export function makeFolder(files: Record<string, string | Uint8Array> = {}): {
  path: string;
  remove: () => void;
} {
  const path = mkdtempSync(join(tmpdir(), 'homa-nic-test-'));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), content);
  }
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
