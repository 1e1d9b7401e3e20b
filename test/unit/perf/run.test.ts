// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import type { PerfBackend, TestRun } from '#src/perf/backend.js';
import { wireGoodputGbps, wireTimePs } from '#src/perf/ceilings.js';
import { runResult, runTests, sizeSweepFit, type MeasuredTest } from '#src/perf/run.js';
import { validate } from '#src/schema/validate.js';

const settings = { count: 200, warmup: 0, seed: 1, pcieProfile: 'p' };

function backend(run: (size: number) => Partial<TestRun>): PerfBackend {
  return {
    describe: () => ({
      nic: 'fake',
      simulated: true,
      profile: 'p',
      tests: [],
      profiles: [],
      versions: { nic: '1' },
    }),
    explain: () => undefined,
    limits: () => [],
    run: (test, { count }) =>
      Promise.resolve({
        samples: Float64Array.from({ length: count }, (_, i) => test.sizeBytes + (i % 7)),
        unit: 'ns',
        clock: 'simulated',
        span: 's',
        trace: [],
        warnings: [],
        partial: false,
        ...run(test.sizeBytes),
      }),
  };
}

async function collect(
  b: PerfBackend,
  sizes: number[],
  signal = new AbortController().signal,
): Promise<MeasuredTest[]> {
  const out: MeasuredTest[] = [];
  const requests = sizes.map((sizeBytes) => ({ name: 'loopback', sizeBytes }));
  for await (const measured of runTests(b, requests, settings, signal, () => undefined)) out.push(measured);
  return out;
}

const environment = {
  cpuModel: 'x',
  cores: 1,
  governor: null,
  kernel: 'k',
  node: 'v',
  gitHash: null,
  gitDirty: null,
  virtualMachine: null,
};

describe('runTests', () => {
  it('gives a row per test, and the rows make a valid result', async () => {
    const b = backend(() => ({}));
    const measured = await collect(b, [64, 128]);
    expect(measured.map((m) => m.row.sizeBytes)).to.deep.equal([64, 128]);
    const tests = measured.map((m) => m.row);
    const result = runResult({
      backend: b,
      settings,
      environment,
      versions: {},
      partial: false,
      tests,
      warnings: [],
    });
    expect(await validate('result.v1', JSON.parse(JSON.stringify(result)))).to.deep.equal([]);
  });

  it('stops after the test that Ctrl-C cut short and keeps what it measured', async () => {
    const b = backend((size) => (size === 128 ? { partial: true, samples: Float64Array.of(5) } : {}));
    const measured = await collect(b, [64, 128, 256]);
    expect(measured.map((m) => [m.row.sizeBytes, m.row.count])).to.deep.equal([
      [64, 200],
      [128, 1],
    ]);
  });

  it('fails when a test measured nothing', async () => {
    const b = backend(() => ({ samples: new Float64Array(0) }));
    let caught: unknown;
    await collect(b, [64]).catch((error: unknown) => (caught = error));
    expect(String(caught)).to.match(/'loopback' measured nothing/);
  });

  it('says when the count cannot support p99', async () => {
    const measured = await collect(
      backend(() => ({ samples: Float64Array.of(1, 2, 3) })),
      [64],
    );
    expect(measured[0]!.row.warnings[0]).to.match(/3 samples cannot support p99/);
    expect(measured[0]!.row.summary.p99).to.equal(null);
  });
});

describe('ceilings and sweep', () => {
  it('counts one packet of link overhead for each 1,404 bytes of payload', () => {
    expect(wireTimePs(64)).to.equal((64 + 134) * 80);
    expect(wireTimePs(1404)).to.equal(1538 * 80);
    expect(wireTimePs(1405)).to.equal((1405 + 268) * 80);
    expect(wireGoodputGbps(1404)).to.be.closeTo(91.287, 0.001);
  });

  it('recovers the slope of bytes over median time', async () => {
    const b = backend((size) => ({ samples: new Float64Array(200).fill(1000 + size / 10) }));
    const rows = (await collect(b, [64, 1024, 65536])).map((m) => m.row);
    const fit = sizeSweepFit(rows)!;
    expect(fit.slopeGbps).to.be.closeTo(80, 1e-6);
    expect(fit.interceptNs).to.be.closeTo(1000, 1e-6);
    expect(sizeSweepFit(rows.slice(0, 1))).to.equal(undefined);
  });
});
