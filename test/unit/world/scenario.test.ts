// SPDX-License-Identifier: Apache-2.0
import { readFileSync, readdirSync } from 'node:fs';
import { expect } from 'chai';
import { loadWorkload } from '#src/data/load-workload.js';
import { validate } from '#src/schema/validate.js';
import { homaModuleDistribution } from '#src/workload/length-distribution.js';
import { runScenario } from '#src/world/scenario/runner.js';
import {
  ScenarioError,
  type Scenario,
  type ScenarioClient,
  type ScenarioServer,
} from '#src/world/scenario/scenario.js';
import { simCard } from './sim-card.js';

const files = readdirSync('scenarios').filter((file) => file.endsWith('.json'));

async function lengthsOf(scenario: Scenario) {
  const names = (scenario.workload?.clients ?? []).flatMap(({ requestBytes }) =>
    typeof requestBytes === 'object' && 'workload' in requestBytes ? [requestBytes.workload] : [],
  );
  const loaded = await Promise.all(
    names.map(async (name) => [name, homaModuleDistribution(await loadWorkload(name))]),
  );
  return Object.fromEntries(loaded);
}

describe('world: scenario files', () => {
  for (const file of files) {
    it(`${file} is valid and meets its expectations`, async function () {
      this.timeout(120_000);
      const scenario = JSON.parse(readFileSync(`scenarios/${file}`, 'utf8')) as Scenario;
      expect(await validate('scenario.v1', scenario)).to.deep.equal([]);
      expect(scenario.expectations?.length ?? 0).to.be.above(0);
      const report = await runScenario({ scenario, makeCard: simCard, lengths: await lengthsOf(scenario) });
      expect(report.expectations.filter((expectation) => !expectation.ok)).to.deep.equal([]);
      expect(report.passed).to.equal(true);
      expect(report.violations, 'DMA violations').to.equal(0);
      const faults = Object.values(report.hosts).flatMap((host) => host.faults);
      expect(faults).to.deep.equal([]);
    });
  }
});

const LOSSY: Scenario = {
  schemaVersion: 1,
  name: 'lossy',
  hosts: [{ name: 'a' }, { name: 'b' }],
  faults: [{ random: { drop: 0.05, duplicate: 0.05, reorder: 0.05 } }],
  workload: {
    servers: [{ host: 'b', receives: 16 }],
    clients: [{ host: 'a', to: 'b', count: 60, outstanding: 8, requestBytes: { min: 1, max: 30_000 } }],
  },
  drainUs: 200_000,
};

const PLAIN: Scenario = {
  schemaVersion: 1,
  name: 'plain',
  hosts: [{ name: 'a' }, { name: 'b' }],
  ...workload({}, {}),
};

/** The workload of a server on b and a client on a. */
function workload(
  server: Partial<ScenarioServer>,
  client: Partial<ScenarioClient>,
): Pick<Scenario, 'workload'> {
  return {
    workload: {
      servers: [{ host: 'b', ...server }],
      clients: [{ host: 'a', to: 'b', count: 3, ...client }],
    },
  };
}

