// SPDX-License-Identifier: Apache-2.0
// The device side of vfio-user: QEMU connects, asks what the device is, forwards the guest's accesses and reaches guest
// memory for us. One connection in a server's life; QEMU does not reconnect.
import { type Server, type Socket, createServer } from 'node:net';
import { rm } from 'node:fs/promises';
import { BAR_BYTES, CONFIG_BYTES, ConfigSpace } from './config-space.js';
import {
  Command,
  Errno,
  type Message,
  MessageFlag,
  MessageReader,
  encodeMessage,
  isReply,
} from './message.js';
import { DmaChannel } from './dma-channel.js';
import type { RamFile } from './ram-file.js';

/** What the guest does to the card. */
export interface PciFunction {
  barWrite(offset: number, bytes: Uint8Array): void;
  /** Answers by `reply`, at once or later; until then the guest's processor waits. */
  barRead(offset: number, lengthBytes: number, reply: (bytes: Uint8Array) => void): void;
  /** Reset of the bus or of the function. */
  reset(): void;
  /** QEMU has gone. */
  disconnected(): void;
}

const Region = { bar0: 0, config: 7, count: 9 } as const;
const RegionFlag = { read: 1, write: 2 } as const;
const DeviceFlag = { reset: 1, pci: 2 } as const;
const Irq = { error: 3, count: 5 } as const;
const IRQ_EVENTFD = 1;
const REGION_HEAD_BYTES = 16;

/** Serves one PCI function on a unix socket. */
export class VfioUserServer {
  readonly config = new ConfigSpace();
  readonly #reader = new MessageReader();
  readonly #server: Server;
  #socket: Socket | undefined;
  #corked = false;
  readonly dma: DmaChannel;

  constructor(
    readonly path: string,
    private readonly card: PciFunction,
    ram: RamFile | undefined,
  ) {
    this.dma = new DmaChannel((bytes) => this.#send(bytes), ram);
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** Starts to listen; must be done before QEMU starts. */
  async listen(): Promise<void> {
    await rm(this.path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.path, resolve);
    });
  }

  /** Ends the connection and removes the socket. */
  async close(): Promise<void> {
    this.#socket?.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await rm(this.path, { force: true });
  }

  #accept(socket: Socket): void {
    if (this.#socket) {
      socket.destroy();
      return;
    }
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.dma.fail();
      this.card.disconnected();
    });
  }

  #take(chunk: Buffer): void {
    let messages: Message[];
    try {
      messages = this.#reader.push(chunk);
    } catch {
      this.#socket?.destroy();
      return;
    }
    for (const message of messages) {
      if (isReply(message)) this.dma.replied(message);
      else this.#request(message);
    }
  }

  /** Sends; all that is sent within one turn of the event loop leaves in one write. */
  #send(bytes: Uint8Array): void {
    const socket = this.#socket;
    if (!socket || socket.destroyed) return;
    if (!this.#corked) {
      this.#corked = true;
      socket.cork();
      process.nextTick(() => {
        this.#corked = false;
        socket.uncork();
      });
    }
    socket.write(bytes);
  }

  #reply(request: Message, body: Uint8Array): void {
    if (request.flags & MessageFlag.noReply) return;
    this.#send(encodeMessage(request.id, request.command, MessageFlag.reply, body));
  }

  #refuse(request: Message, errno: number): void {
    if (request.flags & MessageFlag.noReply) return;
    const flags = MessageFlag.reply | MessageFlag.error;
    this.#send(encodeMessage(request.id, request.command, flags, new Uint8Array(0), errno));
  }

  #request(request: Message): void {
    const { command, body } = request;
    try {
      if (command === Command.version) this.#reply(request, versionReply());
      else if (command === Command.dmaMap) {
        this.dma.map(body);
        this.#reply(request, new Uint8Array(0));
      } else if (command === Command.dmaUnmap) {
        this.dma.unmap(body);
        this.#reply(request, body);
      } else if (command === Command.deviceInfo) this.#reply(request, deviceInfo());
      else if (command === Command.regionInfo) this.#reply(request, regionInfo(body.readUInt32LE(8)));
      else if (command === Command.irqInfo) this.#reply(request, irqInfo(body.readUInt32LE(8)));
      else if (command === Command.setIrqs) this.#reply(request, new Uint8Array(0));
      else if (command === Command.regionRead) this.#regionRead(request);
      else if (command === Command.regionWrite) this.#regionWrite(request);
      else if (command === Command.reset) {
        this.#reset();
        this.#reply(request, new Uint8Array(0));
      } else this.#refuse(request, Errno.notSupported);
    } catch (thrown) {
      // A body too short for its command; anything else is a fault of ours and must be seen.
      if (!(thrown instanceof RangeError)) throw thrown;
      this.#refuse(request, Errno.invalid);
    }
  }

  #reset(): void {
    this.config.reset();
    this.card.reset();
  }

  #regionRead(request: Message): void {
    const { body } = request;
    const offset = Number(body.readBigUInt64LE(0));
    const region = body.readUInt32LE(8);
    const length = body.readUInt32LE(12);
    const answer = (bytes: Uint8Array): void =>
      this.#reply(request, Buffer.concat([body.subarray(0, REGION_HEAD_BYTES), bytes]));
    if (region === Region.config && offset + length <= CONFIG_BYTES) {
      answer(this.config.read(offset, length));
    } else if (region === Region.bar0 && length <= 8 && offset + length <= BAR_BYTES) {
      this.card.barRead(offset, length, answer);
    } else {
      this.#refuse(request, Errno.invalid);
    }
  }

  #regionWrite(request: Message): void {
    const { body } = request;
    const offset = Number(body.readBigUInt64LE(0));
    const region = body.readUInt32LE(8);
    const length = body.readUInt32LE(12);
    const bytes = body.subarray(REGION_HEAD_BYTES);
    if (bytes.length !== length) {
      this.#refuse(request, Errno.invalid);
      return;
    }
    if (region === Region.config && offset + length <= CONFIG_BYTES) {
      if (this.config.write(offset, bytes)) this.#reset();
      this.dma.enabled = this.config.busMaster;
    } else if (region === Region.bar0 && offset + length <= BAR_BYTES) {
      this.card.barWrite(offset, bytes);
    } else {
      this.#refuse(request, Errno.invalid);
      return;
    }
    this.#reply(request, body.subarray(0, REGION_HEAD_BYTES));
  }
}

function versionReply(): Buffer {
  const capabilities = {
    pgsizes: 4096,
    max_msg_fds: 16,
    max_dma_maps: 65535,
    max_data_xfer_size: 1 << 20,
  };
  return Buffer.concat([Buffer.alloc(4), Buffer.from(`${JSON.stringify({ capabilities })}\0`)]);
}

function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => bytes.writeUInt32LE(value, index * 4));
  return bytes;
}

function deviceInfo(): Buffer {
  return words(16, DeviceFlag.reset | DeviceFlag.pci, Region.count, Irq.count);
}

/** argsz, flags, index, offset of capabilities, size, offset. No region may be mapped, so that writes are posted. */
function regionInfo(index: number): Buffer {
  const size = index === Region.bar0 ? BAR_BYTES : index === Region.config ? CONFIG_BYTES : 0;
  const flags = size > 0 ? RegionFlag.read | RegionFlag.write : 0;
  return words(32, flags, index, 0, size, 0, 0, 0);
}

function irqInfo(index: number): Buffer {
  return words(16, index === Irq.error ? IRQ_EVENTFD : 0, index, index === Irq.error ? 1 : 0);
}
