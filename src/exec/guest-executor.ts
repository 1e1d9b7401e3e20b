// SPDX-License-Identifier: Apache-2.0
import { ContentError } from '../errors/errors.js';
import type { AgentClient } from './agent-client.js';
import type { Executor, RunOptions, RunOutcome } from './executor.js';

/** Runs programs in the guest, through its agent. Files go through the guest's own `cat`, as bytes. */
export class GuestExecutor implements Executor {
  readonly place = 'the guest';

  constructor(private readonly agent: AgentClient) {}

  run(argv: readonly string[], options: RunOptions = {}): Promise<RunOutcome> {
    return this.agent.run(argv, options);
  }

  async readFile(path: string): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    const onOutput = (stream: string, bytes: Uint8Array): void => {
      if (stream === 'stdout') parts.push(Uint8Array.from(bytes));
    };
    const outcome = await this.agent.run(['cat', path], { onOutput });
    if (outcome.exitCode !== 0) throw new ContentError(`the guest: ${outcome.stderr.trim() || path}`);
    return Buffer.concat(parts);
  }

  async writeFile(path: string, bytes: Uint8Array | string, mode?: number): Promise<void> {
    const setMode = mode === undefined ? '' : ` && chmod ${mode.toString(8)} "$1"`;
    const outcome = await this.agent.run(['sh', '-c', `cat > "$1"${setMode}`, 'sh', path], { stdin: bytes });
    if (outcome.exitCode !== 0) throw new ContentError(`the guest: ${outcome.stderr.trim() || path}`);
  }

  async exists(path: string): Promise<boolean> {
    return (await this.agent.run(['test', '-e', path])).exitCode === 0;
  }
}