describe('world: scenario runner', () => {
  it('gives the same bytes for the same file, frames included, and others for another seed', async () => {
    const run = async (seed: number): Promise<string> => {
      const frames: string[] = [];
      const report = await runScenario({
        scenario: LOSSY,
        makeCard: simCard,
        seed,
        onFrame: (timePs, frame) => frames.push(`${timePs} ${Buffer.from(frame).toString('base64')}`),
      });
      return JSON.stringify(report) + frames.join('\n');
    };
    const first = await run(3);
    expect(await run(3)).to.equal(first);
    expect(await run(4)).to.not.equal(first);
  });

  it('lets a client rest between the end of an RPC and its next', async () => {
    const scenario = { ...PLAIN, ...workload({}, { count: 6, outstanding: 2, pauseUs: 100 }) };
    const { rpcs } = await runScenario({ scenario, makeCard: simCard });
    expect(rpcs.ok).to.equal(6);
    const starts = rpcs.list.map((row) => row.startNs);
    expect(starts[2]! - rpcs.list[0]!.endNs).to.be.within(100_000, 110_000);
    expect(starts[5]!).to.be.above(200_000);
  });

  it('begins no RPC after endUs, and those without an outcome are unfinished', async () => {
    const scenario = { ...PLAIN, endUs: 1000, ...workload({}, { count: 1_000_000 }) };
    const { rpcs } = await runScenario({ scenario, makeCard: simCard });
    expect(rpcs.ok).to.be.above(100);
    expect(rpcs.list.filter((row) => row.startNs > 1_000_000)).to.deep.equal([]);
    const hung = { ...PLAIN, endUs: 1000, ...workload({ silent: true }, {}) };
    const without = (await runScenario({ scenario: hung, makeCard: simCard })).rpcs;
    expect(without).to.include({ started: 1, ok: 0, failed: 0, unfinished: 1 });
    expect(without.byOutcome).to.deep.equal({});
  });

  it('runs 240 hosts that know each other, and 300 that have to ask', async () => {
    const of = (count: number, family: 'ipv4' | 'ipv6'): Partial<Scenario> => ({
      hosts: [
        { name: 'a', count: 60 },
        { name: 'b', count },
      ],
      workload: {
        servers: [{ host: `b${count}` }],
        clients: [{ host: 'a1', to: `b${count}`, count: 3, family }],
      },
    });
    const told = await runScenario({ scenario: { ...PLAIN, ...of(180, 'ipv4') }, makeCard: simCard });
    expect(told.rpcs.byOutcome).to.deep.equal({ ok: 3 });
    expect(told.packets.byType).to.not.have.any.keys('ARP', 'ICMP');
    const network: Scenario['network'] = { neighbours: 'discover' };
    const asking = { ...PLAIN, ...of(240, 'ipv6'), network };
    const found = await runScenario({ scenario: asking, makeCard: simCard });
    expect(found.rpcs.byOutcome).to.deep.equal({ ok: 3 });
  });

  it("takes a client's load as a share of the link at its host", async () => {
    const scenario = {
      ...PLAIN,
      network: { links: [{ a: 'a', b: 'b', rateGbps: 1 }] },
      ...workload({ responseBytes: 1 }, { count: 400, outstanding: 20, requestBytes: 1404, load: 0.5 }),
    };
    const { rpcs } = await runScenario({ scenario, makeCard: simCard });
    // 1404 bytes and their headers take 12.3 µs at 1 Gbit/s: at half of that one begins every 24.6 µs.
    expect(rpcs.list[399]!.intendedNs).to.be.within(400 * 22_000, 400 * 27_500);
  });

  const event = (atUs: number, host: string, action: 'crash' | 'restart') => ({ atUs, host, action });
  const steady = { count: 40, pauseUs: 100 };

  it('restarts a host that is up as one that crashed: its clients learn it, and nothing is left', async () => {
    const scenario = { ...PLAIN, ...workload({}, steady), events: [event(1050, 'a', 'restart')] };
    const report = await runScenario({ scenario, makeCard: simCard });
    expect(report.rpcs.unfinished).to.equal(0);
    expect(report.rpcs.byOutcome['hostCrashed']).to.be.within(20, 39);
    expect([report.applicationFaults, report.idle]).to.deep.equal([0, true]);
  });

  it('starts each server once, at its time or when its host is up again, and none on a host that is down', async () => {
    const events = [event(400, 'b', 'crash'), event(600, 'b', 'restart')];
    for (const startUs of [300, 500, 602, 900]) {
      const scenario = { ...PLAIN, ...workload({ startUs }, steady), events };
      const report = await runScenario({ scenario, makeCard: simCard });
      expect(report.applicationFaults, `start at ${startUs}`).to.equal(0);
      expect(report.rpcs.ok, `start at ${startUs}`).to.be.above(20);
    }
    const scenario = {
      ...PLAIN,
      ...workload({}, steady),
      events: [event(400, 'b', 'restart'), event(402, 'b', 'crash')],
    };
    const report = await runScenario({ scenario, makeCard: simCard });
    expect(report.rpcs.ok).to.be.below(5);
    expect(report.applicationFaults).to.equal(0);
  });

  it('counts the frames of a host that is switched on late, and looks at its card', async () => {
    const hosts = [{ name: 'a' }, { name: 'b', down: true }];
    const scenario = {
      ...PLAIN,
      hosts,
      ...workload({ startUs: 100 }, { count: 3 }),
      events: [event(50, 'b', 'restart')],
    };
    let frames = 0;
    const report = await runScenario({ scenario, makeCard: simCard, onFrame: () => frames++ });
    expect(report.rpcs.ok).to.equal(3);
    expect(report.hosts['b']!.counters.dataSent).to.equal(3);
    expect(report.packets.byType['DATA']).to.be.within(6, 7);
    expect(frames).to.equal(report.packets.total);
  });

  it('lets no question for an address go round in a ring of switches', async () => {
    const between = ['leaf-a', 'leaf-b'].flatMap((a) => ['spine-a', 'spine-b'].map((b) => ({ a, b })));
    const scenario: Scenario = {
      ...PLAIN,
      network: {
        switches: ['leaf-a', 'leaf-b', 'spine-a', 'spine-b'].map((name) => ({ name })),
        links: [{ a: 'a', b: 'leaf-a' }, { a: 'b', b: 'leaf-b' }, ...between, { a: 'leaf-a', b: 'spine-a' }],
        neighbours: 'discover',
      },
    };
    const report = await runScenario({ scenario, makeCard: simCard });
    expect(report.rpcs.ok).to.equal(3);
    expect(report.packets.byType['ICMP']).to.equal(2);
    expect([report.idle, report.drops]).to.deep.equal([true, {}]);
  });

  it('makes its RPCs one after the other where the receive buffer does not hold them all', async () => {
    const scenario = {
      ...PLAIN,
      ...workload({ responseBytes: 1_000_000 }, { count: 9, outstanding: 6, requestBytes: 100 }),
    };
    const report = await runScenario({ scenario, makeCard: simCard });
    expect(report.rpcs.byOutcome).to.deep.equal({ ok: 9 });
    expect(report.applicationFaults).to.equal(0);
  });

  const refused: [string, Partial<Scenario>, RegExp][] = [
    [
      'receive buffers that do not fit, of a client',
      workload({}, { outstanding: 100, requestBytes: 1_000_000, match: 'any' }),
      /client on a: 100 receive buffers of 1000000 bytes, but 2 fit into half of its c2hBytes, 2097152/,
    ],
    [
      'receive buffers that do not fit, of a server',
      workload({ receives: 200, capacityBytes: 1_000_000 }, {}),
      /server on b: 200 receive buffers of 1000000 bytes, but 2 fit/,
    ],
    [
      'an event of a host that is none, late as it is',
      { events: [event(1e9, 'c', 'crash')] },
      /event on 'c'/,
    ],
    [
      'hosts with one address',
      {
        hosts: [
          { name: 'a', ipv4: '10.0.0.1' },
          { name: 'b', ipv4: '10.0.0.1' },
        ],
      },
      /hosts a and b have the same IPv4 address/,
    ],
    [
      'a host whose address somebody has by default',
      { hosts: [{ name: 'a', ipv6: 'fd77::2' }, { name: 'b' }] },
      /hosts a and b have the same IPv6 address/,
    ],
    [
      'a card with the address of a group',
      { hosts: [{ name: 'a', mac: '03:00:00:00:00:01' }, { name: 'b' }] },
      /host a: its MAC address is that of a group/,
    ],
    ['a rate that rounds to nothing', { network: { rateGbps: 0.0004 } }, /below 0.001/],
    ['a link back to its host', { network: { links: [{ a: 'a', b: 'a' }] } }, /from 'a' to itself/],
    [
      'two links at one card',
      {
        network: {
          links: [
            { a: 'a', b: 'b' },
            { a: 'b', b: 'a' },
          ],
        },
      },
      /host a has 2 links/,
    ],
  ];
  for (const [what, part, message] of refused) {
    it(`refuses ${what}`, async () => {
      const error = await runScenario({ scenario: { ...PLAIN, ...part }, makeCard: simCard }).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).to.be.instanceOf(ScenarioError);
      expect((error as Error).message).to.match(message);
    });
  }

  it('is ended by its signal and says so', async () => {
    const controller = new AbortController();
    controller.abort();
    const report = await runScenario({ scenario: LOSSY, makeCard: simCard }, { signal: controller.signal });
    expect(report.partial).to.equal(true);
    expect(report.rpcs.ok).to.be.below(60);
  });
});
