// SPDX-License-Identifier: Apache-2.0
import type { Interfaces } from '@oclif/core';
import { Help } from '@oclif/core/help';
import { wantsJson } from './base-command.js';
import { formatEnvelope, makeEnvelope } from './envelope.js';
import { writeOut } from './terminal.js';
import { unknownCommand } from './unknown-command.js';

/** oclif's help, with --json honoured (the text is the result) and an unknown subject reported like an unknown command. */
export default class HomaNicHelp extends Help {
  #json = false;
  readonly #lines: string[] = [];

  constructor(config: Interfaces.Config, options?: Partial<Interfaces.HelpOptions>) {
    super(config, { hideAliasesFromRoot: true, ...options });
  }

  override async showHelp(argv: string[]): Promise<void> {
    this.#json = wantsJson(argv);
    const subject = argv.filter((word) => !word.startsWith('-'));
    if (subject.length > 0 && !this.#exists(subject)) throw unknownCommand(subject.join(' '), this.config);
    await super.showHelp(argv.filter((word) => word !== '--json'));
    if (!this.#json) return;
    const help = this.#lines.join('\n');
    await writeOut(formatEnvelope(makeEnvelope(subject.join(' ') || 'help', { result: { help } }, [])));
  }

  protected override log(...words: string[]): void {
    const text = words
      .join(' ')
      .split('\n')
      .map((line) => this.#fitted(line))
      .join('\n');
    if (this.#json) this.#lines.push(text);
    else super.log(text);
  }

  /** oclif wraps all but the first line of a help, which is the summary. */
  #fitted(line: string): string {
    return line.startsWith(' ') || line.startsWith('$') ? line : this.wrap(line, 0);
  }

  /** Do these words begin with a command (values of flags may follow), or are they a topic? */
  #exists(words: readonly string[]): boolean {
    const ids = words.map((_, i) => words.slice(0, i + 1).join(':'));
    return ids.some((id) => this.config.findCommand(id)) || this.config.findTopic(ids.at(-1)!) !== undefined;
  }
}
