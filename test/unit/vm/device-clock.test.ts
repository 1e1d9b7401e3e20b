// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import { EPOCH_PS, type NicDevice } from '#src/nic/device.js';
import { DeviceClock } from '#src/vm/device-clock.js';

const MS = 1_000_000_000;
const US = 1_000_000;

/** A card whose only life is a list of events; notes when each is run. */
class EventCard {
  readonly ran: number[] = [];
  readonly inputs: number[] = [];
  nowPs = 0;
  events: number[] = [];
  /** called at each event, as an output would be */
  onEvent: () => void = () => undefined;

  advance(untilPs: number): number {
    const next = this.events[0] ?? Infinity;
    if (next <= untilPs) {
      this.events.shift();
      this.nowPs = Math.max(next, this.nowPs);
      this.ran.push(this.nowPs);
      this.onEvent();
      return this.nowPs;
    }
    return (this.nowPs = untilPs);
  }

  nextEventPs(): number {
    return this.events[0] ?? Infinity;
  }

  rebase(byPs: number): void {
    this.nowPs -= byPs;
    this.events = this.events.map((timePs) => timePs - byPs);
  }

  input(...eventsAfterPs: number[]): void {
    this.inputs.push(this.nowPs);
    this.events.push(...eventsAfterPs.map((after) => this.nowPs + after));
    this.events.sort((a, b) => a - b);
  }
}

describe('device clock', () => {
  let wallMs = 0;
  let card: EventCard;
  let clock: DeviceClock;

  beforeEach(() => {
    wallMs = 1000;
    card = new EventCard();
    clock = new DeviceClock(card as unknown as NicDevice, () => wallMs);
  });
  afterEach(() => clock.stop());

  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

  it('brings an idle card to the wall clock before an input', () => {
    wallMs += 250;
    clock.input(() => card.input());
    expect(card.inputs).to.deep.equal([250 * MS]);
  });

  it('runs dense work ahead of the wall clock, without waiting', async () => {
    clock.input(() => card.input(5 * US, 10 * US, 25 * US));
    await turn();
    expect(card.ran).to.deep.equal([5 * US, 10 * US, 25 * US]);
    expect(clock.nowPs).to.equal(25 * US);
  });

  it('does not run a far timer ahead of the wall clock', async () => {
    clock.input(() => card.input(5 * US, 100 * MS));
    await turn();
    expect(card.ran).to.deep.equal([5 * US]);
    expect(card.events.length).to.equal(1);
  });

  it('goes past a running timer in small leaps when the process was held up', () => {
    clock.input(() => card.input(5 * MS));
    wallMs += 60_000;
    clock.input(() => card.input());
    expect(card.ran).to.deep.equal([]);
    expect(card.inputs.at(-1)).to.equal(1 * MS);
  });

  it('counts the time that simulating took as no time of the card', async () => {
    card.onEvent = () => (wallMs += 3);
    clock.input(() => card.input(1 * US, 2 * US));
    await turn();
    expect(clock.nowPs).to.equal(2 * US);
    clock.input(() => card.input());
    expect(card.inputs.at(-1)).to.equal(2 * US);
  });

  it('hands an answer given within an output to the card afterwards, at the same instant', async () => {
    let inside = false;
    card.onEvent = () => {
      card.onEvent = () => undefined;
      inside = true;
      clock.input(() => {
        expect(inside).to.equal(false);
        card.input(1 * US);
      });
      inside = false;
    };
    clock.input(() => card.input(5 * US));
    await turn();
    expect(card.inputs).to.deep.equal([0, 5 * US]);
    expect(card.ran).to.deep.equal([5 * US, 6 * US]);
  });

  it('stays exact for as long as the guest lives: epochs that are over are dropped', async () => {
    for (let days = 0; days < 3; days++) {
      wallMs += 24 * 3_600_000 + 7 / 1000;
      clock.input(() => card.input(5 * US, 5 * US + 1));
      expect(clock.nowPs).to.be.below(EPOCH_PS);
      const beganPs = clock.nowPs;
      await turn();
      expect(card.ran.splice(0)).to.deep.equal([beganPs + 5 * US, beganPs + 5 * US + 1]);
      expect(card.events).to.deep.equal([]);
    }
  });

  it('takes no more inputs once stopped', async () => {
    clock.stop();
    clock.input(() => card.input(1 * US));
    await turn();
    expect(card.inputs).to.deep.equal([]);
  });
});
