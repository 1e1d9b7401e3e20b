// SPDX-License-Identifier: Apache-2.0
import { connect } from 'node:net';
import { MissingError } from '../errors/errors.js';
import { AgentClient } from '../exec/agent-client.js';
import { GuestExecutor } from '../exec/guest-executor.js';
import { type RunState, controlSocketOf, runFolderOf, runningGuest } from './run-state.js';

/** A door to the guest that runs; `close` it when done. */
export interface GuestConnection {
  executor: GuestExecutor;
  state: RunState;
  /** asks the supervisor (see supervisor.ts) */
  ask(question: unknown, timeoutMs?: number): Promise<unknown>;
  close(): void;
}

const ASK_TIMEOUT_MS = 10_000;

/** Connects to the guest of this user. Throws `MissingError` when none runs. */
export async function connectToGuest(cacheFolder: string): Promise<GuestConnection> {
  const runFolder = runFolderOf(cacheFolder);
  const state = await runningGuest(runFolder);
  const none = new MissingError('no guest is running', {
    code: 'vm_missing',
    suggestions: ['homa-nic vm start'],
  });
  if (!state) throw none;
  const socket = connect(controlSocketOf(runFolder));
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', () => reject(none));
  });
  const agent = new AgentClient(socket, 'the guest');
  return {
    executor: new GuestExecutor(agent),
    state,
    ask: (question, timeoutMs = ASK_TIMEOUT_MS) => agent.request(question, timeoutMs),
    close: () => agent.close(),
  };
}
