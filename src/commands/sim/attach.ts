// SPDX-License-Identifier: Apache-2.0
import * as Flags from '@oclif/core/flags';
import { BaseCommand, type Outcome } from '../../base/base-command.js';
import { sharedFlags, wholeNumber } from '../../base/flags.js';
import { protocolFlags, protocolRegisters } from '../../base/protocol-flags.js';
import { writeOut } from '../../base/terminal.js';
import { ContentError, type HomaNicError, MissingError, UsageError } from '../../errors/errors.js';
import { FramingError, openEthernetSocket, parseEthernetAddress } from '../../exec/ethernet-socket.js';
import { PacedWorld } from '../../exec/paced-world.js';
import { MAX_MESSAGE_BYTES } from '../../nic/regs.js';
import { createSimNic } from '../../nic/sim/device.js';
import { AddressError, parseAddress, parseIpv4, parseIpv6, parseMac } from '../../world/addresses.js';
import type { RpcOutcome } from '../../world/apps/rpc-plan.js';
import { AttachedHost, mostOutstanding } from '../../world/attached-host.js';
import type { Peer } from '../../world/host/call.js';
import { DriverError } from '../../world/host/driver.js';

interface SentRpc {
  index: number;
  sizeBytes: number;
  tookNs: number;
  outcome: string;
}

interface AttachResult {
  simulated: true;
  ethernet: string;
  sent: SentRpc[];
  ok: number;
  failed: number;
  served: number;
}

/** After the last RPC the card stays long enough to acknowledge it. */
const LINGER_MS = 20;
/** A client without --for waits this long for somebody at the other end of the cable. */
const PEER_LIMIT_MS = 30_000;

export default class SimAttach extends BaseCommand<typeof SimAttach> {
  static override summary =
    'Join a simulated card to the outside, in real time: to a guest, or to another simulated card.';
  static override description = `Frames travel over a unix stream socket with QEMU's framing (a 4-byte big-endian length, then the frame), or as UDP datagrams of one bare frame each. A unix path is connected to; where nobody listens yet, it is listened at. --echo serves, --send is a verified client that prints one line an RPC; without --send it runs until Ctrl-C or --for. What the card does is simulated; the time it lives in is real.`;
  static override examples = [
    {
      description: 'An echo server that waits for a peer',
      command: '<%= config.bin %> sim attach --ethernet unix:cable --ipv4 10.77.0.2 --echo 4000 --for 10',
    },
    {
      description: 'Five verified RPCs to it, from another terminal',
      command:
        '<%= config.bin %> sim attach --ethernet unix:cable --mac 02:48:4f:4d:00:01 --ipv4 10.77.0.1 --send 5 --size 5000 --to 10.77.0.2:4000',
    },
  ];

  static override flags = {
    ethernet: Flags.string({
      description: 'unix:PATH, or udp:LOCAL_PORT:REMOTE_HOST:REMOTE_PORT',
      helpValue: 'SOCKET',
      required: true,
    }),
    listen: Flags.boolean({
      description: 'listen at the unix path; --no-listen only connects',
      allowNo: true,
    }),
    mac: Flags.string({
      description: "the card's MAC address",
      default: '02:48:4f:4d:00:02',
      helpValue: 'MAC',
    }),
    ipv4: Flags.string({ description: "the card's IPv4 address", helpValue: 'ADDRESS' }),
    ipv6: Flags.string({ description: "the card's IPv6 address", helpValue: 'ADDRESS' }),
    neighbour: Flags.string({
      description: 'a peer whose MAC address need not be asked for',
      helpValue: 'ADDRESS=MAC',
      multiple: true,
    }),
    echo: Flags.string({ description: 'serve echoes at this Homa port', helpValue: 'PORT', multiple: true }),
    send: wholeNumber({ description: 'make so many RPCs', helpValue: 'NUMBER', min: 1, max: 10_000_000 }),
    size: wholeNumber({
      description: 'bytes of a request',
      helpValue: 'BYTES',
      min: 1,
      max: MAX_MESSAGE_BYTES,
      default: 64,
    }),
    outstanding: wholeNumber({
      description: 'RPCs at once',
      helpValue: 'NUMBER',
      min: 1,
      max: 100,
      default: 1,
    }),
    to: Flags.string({ description: 'whom to send to (IPv6 in brackets)', helpValue: 'ADDRESS:PORT' }),
    for: wholeNumber({ description: 'end after so many seconds', helpValue: 'SECONDS', min: 1 }),
    ...protocolFlags,
    seed: sharedFlags.seed,
  };

