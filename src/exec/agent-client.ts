// SPDX-License-Identifier: Apache-2.0
// Speaks the agent protocol over one stream: starts programs in the guest, and asks its supervisor questions.
import type { Duplex } from 'node:stream';
import { ContentError, InterruptedError, MissingError } from '../errors/errors.js';
import { AgentFrame, FrameReader, MAX_FRAME_BYTES, encodeExec, encodeFrame } from './agent-protocol.js';
import type { RunOptions, RunOutcome } from './executor.js';
import { noSuchProgram, timeoutError } from './failures.js';

const SIGINT = 2;
const SIGKILL = 9;
const ENOENT = 2;
const EACCES = 13;
/** After the kill, how long the agent may take to say that the program has ended. */
const END_AFTER_KILL_MS = 5000;

/** See `AgentClient.channel`. */
export interface AgentChannel {
  send(type: AgentFrame, bytes: Uint8Array): void;
  close(): void;
}

/** After SIGINT, how long an interruptible program may go on. */
const END_AFTER_INTERRUPT_MS = 5000;

interface Waiting {
  /** sees every frame before it is told apart */
  frame(type: number, bytes: Uint8Array): void;
  output(stream: 'stdout' | 'stderr', bytes: Uint8Array): void;
  exit(code: number): void;
  noStart(errno: number): void;
  reply(bytes: Uint8Array): void;
  lost(error: Error): void;
}

const IGNORED: Waiting = {
  frame: () => undefined,
  output: () => undefined,
  exit: () => undefined,
  noStart: () => undefined,
  reply: () => undefined,
  lost: () => undefined,
};

/** One connection to an agent, or to the supervisor that stands before it. */
export class AgentClient {
  readonly #reader = new FrameReader();
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #lost: Error | undefined;
  #resolveHello: (release: string) => void = () => undefined;
  #rejectHello: (error: Error) => void = () => undefined;
  /** The kernel release the agent announced; rejects when the stream ends first. */
  readonly hello: Promise<string>;

