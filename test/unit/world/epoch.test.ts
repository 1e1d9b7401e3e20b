// SPDX-License-Identifier: Apache-2.0
// Worlds that live in real time live longer than 2^53 picoseconds: their clock is moved back, and nothing else changes.
import { expect } from 'chai';
import { PacedWorld } from '#src/exec/paced-world.js';
import { EPOCH_PS } from '#src/nic/device.js';
import { createSimNic } from '#src/nic/sim/device.js';
import { Random } from '#src/random/random.js';
import { parseAddress, parseIpv4, parseMac } from '#src/world/addresses.js';
import { RpcClient } from '#src/world/apps/rpc-client.js';
import { RpcServer } from '#src/world/apps/rpc-server.js';
import { bindPort } from '#src/world/host/driver.js';
import type { Host } from '#src/world/host/host.js';
import { FaultInjector } from '#src/world/network/faults.js';
import { World } from '#src/world/world.js';

/** Two hosts on a bad cable of an odd rate, with timers of an odd tick: much that a shift could break. */
class Pair {
  readonly world = new World({ seed: 5 });
  readonly client: RpcClient;
  /** how long each RPC took, and how long after the frame before it each frame began to leave */
  readonly took: number[] = [];
  readonly gaps: number[] = [];
  /** by how much the clock has been moved back */
  moved = 0;

  constructor(count: number) {
    const { world } = this;
    const a = this.host(1);
    const b = this.host(2);
    const faults = (name: string): FaultInjector =>
      new FaultInjector([], { drop: 0.05, duplicate: 0.05, reorder: 0.05 }, Random.fromSeed(7).stream(name));
    const link = { rateMbps: 33_331, delayPs: 1_234_567 };
    const both = world.connectHosts(
      a,
      b,
      { ...link, faults: faults('there') },
      { ...link, faults: faults('back') },
    );
    let before = 0;
    for (const direction of both) {
      direction.observer = (timePs) => {
        this.gaps.push(timePs + this.moved - before);
        before = timePs + this.moved;
      };
    }
    const serving = world.complete(b, b.openUser(1, 16_777_216));
    world.complete(b, bindPort(1, 4000));
    new RpcServer(world.agenda, serving, {
      receives: 4,
      capacityBytes: 600_000,
      responseBytes: 0,
      thinkPs: 777_777,
      postFromPs: 0,
      silent: false,
    });
    const user = world.complete(a, a.openUser(1, 8_388_608));
    const sizes = [64, 600_000, 3000, 1, 41_000];
    this.client = new RpcClient(
      world.agenda,
      user,
      {
        count,
        outstanding: 4,
        maxResponseBytes: 600_000,
        match: 'any',
        inline: true,
        describe: (index, into) => {
          into.peer = { address: parseAddress('fd77::2'), port: 4000 };
          into.requestBytes = sizes[index % sizes.length]!;
          into.responseBytes = 0;
        },
      },
      1,
      ({ ok, startPs, endPs }) => this.took.push(ok ? endPs - startPs : -1),
    );
    this.gaps.length = 0;
    before = world.nowPs;
  }

  private host(n: number): Host {
    const { world } = this;
    const host = world.addHost(
      `h${n}`,
      {
        mac: parseMac(`02:48:4f:4d:00:0${n}`),
        ipv4: parseIpv4(`10.77.0.${n}`),
        ipv6: parseAddress(`fd77::${n}`),
        registers: { tick: 313, resendTicks: 2, fifoGrantIncrement: 5000, grantWindow: 60_000 },
      },
      (outputs) => createSimNic({}, outputs),
    );
    world.complete(host, host.probe());
    return host;
  }

  /** Runs to the end; with `every`, moves the clock back after so many events, by whatever it shows. */
  run(every = Infinity): void {
    this.client.start(this.world.nowPs);
    let left = every;
    while (!this.client.done) {
      this.world.runWhile(() => !this.client.done && left-- > 0);
      if (this.client.done) return;
      left = every;
      const { nowPs } = this.world;
      this.world.agenda.rebase(nowPs);
      this.moved += nowPs;
    }
  }
}

describe('world: epochs', () => {
  it('a clock that is moved back, at any instant, changes no time that passes', () => {
    const straight = new Pair(60);
    straight.run();
    expect(straight.took).to.have.length(60);
    expect(straight.took.filter((took) => took > 1e9).length, 'RPCs that needed a timer').to.be.above(5);
    for (const every of [1, 97, 5000]) {
      const moved = new Pair(60);
      moved.run(every);
      expect(moved.moved).to.be.above(0);
      expect(moved.took).to.deep.equal(straight.took);
      expect(moved.gaps).to.deep.equal(straight.gaps);
    }
  });

  it('refuses to move the clock before its beginning', () => {
    const world = new World({ seed: 1 });
    expect(() => world.agenda.rebase(1)).to.throw(RangeError);
    expect(world.rebase()).to.equal(0);
  });

  it('near the limit of exact picoseconds a world in real time keeps the times of a fresh one', async function () {
    this.timeout(60_000);
    const fresh = new Pair(60);
    fresh.run();
    const old = new Pair(60);
    let wallMs = 0;
    const paced = new PacedWorld(old.world, () => wallMs);
    // Idle to just before 2^53 ps, then on for days.
    for (const hours of [2.5, 0.00194, 50]) {
      wallMs += hours * 3_600_000;
      paced.input(() => undefined);
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
      expect(old.world.nowPs).to.be.below(EPOCH_PS);
    }
    paced.input((timePs) => old.client.start(timePs));
    for (let turns = 0; !old.client.done && turns < 200_000; turns++) {
      await new Promise((resolve) => setImmediate(resolve));
      wallMs += 0.05;
      if (turns % 20 === 0) paced.input(() => undefined);
    }
    paced.stop();
    expect(old.took.length).to.equal(60);
    // The first frame's distance is the idle time; ticks do not begin at the same phase, so only those without one agree.
    expect(old.took[0]).to.equal(fresh.took[0]);
    expect(old.gaps.slice(1, 40)).to.deep.equal(fresh.gaps.slice(1, 40));
  });
});