  protected async execute(): Promise<Outcome<AttachResult>> {
    const address = parseEthernetAddress(this.flags.ethernet);
    const peer = this.peer();
    const most = mostOutstanding(this.flags.size);
    if (this.flags.outstanding > most) {
      throw new UsageError(
        `the responses of ${this.flags.outstanding} RPCs of ${this.flags.size} bytes do not fit`,
        {
          suggestions: [`--outstanding ${most}`],
        },
      );
    }
    const socket: { send?: (frame: Uint8Array) => void } = {};
    const attached = this.bringUp((frame) => socket.send?.(frame));
    const result: AttachResult = {
      simulated: true,
      ethernet: this.flags.ethernet,
      sent: [],
      ok: 0,
      failed: 0,
      served: 0,
    };
    if (peer !== undefined) {
      const plan = {
        peer,
        count: this.flags.send!,
        sizeBytes: this.flags.size,
        outstanding: this.flags.outstanding,
      };
      this.refusing(() => {
        attached.prepareSend(plan, (outcome) => {
          void this.note(outcome, result);
        });
      });
    }
    attached.link(attached.world.nowPs, false);
    const paced = new PacedWorld(attached.world);
    let broken: Error | undefined;
    let started = false;
    const ethernet = await openEthernetSocket(
      address,
      {
        frame: (frame) => {
          paced.input((timePs) => {
            attached.frameIn(timePs, frame);
          });
        },
        link: (up) => {
          paced.input((timePs) => {
            attached.link(timePs, up);
            if (up && !started) attached.client?.start(timePs);
            started ||= up;
          });
        },
        failed: (error) => {
          broken = error;
        },
      },
      this.typedFlags.has('listen') ? this.flags.listen : undefined,
    );
    socket.send = (frame) => {
      ethernet.send(frame);
    };
    this.detail(ethernet.connected ? 'connected' : 'waiting for a peer');
    await this.untilDone((waitedMs) => {
      if (
        !started &&
        this.flags.send !== undefined &&
        this.flags.for === undefined &&
        waitedMs > PEER_LIMIT_MS
      ) {
        broken ??= new MissingError(`nobody joined the cable within ${PEER_LIMIT_MS / 1000} s`, {
          code: 'no_peer',
          suggestions: ['start the other end first', 'wait longer with --for SECONDS'],
        });
      }
      return broken !== undefined || attached.client?.quiet === true;
    });
    paced.stop();
    ethernet.close();
    result.served = attached.servers.reduce((sum, server) => sum + server.requests, 0);
    const faults = [
      ...(attached.client?.faults ?? []),
      ...attached.servers.flatMap((server) => server.faults),
    ];
    const missing = attached.client === undefined ? 0 : this.flags.send! - result.sent.length;
    return {
      result,
      render: () => this.summary(result),
      ...this.failureOf(result, faults, missing, broken),
    };
  }

  /** Ends when the work is done (and acknowledged), the time is up, or Ctrl-C was pressed. */
  private async untilDone(done: (waitedMs: number) => boolean): Promise<void> {
    const { for: seconds } = this.flags;
    const beginMs = performance.now();
    const endMs = seconds === undefined ? Infinity : beginMs + seconds * 1000;
    const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
    while (!this.signal.aborted && !done(performance.now() - beginMs) && performance.now() < endMs)
      await wait(2);
    if (!this.signal.aborted) await wait(LINGER_MS);
  }

