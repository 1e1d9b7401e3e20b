// SPDX-License-Identifier: Apache-2.0
// Messages of the vfio-user protocol: 16 bytes of head (id, command, size with head, flags, errno), then the body. All
// integers are little-endian.

export const Command = {
  version: 1,
  dmaMap: 2,
  dmaUnmap: 3,
  deviceInfo: 4,
  regionInfo: 5,
  regionIoFds: 6,
  irqInfo: 7,
  setIrqs: 8,
  regionRead: 9,
  regionWrite: 10,
  dmaRead: 11,
  dmaWrite: 12,
  reset: 13,
  dirtyPages: 14,
  regionWriteMulti: 15,
} as const;
export type Command = (typeof Command)[keyof typeof Command];

export const MessageFlag = { reply: 0x1, noReply: 0x10, error: 0x20 } as const;

/** Linux error numbers that replies carry. */
export const Errno = { invalid: 22, notSupported: 95 } as const;

export const HEAD_BYTES = 16;
/** Longest message either side may send: the largest transfer QEMU is told of, and its heads. */
export const MAX_MESSAGE_BYTES = (1 << 20) + 4096;

export interface Message {
  id: number;
  command: number;
  flags: number;
  errno: number;
  body: Buffer;
}

export function isReply(message: Message): boolean {
  return (message.flags & MessageFlag.reply) !== 0;
}

export function encodeMessage(
  id: number,
  command: number,
  flags: number,
  body: Uint8Array,
  errno = 0,
): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + body.length);
  bytes.writeUInt16LE(id, 0);
  bytes.writeUInt16LE(command, 2);
  bytes.writeUInt32LE(bytes.length, 4);
  bytes.writeUInt32LE(flags, 8);
  bytes.writeUInt32LE(errno, 12);
  bytes.set(body, HEAD_BYTES);
  return bytes;
}

/** Cuts a byte stream into messages. */
export class MessageReader {
  #rest: Buffer = Buffer.alloc(0);

  /** Takes the next bytes, returns the messages they complete. Throws `RangeError` when a size is impossible. */
  push(chunk: Buffer): Message[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const messages: Message[] = [];
    let at = 0;
    while (bytes.length - at >= HEAD_BYTES) {
      const size = bytes.readUInt32LE(at + 4);
      if (size < HEAD_BYTES || size > MAX_MESSAGE_BYTES) throw new RangeError(`a message of ${size} bytes`);
      if (bytes.length - at < size) break;
      messages.push({
        id: bytes.readUInt16LE(at),
        command: bytes.readUInt16LE(at + 2),
        flags: bytes.readUInt32LE(at + 8),
        errno: bytes.readUInt32LE(at + 12),
        body: bytes.subarray(at + HEAD_BYTES, at + size),
      });
      at += size;
    }
    this.#rest = bytes.subarray(at);
    return messages;
  }
}
