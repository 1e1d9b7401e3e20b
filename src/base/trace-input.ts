// SPDX-License-Identifier: Apache-2.0
// Where the bytes of a trace come from: files or standard input. Found and opened before any work.
import { closeSync, fstatSync, openSync, readSync, createReadStream, type Stats } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { isatty } from 'node:tty';
import { UsageError } from '../errors/errors.js';
import { systemErrorWords } from './classify.js';
import { showPath } from './shown-path.js';

const CHUNK_BYTES = 64 * 1024;
/** Between two looks at the event loop; Ctrl-C is seen this often. */
const TURN_MS = 10;

/** One opened input. */
export interface TraceInput {
  /** Name for messages: the path as it is shown, or `stdin`. */
  name: string;
  /** Path as it was given; undefined for standard input. */
  path: string | undefined;
  /** Size when it is a plain file. */
  sizeBytes: number | undefined;
  fd: number;
  isPipe: boolean;
}

function open(path: string): TraceInput {
  const name = showPath(path).replace(/^\.\//, '');
  let fd: number;
  let stats: Stats;
  try {
    fd = openSync(path, 'r');
    stats = fstatSync(fd);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new UsageError(`cannot read ${name}: ${systemErrorWords(code)}`, {
      code: 'missing_input',
      suggestions: ['homa-nic perf --parse', 'homa-nic parse --help'],
      cause: error,
    });
  }
  if (stats.isDirectory()) {
    closeSync(fd);
    throw new UsageError(`cannot read ${name}: it is a folder`, {
      code: 'missing_input',
      suggestions: [`homa-nic parse ${name.replace(/\/$/, '')}/*.tt`],
    });
  }
  return { name, path, ...shape(stats), fd };
}

function shape(stats: Stats): Pick<TraceInput, 'sizeBytes' | 'isPipe'> {
  return { sizeBytes: stats.isFile() ? stats.size : undefined, isPipe: stats.isFIFO() };
}

function standardInput(): TraceInput {
  let stats: Stats | undefined;
  try {
    stats = fstatSync(0);
  } catch {
    // closed: the same as nothing to read
  }
  if (stats === undefined || isatty(0) || stats.isCharacterDevice()) {
    throw new UsageError('no trace to read: name a file, or pipe one in', {
      code: 'no_input',
      suggestions: ['homa-nic parse FILE', 'homa-nic perf --parse'],
    });
  }
  return { name: 'stdin', path: undefined, ...shape(stats), fd: 0 };
}

/**
 * Opens the inputs: each path, `-` being standard input, or standard input when there is no path. Throws a UsageError
 * for what cannot be read, and for standard input that is a terminal or /dev/null.
 */
export function openTraceInputs(paths: readonly string[]): TraceInput[] {
  if (paths.length === 0) return [standardInput()];
  return paths.map((path) => (path === '-' ? standardInput() : open(path)));
}

/**
 * What is no plain file, as a stream. A pipe is a socket to Node, whose read can be given up: one in a thread of its own
 * would hold the process until the writer says something. Standard input is Node's already, and does not block any more.
 */
function streamOf({ fd, isPipe }: TraceInput): Readable {
  if (fd === 0) return process.stdin;
  if (isPipe) return new Socket({ fd, readable: true, writable: false });
  return createReadStream('', { fd, highWaterMark: CHUNK_BYTES });
}

/**
 * Hands the bytes of an input to `take`, chunk by chunk; the buffer is used again. Stops early when `signal` is
 * aborted. Returns the number of bytes read.
 */
export async function readTraceInput(
  input: TraceInput,
  take: (chunk: Uint8Array, readBytes: number) => void,
  signal: AbortSignal,
): Promise<number> {
  let read = 0;
  if (input.sizeBytes === undefined) {
    // A pipe may stay silent for long; only an asynchronous read leaves Ctrl-C alive meanwhile.
    const stream = streamOf(input);
    const stop = (): void => void stream.destroy();
    signal.addEventListener('abort', stop);
    try {
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        read += chunk.length;
        take(chunk, read);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      signal.removeEventListener('abort', stop);
    }
    return read;
  }
  // Plain files are read synchronously: twice as fast as through a stream.
  const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  let turnAt = Date.now() + TURN_MS;
  for (;;) {
    const length = readSync(input.fd, buffer, 0, CHUNK_BYTES, null);
    if (length === 0) break;
    read += length;
    take(buffer.subarray(0, length), read);
    if (Date.now() < turnAt) continue;
    await new Promise((resolve) => setImmediate(resolve));
    if (signal.aborted) break;
    turnAt = Date.now() + TURN_MS;
  }
  if (input.fd !== 0) closeSync(input.fd);
  return read;
}
