// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { runScenario } from '#src/world/scenario/runner.js';
import type { Scenario } from '#src/world/scenario/scenario.js';
import { World } from '#src/world/world.js';
import { simCard } from './sim-card.js';

/** Frames and RPCs with their times, however the world was run. */
async function story(scenario: Scenario, lockstep: boolean) {
  const frames: string[] = [];
  const times: number[] = [];
  const report = await runScenario({
    scenario,
    makeCard: simCard,
    lockstep,
    onFrame: (timePs, frame) => {
      times.push(timePs);
      frames.push(`${timePs} ${Buffer.from(frame).toString('base64')}`);
    },
  });
  expect(times, 'frames come in order of time').to.deep.equal([...times].sort((a, b) => a - b));
  return { frames, rpcs: report.rpcs, drops: report.drops, faults: report.faults, left: report.left };
}

const CROSSED: Scenario = {
  schemaVersion: 1,
  name: 'everybody calls everybody',
  hosts: [{ name: 'h', count: 5 }],
  faults: [{ random: { drop: 0.02, duplicate: 0.02, reorder: 0.05 } }],
  workload: {
    servers: ['h1', 'h2', 'h3', 'h4', 'h5'].map((host) => ({ host, receives: 8, capacityBytes: 100_000 })),
    clients: ['h1', 'h2', 'h3', 'h4', 'h5'].map((host) => ({
      host,
      to: '*' as const,
      count: 30,
      outstanding: 4,
      requestBytes: { min: 1, max: 60_000 },
    })),
  },
  drainUs: 300_000,
};

/** Two hosts that do something at the very same picosecond may be told in either order. */
function withoutTies(frames: readonly string[]): string[] {
  return [...frames].sort();
}

describe('world: lockstep', () => {
  for (const name of ['rpc', 'lossy', 'restart']) {
    it(`changes nothing but the speed: ${name}`, async function () {
      this.timeout(120_000);
      const scenario = JSON.parse(readFileSync(`scenarios/${name}.json`, 'utf8')) as Scenario;
      const one = await story(scenario, false);
      const many = await story(scenario, true);
      expect(withoutTies(many.frames)).to.deep.equal(withoutTies(one.frames));
      expect(many.rpcs).to.deep.equal(one.rpcs);
      expect(many.drops).to.deep.equal(one.drops);
      expect(many.faults).to.deep.equal(one.faults);
      expect(many.left).to.deep.equal(one.left);
    });
  }

  it('behind a switch, where ties decide who goes first: the same every time, every RPC ends', async function () {
    this.timeout(120_000);
    const once = await story(CROSSED, true);
    expect(await story(CROSSED, true)).to.deep.equal(once);
    expect(once.rpcs.ok).to.equal(150);
    expect(once.left).to.deep.equal({ rpcs: 0, calls: 0, dma: 0, clientSlots: 0 });
    expect((await story(CROSSED, false)).rpcs.ok).to.equal(150);
  });

  it('refuses a cable without a delay', () => {
    const world = new World({ seed: 1, lockstep: true });
    expect(() =>
      world.addDirection('a>s', { rateMbps: 100_000, delayPs: 0 }, { frameIn: () => undefined }),
    ).to.throw(RangeError, 'link a>s');
  });
});
