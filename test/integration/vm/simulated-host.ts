// SPDX-License-Identifier: Apache-2.0
// A whole simulated host on the guest's network: the world's driver and library with a card of its own, and a server
// that answers like the perf servers of app/. Its time follows the wall clock, like that of the guest's card.
import { CallFlag, Code, ResultFlag } from '#src/nic/regs.js';
import type { NicDevice, NicDeviceFactory } from '#src/nic/device.js';
import { DeviceClock } from '#src/vm/device-clock.js';
import type { EthernetPort } from '#src/vm/ethernet-port.js';
import type { CallResult } from '#src/world/host/call.js';
import { bindPort, type CardSettings } from '#src/world/host/driver.js';
import type { HostUser, ResultHandler } from '#src/world/host/host-user.js';
import { World } from '#src/world/world.js';

const USER = 1;
const RECEIVES = 2;
const CAPACITY_BYTES = 1_000_000;

/** What a server makes of a request. */
export type Reply = (request: Uint8Array) => Uint8Array;

/** `perf_latency_server`: the bytes that came. */
export const echo: Reply = (request) => request;

/** `perf_bitrate_server`: the sum of the 64-bit words, and the sum of those sums. */
export const checksum: Reply = (request) => {
  const padded = new Uint8Array(Math.ceil(request.length / 8) * 8);
  padded.set(request);
  const words = new BigUint64Array(padded.buffer);
  let sum = 0n;
  let sumOfSums = 0n;
  for (const word of words) {
    sum = BigInt.asUintN(64, sum + word);
    sumOfSums = BigInt.asUintN(64, sumOfSums + sum);
  }
  const reply = new Uint8Array(16);
  new DataView(reply.buffer).setBigUint64(0, sum, true);
  new DataView(reply.buffer).setBigUint64(8, sumOfSums, true);
  return reply;
};

class Server implements ResultHandler {
  requests = 0;
  /** answers whose client had gone before it acknowledged them: it may, once it has its last one */
  unacknowledged = 0;
  readonly faults: string[] = [];
  readonly #receives = new Map<number, number>();
  readonly #answers = new Map<number, number>();

  constructor(
    private readonly user: HostUser,
    private readonly reply: Reply,
    nowPs: number,
  ) {
    user.listen(this);
    for (let i = 0; i < RECEIVES; i++) this.#post(nowPs, user.receiveArena.take(CAPACITY_BYTES));
  }

  onResult(timePs: number, result: CallResult): void {
    if (!result.final) return;
    const posted = this.#receives.get(result.slot);
    if (posted !== undefined) {
      this.#receives.delete(result.slot);
      if (result.failed) this.faults.push(`recvmsg: ${result.text}`);
      else this.#answer(timePs, result, posted);
      this.#post(timePs, posted);
      return;
    }
    const sent = this.#answers.get(result.slot);
    this.#answers.delete(result.slot);
    if (sent !== undefined) this.user.sendArena.give(sent);
    if (sent !== undefined && result.code === Code.portUnreachable) this.unacknowledged += 1;
    else if (result.failed) this.faults.push(`call: ${result.text}`);
  }

  #answer(timePs: number, result: CallResult, posted: number): void {
    this.requests += 1;
    const inPool = (result.flags & ResultFlag.inPool) !== 0;
    const from = inPool ? result.offset : posted;
    const reply = this.reply(this.user.c2h.read(from, result.sizeBytes));
    if (inPool) this.user.release(timePs, this.user.takeSlot(), result.offset);
    const slot = this.user.takeSlot();
    const offset = this.user.sendArena.take(reply.length);
    if (slot === 0 || offset < 0) {
      this.faults.push('no slot or no memory for an answer');
      return;
    }
    this.user.h2c.write(offset, reply);
    this.#answers.set(slot, offset);
    this.user.sendResponse(timePs, slot, result, offset, reply.length, 0);
  }

  #post(timePs: number, offset: number): void {
    const slot = this.user.takeSlot();
    this.#receives.set(slot, offset);
    this.user.recvmsg(timePs, slot, CallFlag.matchRequests, offset, CAPACITY_BYTES, 0);
  }
}

export interface SimulatedHost {
  /** one for each port, in order */
  servers: { requests: number; unacknowledged: number; faults: string[] }[];
  stop(): void;
}

/** Puts a host with a server for each port on the network. */
export function startSimulatedHost(
  factory: NicDeviceFactory,
  settings: CardSettings,
  port: EthernetPort,
  ports: { port: number; reply: Reply }[],
): SimulatedHost {
  const world = new World({ seed: 1, jitter: false });
  const host = world.addHost('simulated', settings, factory);
  let sent = false;
  host.slot.connect({
    onFrame: (_timePs, frame) => {
      sent = true;
      port.send(frame);
    },
  });
  host.slot.link(world.nowPs, true);
  world.complete(host, host.probe());
  const servers = ports.map(({ port: number, reply }, index) => {
    const user = world.complete(host, host.openUser(USER + index));
    world.complete(host, bindPort(USER + index, number));
    return new Server(user, reply, world.nowPs);
  });
  const unused = (): never => {
    throw new Error('a host has no bus');
  };
  const { agenda } = world;
  const asDevice: NicDevice = {
    mmioWrite: unused,
    mmioRead: unused,
    dmaReadDone: unused,
    dmaWriteDone: unused,
    frameIn: (frame) => host.slot.frameIn(agenda.nowPs, frame),
    link: (up) => host.slot.link(agenda.nowPs, up),
    reset: unused,
    advance: (untilPs) => {
      sent = false;
      const target = Math.max(untilPs, agenda.nowPs);
      while (!sent && agenda.nextPs() <= target) agenda.step();
      if (!sent) agenda.skipTo(target);
      return agenda.nowPs;
    },
    nextEventPs: () => agenda.nextPs(),
    rebase: (byPs) => agenda.rebase(byPs),
  };
  const clock = new DeviceClock(asDevice, undefined, world.nowPs);
  clock.input(() => undefined);
  port.attach({
    frame: (frame) => clock.input(() => asDevice.frameIn(frame)),
    link: () => undefined,
  });
  return { servers, stop: () => clock.stop() };
}
