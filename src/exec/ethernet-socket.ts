// SPDX-License-Identifier: Apache-2.0
// Ethernet frames over a socket: a unix stream with QEMU's framing (4-byte big-endian length, then the frame), or UDP
// datagrams of one bare frame each.
import { createSocket } from 'node:dgram';
import { lstat, unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { ContentError, MissingError, UsageError } from '../errors/errors.js';

/** Where frames go and come from. */
export type EthernetAddress =
  { kind: 'unix'; path: string } | { kind: 'udp'; localPort: number; remoteHost: string; remotePort: number };

/** The other end, as frames. */
export interface EthernetSocket {
  send(frame: Uint8Array): void;
  /** Whether somebody is at the other end (UDP cannot know: always true). */
  readonly connected: boolean;
  close(): void;
}

export interface EthernetListener {
  frame(frame: Uint8Array): void;
  link(up: boolean): void;
  /** The socket has failed for good. */
  failed(error: Error): void;
}

const LENGTH_BYTES = 4;
/** Longest frame: an MTU of 9000 and room for VLAN tags; more than this means the framing is lost. */
const MAX_FRAME_BYTES = 65_536;
const FORMS = 'unix:PATH or udp:LOCAL_PORT:REMOTE_HOST:REMOTE_PORT';

/** Reads `unix:PATH` or `udp:LOCAL_PORT:REMOTE_HOST:REMOTE_PORT` (an IPv6 host in brackets). UsageError otherwise. */
export function parseEthernetAddress(text: string): EthernetAddress {
  const unix = /^unix:(.+)$/.exec(text);
  if (unix !== null) return { kind: 'unix', path: unix[1]! };
  const udp = /^udp:(\d{1,5}):(\[[0-9a-f:]+\]|[^:]+):(\d{1,5})$/i.exec(text);
  if (udp !== null) {
    const [localPort, remotePort] = [Number(udp[1]), Number(udp[3])];
    if (localPort <= 65_535 && remotePort >= 1 && remotePort <= 65_535) {
      return { kind: 'udp', localPort, remoteHost: udp[2]!.replace(/^\[|\]$/g, ''), remotePort };
    }
  }
  throw new UsageError(`'${text}' is not ${FORMS}`);
}

/**
 * Opens the socket. A unix path is connected to; where nobody listens yet, it is listened at, and one peer at a time is
 * served (`listen` true or false forces one or the other). Rejects with MissingError when that cannot be done.
 */
export async function openEthernetSocket(
  address: EthernetAddress,
  listener: EthernetListener,
  listen?: boolean,
): Promise<EthernetSocket> {
  if (address.kind === 'udp') return openUdp(address, listener);
  if (listen !== true) {
    try {
      return new UnixEthernet(
        listener,
        await connectTo(address.path),
        listen === undefined ? address.path : undefined,
      );
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (listen === false || (code !== 'ENOENT' && code !== 'ECONNREFUSED')) {
        throw new MissingError(`nobody listens at unix:${address.path}`, { cause: error });
      }
      if (code === 'ECONNREFUSED') await removeStale(address.path);
    }
  }
  const ethernet = new UnixEthernet(listener);
  try {
    await ethernet.listenAt(address.path);
  } catch (error) {
    // two that start together both find nobody: the slower one finds the other now
    if (listen === undefined && (error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
      return openEthernetSocket(address, listener, false);
    }
    throw new MissingError(`cannot listen at unix:${address.path}`, { cause: error });
  }
  return ethernet;
}

/** Removes a socket that a process which is gone has left, and nothing else: a file refuses a connection like one. */
async function removeStale(path: string): Promise<void> {
  if (!(await lstat(path)).isSocket()) {
    throw new UsageError(`unix:${path} is there already, and no socket`, {
      code: 'output',
      suggestions: ['name another path'],
    });
  }
  await unlink(path);
}

function connectTo(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => {
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

/** What comes over the socket is not frames. */
export class FramingError extends ContentError {}

/** Cuts a stream into frames. */
export class FrameCutter {
  private rest: Buffer = Buffer.alloc(0);

  /** Takes what has arrived; returns the frames that are whole. FramingError when a length cannot be right. */
  push(chunk: Buffer): Uint8Array[] {
    this.rest = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    const frames: Uint8Array[] = [];
    let at = 0;
    while (this.rest.length - at >= LENGTH_BYTES) {
      const length = this.rest.readUInt32BE(at);
      if (length > MAX_FRAME_BYTES)
        throw new FramingError(`a frame of ${length} bytes: this is not QEMU's framing`);
      if (this.rest.length - at - LENGTH_BYTES < length) break;
      at += LENGTH_BYTES;
      frames.push(new Uint8Array(this.rest.subarray(at, at + length)));
      at += length;
    }
    this.rest = this.rest.subarray(at);
    return frames;
  }
}

class UnixEthernet implements EthernetSocket {
  private server: Server | undefined;
  private socket: Socket | undefined;
  private closed = false;

  constructor(
    private readonly listener: EthernetListener,
    socket?: Socket,
    /** where to wait for the next peer when the one we connected to is gone */
    private readonly waitAt?: string,
  ) {
    if (socket !== undefined) this.adopt(socket);
  }

  get connected(): boolean {
    return this.socket !== undefined;
  }

  listenAt(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server = createServer((socket) => {
        if (this.socket !== undefined) socket.destroy();
        else this.adopt(socket);
      });
      this.server.once('error', reject);
      this.server.listen(path, () => {
        this.server!.off('error', reject);
        resolve();
      });
    });
  }

  send(frame: Uint8Array): void {
    if (this.socket === undefined) return;
    const header = Buffer.alloc(LENGTH_BYTES);
    header.writeUInt32BE(frame.length);
    this.socket.cork();
    this.socket.write(header);
    this.socket.write(frame);
    process.nextTick(() => this.socket?.uncork());
  }

  close(): void {
    this.closed = true;
    this.socket?.destroy();
    this.server?.close();
  }

  private adopt(socket: Socket): void {
    this.socket = socket;
    const cutter = new FrameCutter();
    socket.on('data', (chunk) => {
      try {
        for (const frame of cutter.push(chunk)) this.listener.frame(frame);
      } catch (error) {
        this.listener.failed(error as Error);
        socket.destroy();
      }
    });
    socket.on('error', () => undefined); // a close follows
    socket.on('close', () => {
      this.socket = undefined;
      if (this.closed) return;
      this.listener.link(false);
      if (this.server !== undefined) return;
      const gone = (): void => {
        this.listener.failed(new ContentError('the other end closed the socket'));
      };
      if (this.waitAt === undefined) gone();
      else this.listenAt(this.waitAt).catch(gone);
    });
    queueMicrotask(() => {
      this.listener.link(true);
    });
  }
}

function openUdp(
  address: { localPort: number; remoteHost: string; remotePort: number },
  listener: EthernetListener,
): Promise<EthernetSocket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(address.remoteHost.includes(':') ? 'udp6' : 'udp4');
    const fail = (error: Error): void => {
      reject(new MissingError(`cannot use UDP port ${address.localPort}`, { cause: error }));
    };
    socket.once('error', fail);
    socket.on('message', (message) => {
      listener.frame(new Uint8Array(message));
    });
    socket.bind(address.localPort, () => {
      socket.off('error', fail);
      // an ICMP refusal of an earlier datagram means only that the peer is not there yet
      socket.on('error', () => undefined);
      queueMicrotask(() => {
        listener.link(true);
      });
      resolve({
        connected: true,
        send: (frame) => {
          socket.send(frame, address.remotePort, address.remoteHost);
        },
        close: () => {
          socket.close();
        },
      });
    });
  });
}
