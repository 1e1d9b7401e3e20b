// SPDX-License-Identifier: Apache-2.0
// The server against a client that speaks as QEMU does.
import { mkdtemp, rm } from 'node:fs/promises';
import { type Socket, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { BAR0_BYTES } from '#src/nic/regs.js';
import { type Message, MessageReader, encodeMessage, isReply } from '#src/vm/vfio-user/message.js';
import { RamFile } from '#src/vm/vfio-user/ram-file.js';
import { VfioUserServer } from '#src/vm/vfio-user/server.js';

const NO_REPLY = 0x10;
const REPLY = 1;
const ERROR_REPLY = 0x21;
const RAM_BYTES = 1 << 20;
const GUEST_MMIO = 0xf000_0000;

class Client {
  readonly received: Message[] = [];
  readonly #reader = new MessageReader();
  #wake: () => void = () => undefined;
  #id = 100;

  constructor(private readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.received.push(...this.#reader.push(chunk));
      this.#wake();
    });
  }

  send(command: number, body: Buffer, flags = 0): number {
    this.socket.write(encodeMessage(this.#id, command, flags, body));
    return this.#id++;
  }

  reply(request: Message, body: Buffer): void {
    this.socket.write(encodeMessage(request.id, request.command, REPLY, body));
  }

  async next(wanted: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const index = this.received.findIndex(wanted);
      if (index >= 0) return this.received.splice(index, 1)[0]!;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async ask(command: number, body: Buffer): Promise<Message> {
    const id = this.send(command, body);
    return this.next((message) => isReply(message) && message.id === id);
  }
}

function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => bytes.writeUInt32LE(value >>> 0, 4 * i));
  return bytes;
}

function access(region: number, offset: number, count: number, data = Buffer.alloc(0)): Buffer {
  return Buffer.concat([words(offset, 0, region, count), data]);
}

function map(address: number, size: number, offset: number, flags = 3): Buffer {
  return words(32, flags, offset, 0, address, 0, size, 0);
}

describe('vfio-user server', () => {
  let folder: string;
  let ram: RamFile;
  let server: VfioUserServer;
  let client: Client;
  let socket: Socket;
  let log: string[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hn-'));
    ram = new RamFile(folder, RAM_BYTES, false);
    log = [];
    server = new VfioUserServer(
      join(folder, 's'),
      {
        barWrite: (offset, bytes) => log.push(`write ${offset} ${Buffer.from(bytes).toString('hex')}`),
        barRead: (offset, length, reply) => {
          log.push(`read ${offset} ${length}`);
          reply(new Uint8Array(length).fill(0xab));
        },
        reset: () => log.push('reset'),
        disconnected: () => log.push('disconnected'),
      },
      ram,
    );
    await server.listen();
    socket = connect(server.path);
    client = new Client(socket);
  });
  afterEach(async () => {
    socket.destroy();
    await server.close();
    ram.close();
    await rm(folder, { recursive: true });
  });

  async function enableBusMaster(): Promise<void> {
    await client.ask(10, access(7, 4, 2, Buffer.from([6, 0])));
  }

  it('agrees on version 0.0 and ends its capabilities with NUL', async () => {
    const { body } = await client.ask(1, Buffer.concat([Buffer.alloc(4), Buffer.from('{}\0')]));
    expect(body.readUInt32LE(0)).to.equal(0);
    expect(body.at(-1)).to.equal(0);
    const { capabilities } = JSON.parse(body.toString('utf8', 4, body.length - 1)) as {
      capabilities: Record<string, number>;
    };
    expect(capabilities['pgsizes']! % 4096).to.equal(0);
    expect(capabilities['max_msg_fds']).to.be.at.most(16);
  });

  it('is a PCI function with one BAR of 64 MiB, and says so in config space', async () => {
    expect((await client.ask(4, Buffer.alloc(16))).body).to.deep.equal(words(16, 3, 9, 5));
    const bar = (await client.ask(5, words(32, 0, 0, 0, 0, 0, 0, 0))).body;
    expect(bar).to.deep.equal(words(32, 3, 0, 0, BAR0_BYTES, 0, 0, 0));
    const none = (await client.ask(5, words(32, 0, 2, 0, 0, 0, 0, 0))).body;
    expect(none.readUInt32LE(16)).to.equal(0);
    const config = (await client.ask(9, access(7, 0, 4096))).body.subarray(16);
    expect(config.length).to.equal(4096);
    expect([config.readUInt16LE(0), config.readUInt16LE(2)]).to.deep.equal([0x10ee, 0x484e]);
    expect(config.readUInt32LE(8) >>> 8).to.equal(0x020000);
    expect(config.readUInt32LE(16) & 0xf).to.equal(0xc);
    expect(config[config[0x34]!]).to.equal(0x10);
  });

  it('hands on BAR accesses in order, answers reads, and posted writes not at all', async () => {
    client.send(10, access(0, 64, 8, Buffer.from('0102030405060708', 'hex')), NO_REPLY);
    const read = await client.ask(9, access(0, 0x1000, 4));
    expect(read.body).to.deep.equal(access(0, 0x1000, 4, Buffer.from('abababab', 'hex')));
    expect(log).to.deep.equal(['write 64 0102030405060708', 'read 4096 4']);
    expect(client.received).to.deep.equal([]);
  });

  it('refuses what it does not know, and what lies outside a region, with an error reply', async () => {
    for (const [command, body] of [
      [14, words(0)],
      [99, Buffer.alloc(0)],
      [9, access(0, BAR0_BYTES - 2, 4)],
      [9, access(3, 0, 4)],
      [10, access(0, 0, 8, Buffer.alloc(4))],
      [5, words(32)],
    ] as const) {
      const reply = await client.ask(command, body);
      expect(reply.flags, `command ${command}`).to.equal(ERROR_REPLY);
      expect(reply.errno).to.be.oneOf([22, 95]);
    }
    expect(log).to.deep.equal([]);
  });

  it('resets the card on a reset message and on a function level reset', async () => {
    await client.ask(13, Buffer.alloc(0));
    await client.ask(10, access(7, 0x48, 2, Buffer.from([0, 0x80])));
    expect(log).to.deep.equal(['reset', 'reset']);
  });

  it('reaches no memory before bus mastering is on, and none that is not mapped', async () => {
    await client.ask(2, map(0, RAM_BYTES, 0));
    const results: boolean[] = [];
    server.dma.write(0x1000, Buffer.from('x'), (ok) => results.push(ok));
    await enableBusMaster();
    server.dma.write(0x1000, Buffer.from('x'), (ok) => results.push(ok));
    server.dma.write(RAM_BYTES - 1, Buffer.from('xy'), (ok) => results.push(ok));
    server.dma.read(RAM_BYTES, 1, (ok) => results.push(ok));
    await client.ask(3, words(24, 0, 0, 0, RAM_BYTES, 0));
    server.dma.read(0x1000, 1, (ok) => results.push(ok));
    expect(results).to.deep.equal([false, true, false, false, false]);
    expect(Buffer.from(ram.read(0x1000, 1)).toString()).to.equal('x');
  });

  it('reads and writes RAM through the file, at once', async () => {
    await client.ask(2, map(0, RAM_BYTES, 0));
    await enableBusMaster();
    const line = Buffer.from(Array.from({ length: 64 }, (_, i) => i));
    let got = Buffer.alloc(0);
    server.dma.write(0x40, line, () => undefined);
    server.dma.read(0x40, 64, (_ok, bytes) => (got = Buffer.from(bytes)));
    expect(got).to.deep.equal(line);
    expect(client.received).to.deep.equal([]);
  });

  it('reaches what is not RAM by messages, the status word of a result last', async () => {
    await client.ask(2, map(GUEST_MMIO, 4096, 0));
    await enableBusMaster();
    const line = Buffer.from(Array.from({ length: 64 }, (_, i) => i));
    const outcomes: boolean[] = [];
    server.dma.write(GUEST_MMIO + 64, line, (ok) => outcomes.push(ok));
    const first = await client.next((message) => !isReply(message));
    const second = await client.next((message) => !isReply(message));
    expect([first.command, second.command]).to.deep.equal([12, 12]);
    expect(first.body).to.deep.equal(Buffer.concat([words(GUEST_MMIO + 68, 0, 60, 0), line.subarray(4)]));
    expect(second.body).to.deep.equal(Buffer.concat([words(GUEST_MMIO + 64, 0, 4, 0), line.subarray(0, 4)]));
    client.reply(first, first.body.subarray(0, 16));
    client.reply(second, second.body.subarray(0, 16));
    const read = new Promise<Buffer>((resolve) =>
      server.dma.read(GUEST_MMIO, 8, (_ok, bytes) => resolve(Buffer.from(bytes))),
    );
    const request = await client.next((message) => !isReply(message));
    client.reply(request, Buffer.concat([request.body, Buffer.from('12345678')]));
    expect(String(await read)).to.equal('12345678');
    expect(outcomes).to.deep.equal([true]);
  });

  it('fails what is under way when QEMU goes', async () => {
    await client.ask(2, map(GUEST_MMIO, 4096, 0));
    await enableBusMaster();
    const failed = new Promise<boolean>((resolve) => server.dma.read(GUEST_MMIO, 8, (ok) => resolve(ok)));
    await client.next((message) => !isReply(message));
    socket.destroy();
    expect(await failed).to.equal(false);
    expect(log).to.deep.equal(['disconnected']);
    expect(server.dma.underWay).to.equal(0);
  });

  it('ends the connection on bytes that are no message', async () => {
    socket.write(Buffer.alloc(64, 0xff));
    await new Promise<void>((resolve) => socket.once('close', () => resolve()));
    expect(log).to.deep.equal(['disconnected']);
  });
});
