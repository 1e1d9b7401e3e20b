// SPDX-License-Identifier: Apache-2.0
// RPCs of all sizes over networks that lose, double and reorder: each ends exactly once, with the right bytes or a
// reported error, and afterwards nothing is left. HOMA_NIC_LONG=1 runs ten times as many.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import type { ScenarioReport } from '#src/world/scenario/report.js';
import { runScenario } from '#src/world/scenario/runner.js';
import type { Scenario, ScenarioClient } from '#src/world/scenario/scenario.js';
import { simCard } from './sim-card.js';

const LONG = process.env['HOMA_NIC_LONG'] === '1';
const SCALE = LONG ? 10 : 1;

/** Lengths around every edge there is: inline, segment, unscheduled, largest. */
const EDGES = [
  1, 2, 3, 4, 5, 63, 64, 65, 127, 1000, 1403, 1404, 1405, 1424, 1425, 2807, 2808, 2809, 4096, 5000, 8191,
];
const LARGE = [39_999, 40_000, 40_001, 65_536, 100_000];

/** What must hold after any run; the sentences of what does not. */
function faultsOf(scenario: Scenario, report: ScenarioReport): string[] {
  const found: string[] = [];
  const must = (what: string, actual: unknown, wanted: unknown): void => {
    if (actual !== wanted) found.push(`${what} is ${JSON.stringify(actual)}, not ${JSON.stringify(wanted)}`);
  };
  const count = scenario.workload!.clients!.reduce((sum, client) => sum + client.count, 0);
  must('RPCs with an outcome', report.rpcs.list.length, count);
  must('unfinished', report.rpcs.unfinished, 0);
  must('wrong bytes', report.rpcs.byOutcome['wrongBytes'] ?? 0, 0);
  must('DMA violations', report.violations, 0);
  must('what is left', JSON.stringify(report.left), '{"rpcs":0,"calls":0,"dma":0,"clientSlots":0}');
  must('idle', report.idle, true);
  for (const host of Object.values(report.hosts)) found.push(...host.faults);
  return found;
}

describe('world: torture', () => {
  const seeds = Array.from({ length: 10 * SCALE }, (_, i) => i + 1);
  const each = 500;
  let rpcs = 0;
  let ok = 0;
  for (const seed of seeds) {
    it(`2 x ${each} RPCs under 5 % loss, doubling and reordering, seed ${seed}`, async function () {
      this.timeout(120_000);
      const client = (host: string, to: string, more: Partial<ScenarioClient>): ScenarioClient => ({
        host,
        to,
        count: each,
        outstanding: 8,
        c2hBytes: 8_388_608,
        ...more,
      });
      const scenario: Scenario = {
        schemaVersion: 1,
        name: 'torture',
        seed,
        endUs: 60_000_000,
        drainUs: 1_500_000,
        hosts: [{ name: 'a' }, { name: 'b' }],
        faults: [{ random: { drop: 0.05, duplicate: 0.05, reorder: 0.05, reorderUs: 30 } }],
        workload: {
          servers: [
            { host: 'a', receives: 8, capacityBytes: 131_072, c2hBytes: 8_388_608 },
            { host: 'b', receives: 8, capacityBytes: 131_072, c2hBytes: 8_388_608 },
          ],
          clients: [
            client('a', 'b', {
              requestBytes: { list: [...EDGES, LARGE[seed % LARGE.length]!, ...EDGES] },
              match: 'id',
            }),
            client('b', 'a', { requestBytes: { min: 1, max: 3000 }, family: 'ipv4', match: 'any' }),
          ],
        },
      };
      const report = await runScenario({ scenario, makeCard: simCard });
      expect(faultsOf(scenario, report)).to.deep.equal([]);
      expect(report.faults.dropped).to.be.above(50);
      rpcs += report.rpcs.list.length;
      ok += report.rpcs.ok;
    });
  }

  it('had as many RPCs as promised, nearly all of them answered', () => {
    expect(rpcs).to.equal(seeds.length * 2 * each);
    expect(ok / rpcs).to.be.above(0.99);
  });
});

const size = fc.oneof(fc.constantFrom(...EDGES), fc.integer({ min: 1, max: 20_000 }), {
  weight: 1,
  arbitrary: fc.constantFrom(...LARGE, 1_000_000),
});
const chance = fc.integer({ min: 0, max: 20 }).map((percent) => percent / 100);

