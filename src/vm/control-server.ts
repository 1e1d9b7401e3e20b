// SPDX-License-Identifier: Apache-2.0
// The door of a running guest: any number of clients start programs in it through the one agent, and ask the
// supervisor about it.
import { rm } from 'node:fs/promises';
import { type Server, type Socket, createServer } from 'node:net';
import type { AgentChannel, AgentClient } from '../exec/agent-client.js';
import { AgentFrame, FrameReader, encodeFrame } from '../exec/agent-protocol.js';

const SIGKILL = 9;

/** Answers a question of a client; what it throws goes to the client as `{error}`. */
export type Responder = (question: unknown) => Promise<unknown>;

/** Serves clients at `path`. A client that leaves takes the programs it started with it. */
export class ControlServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(
    private readonly path: string,
    private readonly agent: AgentClient,
    private readonly respond: Responder,
  ) {
    this.#server = createServer((socket) => this.#serve(socket));
  }

  async listen(): Promise<void> {
    await rm(this.path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.path, resolve);
    });
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await rm(this.path, { force: true });
  }

  #serve(socket: Socket): void {
    const reader = new FrameReader();
    const programs = new Map<number, AgentChannel>();
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      for (const program of programs.values()) {
        program.send(AgentFrame.kill, Uint8Array.of(SIGKILL));
        program.close();
      }
    });
    const answer = (id: number, reply: unknown): void => {
      if (!socket.destroyed) {
        socket.write(encodeFrame(AgentFrame.reply, id, Buffer.from(JSON.stringify(reply ?? null))));
      }
    };
    socket.on('data', (chunk: Buffer) => {
      let frames;
      try {
        frames = reader.push(chunk);
      } catch {
        socket.destroy();
        return;
      }
      for (const { type, id, bytes } of frames) {
        if (type === AgentFrame.request) {
          const question = parseQuestion(bytes);
          this.respond(question).then(
            (reply) => answer(id, reply),
            (thrown: unknown) => answer(id, { error: thrown instanceof Error ? thrown.message : 'failed' }),
          );
          continue;
        }
        if (type === AgentFrame.exec) programs.set(id, this.#open(socket, id, programs));
        if (type < AgentFrame.hello) programs.get(id)?.send(type as AgentFrame, bytes);
      }
    });
  }

  #open(socket: Socket, id: number, programs: Map<number, AgentChannel>): AgentChannel {
    const channel = this.agent.channel((type, bytes) => {
      if (!socket.destroyed) socket.write(encodeFrame(type as AgentFrame, id, bytes));
      if (type === AgentFrame.exit || type === AgentFrame.noStart) {
        programs.delete(id);
        channel.close();
      }
    });
    return channel;
  }
}

function parseQuestion(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}
