// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT } from '../errors/errors.js';
import { classify } from './classify.js';
import { formatEnvelope, formatError, makeEnvelope } from './envelope.js';
import { endQuietlyOnClosedPipe, writeErr, writeOut } from './terminal.js';

/** Folder of the package: the one that holds package.json. */
export function packageRoot(): string {
  return dirname(dirname(dirname(fileURLToPath(import.meta.url))));
}

function packageVersion(root: string): string {
  const text = readFileSync(`${root}/package.json`, 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

async function printVersion(root: string, json: boolean): Promise<void> {
  const version = packageVersion(root);
  const line = `homa-nic/${version} ${process.platform}-${process.arch} node-${process.version}`;
  const result = { homaNic: version, node: process.version, platform: `${process.platform}-${process.arch}` };
  await writeOut(json ? formatEnvelope(makeEnvelope('--version', { result }, [])) : `${line}\n`);
}

/** An error from outside any command (an unknown command, a broken hook), in the form that was asked for. */
async function reportOutside(thrown: unknown, argv: readonly string[], root: string): Promise<void> {
  const failure = classify(thrown);
  process.exitCode = failure.exitCode;
  const command = argv.filter((word) => !word.startsWith('-')).join(' ');
  if (argv.includes('--json')) {
    await writeOut(formatEnvelope(makeEnvelope(command, { failure }, [], root)));
  } else {
    writeErr(formatError(failure, { version: packageVersion(root), packageRoot: root }));
  }
}

/** Runs one command line. Sets process.exitCode; throws nothing. Tests call it in-process. */
export async function runCli(argv: readonly string[]): Promise<void> {
  const root = packageRoot();
  process.exitCode = EXIT.ok;
  try {
    if (argv[0] === '--version') {
      await printVersion(root, argv.includes('--json'));
      return;
    }
    const { run } = await import('@oclif/core');
    await run([...argv], { root, devPlugins: false, userPlugins: false });
  } catch (thrown) {
    await reportOutside(thrown, argv, root);
  }
}

/** Entry of the command line: runs the command named in process.argv and sets the exit code. */
export async function main(_importUrl: string, options: { development?: boolean } = {}): Promise<void> {
  if (options.development) process.env['HOMA_NIC_DEBUG'] ??= '1';
  endQuietlyOnClosedPipe();
  const argv = process.argv.slice(2);
  const onBug = (thrown: unknown): void => {
    void reportOutside(thrown, argv, packageRoot()).then(() => process.exit());
  };
  process.on('uncaughtException', onBug);
  process.on('unhandledRejection', onBug);
  await runCli(argv);
}
