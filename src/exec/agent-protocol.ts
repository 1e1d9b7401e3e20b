// SPDX-License-Identifier: Apache-2.0
// Frames between the host and the agent in the guest: type, id, length (32 bits each, little-endian), then the bytes.
// `id` names one program run; whoever starts it chooses it. The C side is app/guest/agent.c.

/** Frame types. Below 16 to the guest, from 16 to the host, from 64 to and from the supervisor of the guest. */
export const AgentFrame = {
  exec: 1,
  stdin: 2,
  stdinEnd: 3,
  kill: 4,
  hello: 16,
  stdout: 17,
  stderr: 18,
  exit: 19,
  noStart: 20,
  request: 64,
  reply: 65,
} as const;
export type AgentFrame = (typeof AgentFrame)[keyof typeof AgentFrame];

export interface Frame {
  type: number;
  id: number;
  bytes: Uint8Array;
}

const HEAD_BYTES = 12;
/** Longest payload a frame may have; the agent drops what is longer. */
export const MAX_FRAME_BYTES = 1 << 20;

export function encodeFrame(type: AgentFrame, id: number, bytes: Uint8Array = new Uint8Array(0)): Buffer {
  const frame = Buffer.alloc(HEAD_BYTES + bytes.length);
  frame.writeUInt32LE(type, 0);
  frame.writeUInt32LE(id, 4);
  frame.writeUInt32LE(bytes.length, 8);
  frame.set(bytes, HEAD_BYTES);
  return frame;
}

/** Payload of an exec frame: folder, number of variables, variables, argv; each ended by NUL. */
export function encodeExec(
  argv: readonly string[],
  folder: string,
  env: Readonly<Record<string, string>>,
): Buffer {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const words = [folder, String(variables.length), ...variables, ...argv];
  return Buffer.from(words.map((word) => `${word}\0`).join(''));
}

/** Cuts a byte stream into frames. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** Takes the next bytes of the stream, returns the frames they complete. Throws `RangeError` on an impossible length. */
  push(chunk: Uint8Array): Frame[] {
    this.#rest = this.#rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#rest, chunk]);
    const frames: Frame[] = [];
    let at = 0;
    while (this.#rest.length - at >= HEAD_BYTES) {
      const length = this.#rest.readUInt32LE(at + 8);
      if (length > MAX_FRAME_BYTES) throw new RangeError(`a frame of ${length} bytes`);
      if (this.#rest.length - at < HEAD_BYTES + length) break;
      frames.push({
        type: this.#rest.readUInt32LE(at),
        id: this.#rest.readUInt32LE(at + 4),
        bytes: this.#rest.subarray(at + HEAD_BYTES, at + HEAD_BYTES + length),
      });
      at += HEAD_BYTES + length;
    }
    this.#rest = this.#rest.subarray(at);
    return frames;
  }
}
