// SPDX-License-Identifier: Apache-2.0
import type { Interfaces } from '@oclif/core';
import { EXIT, UsageError } from '../errors/errors.js';
import { classify } from './classify.js';
import { formatEnvelope, formatError, makeEnvelope } from './envelope.js';
import { findOwnCommand, leadingWords, loadOwnCommand } from './own-command.js';
import { makeRunConfig, packageRoot, packageVersion } from './run-config.js';
import { endQuietlyOnClosedPipe, writeErr, writeOut } from './terminal.js';
import { unknownCommand } from './unknown-command.js';

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

/**
 * Finds the command and runs it. One of ours is run without oclif's machinery; help, plugins and what is no command of ours
 * get it. Help for a topic, for `help NAME` and for `--help` takes one way, and --json is honoured on all of them.
 */
async function dispatch(argv: readonly string[], root: string): Promise<void> {
  const end = argv.indexOf('--');
  const beforeEnd = end === -1 ? argv : argv.slice(0, end);
  const isHelp = argv[0] === 'help' || beforeEnd.includes('--help');
  const asked = argv[0] === 'help' ? argv.slice(1) : argv;
  const names = leadingWords(asked);
  const own = findOwnCommand(names);
  if (own && !isHelp) {
    const command = await loadOwnCommand(own);
    await command.run(argv.slice(own.words.length), makeRunConfig(root));
    return;
  }
  if (own) {
    const { helpConfig } = await import('./help-config.js');
    return showHelp(await helpConfig(own, root), asked);
  }
  const { loadConfig } = await import('./load-config.js');
  const config = await loadConfig(root);
  if (isHelp || argv.every((word) => word === '--json')) return showHelp(config, asked);
  let length = names.length;
  while (length > 0 && !config.findCommand(names.slice(0, length).join(':'))) length--;
  if (length > 0) {
    await config.runCommand(names.slice(0, length).join(':'), argv.slice(length));
    return;
  }
  if (names.length === 0)
    throw new UsageError(`unknown flag ${argv[0]}`, { suggestions: ['homa-nic --help'] });
  const id = names.join(':');
  if (config.findTopic(id)) return showHelp(config, argv);
  throw unknownCommand(id, config);
}

async function showHelp(config: Interfaces.Config, argv: readonly string[]): Promise<void> {
  const { default: Help } = await import('./help.js');
  await new Help(config).showHelp([...argv]);
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
    await dispatch(argv, root);
  } catch (thrown) {
    await reportOutside(thrown, argv, root);
  }
}

/** Entry of the command line: runs the command named in process.argv and sets the exit code. */
export async function main(options: { development?: boolean } = {}): Promise<void> {
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
