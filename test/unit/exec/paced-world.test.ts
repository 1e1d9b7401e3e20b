// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import { PacedWorld } from '#src/exec/paced-world.js';
import type { Actor } from '#src/world/agenda.js';
import { World } from '#src/world/world.js';

const MS = 1_000_000_000;
const US = 1_000_000;

/** Notes its events; may set another one each time, as an application that polls. */
class Poller implements Actor {
  readonly ran: number[] = [];
  private readonly number: number;

  constructor(
    private readonly world: World,
    private readonly everyPs: number,
  ) {
    this.number = world.agenda.register(this);
  }

  at(timePs: number): void {
    this.world.agenda.push(timePs, this.number, 0, 0);
  }

  onEvent(timePs: number): void {
    this.ran.push(timePs);
    if (this.everyPs > 0) this.at(timePs + this.everyPs);
  }
}

describe('paced world', () => {
  let wallMs = 0;
  let world: World;
  let paced: PacedWorld;

  beforeEach(() => {
    wallMs = 1000;
    world = new World({ seed: 1 });
    paced = new PacedWorld(world, () => wallMs);
  });
  afterEach(() => paced.stop());

  const turns = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
  };

  it('brings an idle world to the wall clock before an input', () => {
    wallMs += 1;
    paced.input((timePs) => expect(timePs).to.equal(MS));
  });

  it('does not let time pass between inputs that come together', async () => {
    const times: number[] = [];
    for (let i = 0; i < 50; i++) {
      paced.input((timePs) => times.push(timePs));
      wallMs += 1; // reading the next frame takes a while
    }
    expect(new Set(times).size).to.equal(1);
    await turns(2);
    paced.input((timePs) => expect(timePs).to.equal(times[0]));
  });

  it('runs dense work at once, and a far timer not before its time', async () => {
    const poller = new Poller(world, 0);
    paced.input((timePs) => {
      for (const after of [5 * US, 10 * US, 25 * US, 100 * MS]) poller.at(timePs + after);
    });
    await turns(2);
    expect(poller.ran).to.deep.equal([5 * US, 10 * US, 25 * US]);
  });

  it('is not carried away by work that never ends', async () => {
    const poller = new Poller(world, US);
    paced.input((timePs) => poller.at(timePs));
    await turns(50);
    expect(poller.ran.length).to.be.within(1, 1002);
    expect(world.nowPs).to.be.at.most(MS + US);
  });

  it('makes up for little of what a stalled process missed', () => {
    const poller = new Poller(world, MS);
    paced.input((timePs) => poller.at(timePs + MS));
    paced.stop();
    paced = new PacedWorld(world, () => wallMs);
    wallMs += 60_000;
    paced.input(() => undefined);
    expect(poller.ran.length).to.equal(3);
  });
});
