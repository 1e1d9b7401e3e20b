// SPDX-License-Identifier: Apache-2.0
// RPCs of all sizes over networks that lose, double and reorder: each ends exactly once, with the right bytes or a
// reported error, and afterwards nothing is left. HOMA_NIC_LONG=1 runs ten times as many.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import type { ScenarioReport } from '#src/world/scenario/report.js';
import { runScenario } from '#src/world/scenario/runner.js';
import type { Scenario, ScenarioClient } from '#src/world/scenario/scenario.js';
import { EDGES, LARGE, smallScenario } from './any-scenario.js';
import { simCard } from './sim-card.js';

const LONG = process.env['HOMA_NIC_LONG'] === '1';
const SCALE = LONG ? 10 : 1;

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
