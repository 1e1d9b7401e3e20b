// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import fc from 'fast-check';
import {
  defaultGrantSettings,
  fifoIntervalPs,
  grantPriority,
  type GrantSettings,
  grantWindow,
} from '#src/nic/sim/protocol/grant-settings.js';
import { GrantScheduler } from '#src/nic/sim/protocol/grants.js';
import { GrantOracle } from './grant-oracle.js';
import { runs } from './property-runs.js';

type Grant = [number, number, number];
const withoutFifo = (): GrantSettings => ({ ...defaultGrantSettings(100_000), fifoIncrement: 0 });

describe('the formulas of the grant scheduler', function () {
  this.timeout(600_000);

  it('give the windows of the fact sheet', () => {
    const windows = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => grantWindow(withoutFifo(), n));
    expect(windows).to.deep.equal([200_000, 133_333, 100_000, 80_000, 66_666, 57_142, 50_000, 44_444]);
    expect(grantWindow({ ...withoutFifo(), window: 1234 }, 5)).to.equal(1234);
  });
  it('give its priorities: the lowest levels that suffice', () => {
    const row = (n: number): number[] => Array.from({ length: n }, (_, rank) => grantPriority(3, rank, n));
    expect([1, 2, 3, 4, 6].map(row)).to.deep.equal([
      [0],
      [1, 0],
      [2, 1, 0],
      [3, 2, 1, 0],
      [3, 2, 1, 0, 0, 0],
    ]);
  });
  it('give its FIFO periods: 800, 320, 80 microseconds', () => {
    const periods = [10_000, 25_000, 100_000].map((mbps) => fifoIntervalPs(50_000, mbps, 50) / 1e6);
    expect(periods).to.deep.equal([800, 320, 80]);
    expect(fifoIntervalPs(50_000, 100_000, 0)).to.equal(Infinity);
  });
});