  private async note(outcome: RpcOutcome, result: AttachResult): Promise<void> {
    const rpc: SentRpc = {
      index: outcome.index,
      sizeBytes: outcome.requestBytes,
      tookNs: Math.round((outcome.endPs - outcome.startPs) / 1000),
      outcome: outcome.outcome,
    };
    result.sent.push(rpc);
    if (outcome.ok) result.ok++;
    else result.failed++;
    if (this.json) return;
    const took = (rpc.tookNs / 1000).toFixed(1);
    await writeOut(
      `rpc ${rpc.index + 1}: ${rpc.sizeBytes} B to ${this.flags.to!}, ${rpc.outcome}, ${took} us\n`,
    );
  }

  private summary(result: AttachResult): string {
    const parts: string[] = [];
    if (this.flags.send !== undefined) parts.push(`${result.ok} of ${this.flags.send} RPCs ok`);
    if ((this.flags.echo ?? []).length > 0) parts.push(`${result.served} requests served`);
    return `${parts.join(', ') || 'nothing was asked for'} (simulated card)\n`;
  }

  private failureOf(
    result: AttachResult,
    faults: readonly string[],
    missing: number,
    broken: Error | undefined,
  ): { failure?: HomaNicError } {
    if (this.signal.aborted) return {};
    if (broken instanceof MissingError || broken instanceof FramingError) return { failure: broken };
    if (faults.length > 0) return { failure: new ContentError(faults.slice(0, 3).join('; ')) };
    if (result.failed > 0 || missing > 0) {
      const why = broken === undefined ? '' : ` (${broken.message})`;
      const failure = new ContentError(`${result.failed + missing} of ${this.flags.send!} RPCs failed${why}`);
      return { failure };
    }
    return {};
  }

  private bringUp(out: (frame: Uint8Array) => void): AttachedHost {
    const { flags } = this;
    if (flags.ipv4 === undefined && flags.ipv6 === undefined) {
      throw new UsageError('the card needs an address: --ipv4 10.77.0.2, or --ipv6 fd77::2');
    }
    return this.refusing(
      () =>
        new AttachedHost(
          {
            settings: {
              mac: parseMac(flags.mac),
              ...(flags.ipv4 === undefined ? {} : { ipv4: parseIpv4(flags.ipv4) }),
              ...(flags.ipv6 === undefined ? {} : { ipv6: parseIpv6(flags.ipv6) }),
              registers: protocolRegisters(flags),
            },
            neighbours: (flags.neighbour ?? []).map(parseNeighbour),
            echoPorts: (flags.echo ?? []).map(parsePort),
            seed: flags.seed,
          },
          // A peer may still know RPCs of the process that was here a moment ago.
          (outputs) => createSimNic({ idEpoch: Date.now() % 2 ** 32 }, outputs),
          out,
        ),
    );
  }

  /** What the driver does not take was typed wrong. */
  private refusing<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof AddressError || error instanceof DriverError) {
        throw new UsageError(error.message, { cause: error });
      }
      throw error;
    }
  }

  private peer(): Peer | undefined {
    const { send, to } = this.flags;
    if (send === undefined && to === undefined) return undefined;
    if (send === undefined || to === undefined)
      throw new UsageError('--send and --to go together: --send 5 --to 10.77.0.1:4000');
    const parts = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(to);
    const port = Number(parts?.[3]);
    if (parts === null || port < 1 || port > 65_535) {
      throw new UsageError(`'${to}' is not ADDRESS:PORT, like 10.77.0.1:4000 or [fd77::1]:4000`);
    }
    try {
      return { address: parseAddress(parts[1] ?? parts[2]!), port };
    } catch (error) {
      throw new UsageError((error as Error).message, { cause: error });
    }
  }
}

function parseNeighbour(text: string): { address: Uint8Array; mac: Uint8Array } {
  const at = text.lastIndexOf('=');
  if (at < 0) throw new UsageError(`'${text}' is not ADDRESS=MAC, like 10.77.0.1=02:48:4f:4d:00:01`);
  return { address: parseAddress(text.slice(0, at)), mac: parseMac(text.slice(at + 1)) };
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 32_767) throw new UsageError(`'${text}' is not a server port from 1 to 32767`);
  return port;
}