  constructor(
    private readonly stream: Duplex,
    private readonly place: string,
  ) {
    this.hello = new Promise((resolve, reject) => {
      this.#resolveHello = resolve;
      this.#rejectHello = reject;
    });
    this.hello.catch(() => undefined);
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    stream.on('error', () => undefined);
    stream.on('close', () => this.#end(new MissingError(`${this.place} has gone`, { code: 'vm_gone' })));
  }

  close(): void {
    this.stream.destroy();
  }

  /** As `Executor.run`. */
  async run(argv: readonly string[], options: RunOptions = {}): Promise<RunOutcome> {
    if (options.signal?.aborted) throw new InterruptedError();
    if (this.#lost) throw this.#lost;
    const parts: { stdout: Uint8Array[]; stderr: Uint8Array[] } = { stdout: [], stderr: [] };
    const id = this.#nextId++;
    let stop: Error | undefined;
    const timers: NodeJS.Timeout[] = [];
    let onAbort: (() => void) | undefined;
    try {
      const exitCode = await new Promise<number>((resolve, reject) => {
        this.#waiting.set(id, {
          ...IGNORED,
          output: (stream, bytes) => {
            parts[stream].push(Uint8Array.from(bytes));
            options.onOutput?.(stream, bytes);
          },
          exit: (code) => (stop ? reject(stop) : resolve(code)),
          noStart: (errno) => reject(this.#startError(argv[0]!, errno)),
          lost: reject,
        });
        const kill = (why: Error): void => {
          stop ??= why;
          this.#send(AgentFrame.kill, id, Uint8Array.of(SIGKILL));
          timers.push(setTimeout(() => reject(why), END_AFTER_KILL_MS));
        };
        this.#send(AgentFrame.exec, id, encodeExec(argv, options.cwd ?? '/', options.env ?? {}));
        this.#sendStdin(id, options.stdin ?? '');
        const { timeoutMs } = options;
        if (timeoutMs !== undefined) {
          timers.push(setTimeout(() => kill(timeoutError(argv, timeoutMs, this.place)), timeoutMs));
        }
        onAbort = (): void => {
          if (options.interruptible) {
            this.#send(AgentFrame.kill, id, Uint8Array.of(SIGINT));
            timers.push(setTimeout(() => kill(new InterruptedError()), END_AFTER_INTERRUPT_MS));
          } else {
            kill(new InterruptedError());
          }
        };
        options.signal?.addEventListener('abort', onAbort, { once: true });
      });
      const text = (chunks: Uint8Array[]): string => Buffer.concat(chunks).toString('utf8');
      return { exitCode, stdout: text(parts.stdout), stderr: text(parts.stderr) };
    } finally {
      this.#waiting.delete(id);
      for (const timer of timers) clearTimeout(timer);
      if (onAbort) options.signal?.removeEventListener('abort', onAbort);
    }
  }

  /** A raw exchange of frames under an id of its own, for who stands between a client and the agent. */
  channel(onFrame: (type: number, bytes: Uint8Array) => void): AgentChannel {
    const id = this.#nextId++;
    this.#waiting.set(id, { ...IGNORED, frame: onFrame });
    return {
      send: (type, bytes) => this.#send(type, id, bytes),
      close: () => void this.#waiting.delete(id),
    };
  }

  /** Asks the supervisor; the agent itself answers no requests. */
  async request(question: unknown, timeoutMs: number): Promise<unknown> {
    if (this.#lost) throw this.#lost;
    const id = this.#nextId++;
    let timer: NodeJS.Timeout | undefined;
    try {
      const bytes = await new Promise<Uint8Array>((resolve, reject) => {
        this.#waiting.set(id, { ...IGNORED, reply: resolve, lost: reject });
        this.#send(AgentFrame.request, id, Buffer.from(JSON.stringify(question)));
        timer = setTimeout(
          () => reject(new ContentError(`${this.place} gave no answer within ${timeoutMs / 1000} s`)),
          timeoutMs,
        );
      });
      return JSON.parse(Buffer.from(bytes).toString('utf8'));
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  #startError(program: string, errno: number): Error {
    if (errno === ENOENT || errno === EACCES) return noSuchProgram(program, this.place);
    return new ContentError(`${program} could not be started on ${this.place} (errno ${errno})`);
  }

  #sendStdin(id: number, stdin: Uint8Array | string): void {
    const bytes = typeof stdin === 'string' ? Buffer.from(stdin) : stdin;
    const step = MAX_FRAME_BYTES / 4;
    for (let at = 0; at < bytes.length; at += step) {
      this.#send(AgentFrame.stdin, id, bytes.subarray(at, at + step));
    }
    this.#send(AgentFrame.stdinEnd, id);
  }

  #send(type: AgentFrame, id: number, bytes?: Uint8Array): void {
    if (!this.stream.destroyed) this.stream.write(encodeFrame(type, id, bytes));
  }

  #take(chunk: Buffer): void {
    let frames;
    try {
      frames = this.#reader.push(chunk);
    } catch {
      this.stream.destroy();
      return;
    }
    for (const { type, id, bytes } of frames) {
      if (type === AgentFrame.hello) this.#resolveHello(Buffer.from(bytes).toString('utf8'));
      const waiting = this.#waiting.get(id);
      if (!waiting) continue;
      waiting.frame(type, bytes);
      const number = (): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
      if (type === AgentFrame.stdout) waiting.output('stdout', bytes);
      else if (type === AgentFrame.stderr) waiting.output('stderr', bytes);
      else if (type === AgentFrame.exit) waiting.exit(number());
      else if (type === AgentFrame.noStart) waiting.noStart(number());
      else if (type === AgentFrame.reply) waiting.reply(bytes);
    }
  }

  #end(error: Error): void {
    this.#lost = error;
    this.#rejectHello(error);
    for (const waiting of [...this.#waiting.values()]) waiting.lost(error);
  }
}