const smallScenario: fc.Arbitrary<Scenario> = fc
  .record({
    seed: fc.nat(1000),
    hosts: fc.integer({ min: 2, max: 4 }),
    random: fc.record({
      drop: chance,
      duplicate: chance,
      reorder: chance,
      reorderUs: fc.integer({ min: 1, max: 9000 }),
    }),
    registers: fc.record(
      {
        mtu: fc.constantFrom(1280, 1500, 9000),
        unscheduledBytes: fc.constantFrom(1, 1000, 40_000, 1_000_000),
        maxOvercommit: fc.integer({ min: 1, max: 8 }),
        resendTicks: fc.integer({ min: 1, max: 5 }),
        numPriorities: fc.integer({ min: 1, max: 8 }),
      },
      { requiredKeys: [] },
    ),
    rpcEntries: fc.constantFrom(4, 64, 16_384),
    thinkUs: fc.constantFrom(0, 0, 3000),
    clients: fc.array(
      fc.record({
        from: fc.nat(3),
        sizes: fc.array(size, { minLength: 1, maxLength: 6 }),
        outstanding: fc.integer({ min: 1, max: 6 }),
        ipv4: fc.boolean(),
        responseBytes: fc.constantFrom(0, 1, 64, 5000),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  })
  .map(({ seed, hosts, random, registers, rpcEntries, thinkUs, clients }) => ({
    schemaVersion: 1 as const,
    name: 'found by the property test',
    seed,
    endUs: 20_000_000,
    drainUs: 2_500_000,
    hosts: Array.from({ length: hosts }, (_, i) => ({ name: `h${i}`, registers, rpcEntries })),
    faults: [{ random }],
    workload: {
      servers: clients.map(({ from, responseBytes }, i) => ({
        host: `h${(from + 1) % hosts}`,
        port: 4000 + i,
        receives: 2,
        capacityBytes: 1_000_000,
        responseBytes,
        thinkUs,
      })),
      clients: clients.map(({ from, sizes, outstanding, ipv4 }, i) => ({
        host: `h${from % hosts}`,
        to: `h${((from % hosts) + 1 + (from % (hosts - 1))) % hosts}`,
        port: 4000 + i,
        count: sizes.length,
        outstanding: Math.min(outstanding, sizes.some((bytes) => bytes > 100_000) ? 1 : 6),
        requestBytes: { list: sizes },
        match: 'id' as const,
        family: ipv4 ? ('ipv4' as const) : ('ipv6' as const),
      })),
    },
  }));

describe('world: scenarios that once failed', () => {
  for (const file of readdirSync('test/fixtures/scenarios')) {
    it(`${file} ends each RPC once and leaves nothing behind`, async function () {
      this.timeout(60_000);
      const scenario = JSON.parse(readFileSync(`test/fixtures/scenarios/${file}`, 'utf8')) as Scenario;
      expect(faultsOf(scenario, await runScenario({ scenario, makeCard: simCard }))).to.deep.equal([]);
    });
  }
});

describe('world: any small scenario', () => {
  it('ends each RPC once and leaves nothing behind; a counterexample is written out as a scenario', async function () {
    this.timeout(600_000);
    const outcome = await fc.check(
      fc.asyncProperty(smallScenario, async (scenario) => {
        const report = await runScenario({ scenario, makeCard: simCard });
        expect(faultsOf(scenario, report)).to.deep.equal([]);
      }),
      { seed: Number(process.env['HOMA_NIC_TORTURE_SEED'] ?? 17), numRuns: 60 * SCALE, endOnFailure: false },
    );
    if (!outcome.failed) return;
    const [scenario] = outcome.counterexample!;
    const folder = 'build/regression-candidates';
    mkdirSync(folder, { recursive: true });
    const file = `${folder}/torture-${outcome.seed}-${outcome.numRuns}.json`;
    writeFileSync(file, `${JSON.stringify(scenario, undefined, 2)}\n`);
    expect.fail(
      `seed ${outcome.seed}, path ${outcome.counterexamplePath}, after ${outcome.numShrinks} shrinks; scenario in ${file}\n${String(outcome.errorInstance)}`,
    );
  });
});