describe('GrantScheduler', function () {
  this.timeout(600_000);

  it('grants the 201,404 bytes of vector D after the first packet of 500,000', () => {
    const grants: Grant[] = [];
    const scheduler = new GrantScheduler(1, withoutFifo(), (...grant) => grants.push(grant));
    scheduler.add(0, 0, 500_000, 40_000, 1404);
    expect(grants).to.deep.equal([[0, 201_404, 0]]);
  });

  it('gives the oldest message nothing while its share is 0, and its share when there is one', () => {
    const grants: Grant[] = [];
    const settings = { ...defaultGrantSettings(100_000), fifoInterval: fifoIntervalPs(50_000, 100_000, 0) };
    const scheduler = new GrantScheduler(1, settings, (...grant) => grants.push(grant));
    scheduler.add(0, 0, 500_000, 40_000, 1404);
    expect(grants).to.deep.equal([[0, 201_404, 0]]);
    settings.fifoInterval = fifoIntervalPs(50_000, 100_000, 50);
    scheduler.progress(0, 2808);
    expect(grants.slice(1)).to.deep.equal([
      [0, 202_808, 0],
      [0, 252_808, 6],
    ]);
  });

  it('grants a lone message as its packets come, never with increment 0, and is empty afterwards', () => {
    const grants: Grant[] = [];
    const scheduler = new GrantScheduler(1, withoutFifo(), (...grant) => grants.push(grant));
    scheduler.add(0, 0, 500_000, 40_000, 1404);
    for (let received = 2808; received < 500_000; received += 1404) scheduler.progress(0, received);
    scheduler.progress(0, 500_000);
    const offsets = grants.map((grant) => grant[1]);
    expect(offsets.at(-1)).to.equal(500_000);
    expect(offsets.every((offset, i) => i === 0 || offset > offsets[i - 1]!)).to.equal(true);
    expect(grants.length).to.equal(214);
    expect([scheduler.totalIncoming, scheduler.activeCount, scheduler.has(0)]).to.deep.equal([0, 0, false]);
  });

  it('waits for the first packet of a message that was entered before it was counted', () => {
    const grants: Grant[] = [];
    const scheduler = new GrantScheduler(1, withoutFifo(), (...grant) => grants.push(grant));
    scheduler.add(0, 0, 500_000, 40_000, 0);
    expect([grants.length, scheduler.totalIncoming, scheduler.has(0)]).to.deep.equal([0, 0, true]);
    scheduler.progress(0, 1404);
    expect(grants).to.deep.equal([[0, 201_404, 0]]);
  });

  it('takes no part in a message that was allowed whole', () => {
    const scheduler = new GrantScheduler(1, withoutFifo(), () => expect.fail('granted'));
    scheduler.add(0, 0, 5000, 5000, 1404);
    scheduler.progress(0, 2808);
    expect([scheduler.has(0), scheduler.totalIncoming]).to.deep.equal([false, 0]);
  });

  it('gives every peer an active message before any peer gets its second', () => {
    const granted = new Set<number>();
    const scheduler = new GrantScheduler(16, { ...withoutFifo(), maxOvercommit: 4 }, (message) =>
      granted.add(message),
    );
    for (let i = 0; i < 4; i++) scheduler.add(i, 0, 800_000 + i, 10_000, 10_000);
    expect([...granted]).to.deep.equal([0, 1, 2]);
    for (let i = 4; i < 7; i++) scheduler.add(i, i, 900_000 + i, 10_000, 1000);
    expect(scheduler.activeCount).to.equal(4);
    granted.clear();
    for (let i = 0; i < 3; i++) scheduler.progress(i, scheduler.grantedBytes(i));
    expect([...granted].sort()).to.deep.equal([0, 4, 5, 6]);
  });

  it('does not grant a message without buffer room, and does once there is room', () => {
    const grants: Grant[] = [];
    const scheduler = new GrantScheduler(2, withoutFifo(), (...grant) => grants.push(grant));
    scheduler.add(0, 0, 500_000, 40_000, 0, true);
    scheduler.progress(0, 0);
    expect([grants.length, scheduler.totalIncoming]).to.deep.equal([0, 0]);
    scheduler.unblock(0);
    expect(grants).to.deep.equal([[0, 200_000, 0]]);
    scheduler.block(0);
    expect(scheduler.totalIncoming).to.equal(0);
  });

  const act = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.tuple(fc.constant('add'), fc.nat(15), fc.integer({ min: 2, max: 2000 }), fc.nat(400)),
    },
    {
      weight: 8,
      arbitrary: fc.tuple(fc.constant('progress'), fc.nat(15), fc.integer({ min: 1, max: 300 }), fc.nat(3)),
    },
    { weight: 1, arbitrary: fc.tuple(fc.constant('remove'), fc.nat(15), fc.nat(0), fc.nat(0)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('block'), fc.nat(15), fc.nat(0), fc.nat(0)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('unblock'), fc.nat(15), fc.nat(0), fc.nat(0)) },
  );
  const settings = fc.record({
    maxIncoming: fc.integer({ min: 1, max: 3000 }),
    maxOvercommit: fc.integer({ min: 1, max: 8 }),
    window: fc.constantFrom(0, 0, 50, 700),
    maxScheduledPriority: fc.nat(6),
    fifoPriority: fc.nat(6),
    fifoIncrement: fc.constantFrom(0, 40, 300),
    fifoInterval: fc.constantFrom(1, 20),
  });

  it('makes the same grants in the same order as an oracle that sorts everything each time', () => {
    let compared = 0;
    fc.assert(
      fc.property(settings, fc.array(act, { maxLength: 250, size: 'max' }), (chosen, acts) => {
        const oracle = new GrantOracle(chosen);
        const grants: Grant[] = [];
        const scheduler = new GrantScheduler(16, chosen, (...grant) => grants.push(grant));
        for (const [name, id, a, b] of acts) {
          const message = oracle.find(id);
          oracle.now = ++scheduler.now;
          if (name === 'add' && !message) {
            const granted = Math.min(b, a - 1);
            const received = Math.min(b >> 1, a - 1);
            oracle.add(id, id % 5, a, granted, received, b % 7 === 0);
            scheduler.add(id, id % 5, a, granted, received, b % 7 === 0);
          } else if (name === 'progress') {
            // Mostly within what was granted, sometimes a batch beyond it, as senders do.
            const limit = message ? Math.min(message.length, message.granted + (b === 0 ? a : 0)) : 0;
            const received = message ? Math.max(message.received, Math.min(message.received + a, limit)) : 0;
            oracle.progress(id, received);
            scheduler.progress(id, received);
          } else if (name === 'remove' || name === 'block' || name === 'unblock') {
            oracle[name](id);
            scheduler[name](id);
          }
          expect(grants).to.deep.equal(oracle.grants);
          expect(scheduler.totalIncoming).to.equal(oracle.totalIncoming);
          expect(scheduler.has(id)).to.equal(oracle.find(id) !== undefined);
        }
        compared += grants.length;
        for (const { id } of [...oracle.messages]) scheduler.remove(id);
        expect([scheduler.totalIncoming, scheduler.activeCount]).to.deep.equal([0, 0]);
      }),
      { seed: 31, numRuns: runs(250) },
    );
    expect(compared).to.be.greaterThan(5000);
  });
});
