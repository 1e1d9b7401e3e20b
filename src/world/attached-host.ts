// SPDX-License-Identifier: Apache-2.0
// One host whose card's cable leads out of the world: an echo server, a verified client, or both.
import type { NicDeviceFactory } from '../nic/device.js';
import { RpcClient } from './apps/rpc-client.js';
import type { OutcomeSink } from './apps/rpc-plan.js';
import { RpcServer } from './apps/rpc-server.js';
import { addNeighbour, bindPort, type CardSettings } from './host/driver.js';
import type { Peer } from './host/call.js';
import type { Host } from './host/host.js';
import { World } from './world.js';

export interface AttachedOptions {
  settings: CardSettings;
  neighbours: readonly { address: Uint8Array; mac: Uint8Array }[];
  /** serve echoes at these ports */
  echoPorts: readonly number[];
  seed: number;
}

/** What a verified client sends. */
export interface SendPlan {
  peer: Peer;
  count: number;
  sizeBytes: number;
  outstanding: number;
}

const ECHO_RECEIVES = 8;
/** Eight of the longest messages fit the application's half of 16 MiB. */
const ECHO_CAPACITY_BYTES = 1_000_000;
const C2H_BYTES = 16_777_216;

/** Most RPCs at once whose responses of this size fit the application's half, which is given out in powers of two. */
export function mostOutstanding(sizeBytes: number): number {
  return Math.floor(C2H_BYTES / 2 / 2 ** Math.ceil(Math.log2(Math.max(64, sizeBytes))));
}

export class AttachedHost {
  readonly world: World;
  readonly host: Host;
  readonly servers: RpcServer[] = [];
  client: RpcClient | undefined;
  private nextUser = 1;

  /** Brings the host up, in simulated time before the present. Frames leave by `out`. Throws what the driver throws. */
  constructor(options: AttachedOptions, factory: NicDeviceFactory, out: (frame: Uint8Array) => void) {
    this.world = new World({ seed: options.seed });
    this.host = this.world.addHost('attached', options.settings, factory);
    this.host.slot.connect({
      onFrame: (_timePs, frame) => {
        out(frame);
      },
    });
    this.world.complete(this.host, this.host.probe());
    for (const { address, mac } of options.neighbours) {
      this.world.complete(this.host, addNeighbour(address, mac));
    }
    for (const port of options.echoPorts) this.serve(port);
  }

  /** The cable was put in or pulled. */
  link(timePs: number, up: boolean): void {
    this.host.slot.link(timePs, up);
  }

  /** A frame from outside. */
  frameIn(timePs: number, frame: Uint8Array): void {
    this.host.slot.frameIn(timePs, frame);
  }

  /** Opens a user for a client; `start` begins it. */
  prepareSend(plan: SendPlan, sink: OutcomeSink): void {
    const { world, host } = this;
    const user = world.complete(host, host.openUser(this.nextUser++, C2H_BYTES));
    const { peer, count, sizeBytes, outstanding } = plan;
    this.client = new RpcClient(
      world.agenda,
      user,
      {
        count,
        outstanding,
        maxResponseBytes: sizeBytes,
        match: 'any',
        inline: true,
        describe: (_index, into) => {
          into.peer = peer;
          into.requestBytes = sizeBytes;
          into.responseBytes = 0;
        },
      },
      world.random.stream('keys').nextUint32(),
      sink,
    );
  }

  private serve(port: number): void {
    const { world, host } = this;
    const number = this.nextUser++;
    const user = world.complete(host, host.openUser(number, C2H_BYTES));
    world.complete(host, bindPort(number, port));
    this.servers.push(
      new RpcServer(world.agenda, user, {
        receives: ECHO_RECEIVES,
        capacityBytes: ECHO_CAPACITY_BYTES,
        responseBytes: 0,
        thinkPs: 0,
        postFromPs: 0,
        silent: false,
        copy: true,
      }),
    );
  }
}
