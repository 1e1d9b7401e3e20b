// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import { compareResults, inOrder, slotShares, slowdownBySize, type Comparable } from '#src/model/compare.js';
import { runModel } from '#src/model/run.js';
import { DEFAULT_SETTINGS } from '#src/model/settings.js';
import { drainPlot, occupancyPlot, ratioPlot, slowdownPlot } from '#src/report/plot-model.js';
import { renderVegaLiteToSvg } from '#src/report/vega.js';
import { LengthDistribution } from '#src/workload/length-distribution.js';

const distribution = new LengthDistribution('two', [[64, 0.5], [6400, 1]]); // prettier-ignore
const run = (strategy: string, entries: number | null, seed: number, messages = 2000): Comparable =>
  runModel(
    { ...DEFAULT_SETTINGS, workload: 'two', strategy, entries, seed, messages, warmup: 0, load: 0.9 },
    { kind: 'poisson', distribution },
  );

describe('report: plots of the model', function () {
  this.timeout(60_000);
  const rows = [1, 2, 3].flatMap((seed) => [
    run('exact', null, seed),
    ...['pifo-naive', 'pifo-watermark', 'sifter'].flatMap((name) => [2, 4, 8].map((n) => run(name, n, seed))),
  ]);

  it('is the same whichever point was finished first', async () => {
    const draw = async (list: readonly Comparable[]): Promise<string[]> => {
      const results = inOrder(list);
      const plots = [
        slowdownPlot(slowdownBySize(results)),
        occupancyPlot(slotShares(results)),
        ratioPlot(compareResults(results)),
      ];
      return Promise.all(plots.map((plot) => renderVegaLiteToSvg(plot!.spec)));
    };
    expect(await draw([...rows].reverse())).to.deep.equal(await draw(rows));
  });

  it('tells many curves apart: a colour a strategy, the same in every plot, dashes for entries', () => {
    const results = inOrder(rows);
    const slowdown = JSON.stringify(slowdownPlot(slowdownBySize(results))!.spec);
    const ratio = JSON.stringify(ratioPlot(compareResults(results))!.spec);
    expect(slowdown).to.contain('"strokeDash"');
    expect(slowdown).to.contain('"domain":["exact","pifo-naive","pifo-watermark","sifter"]');
    const colours = (spec: string): string[] =>
      JSON.parse(/"domain":\["(?:exact|pifo)[^\]]*\],"range":(\[[^\]]*\])/.exec(spec)![1]!) as string[];
    expect(colours(slowdown).slice(1)).to.deep.equal(colours(ratio));
    expect(new Set(colours(slowdown)).size).to.equal(4);
  });

  it('has the mean over the seeds and an interval for each slot', () => {
    const shares = slotShares(rows).filter((s) => s.strategy === 'exact');
    const used = rows.filter((r) => r.settings.strategy === 'exact').map((r) => r.slotOccupancy[0]!);
    expect(shares[0]!.share.mean).to.be.closeTo((used[0]! + used[1]! + used[2]!) / 3, 1e-12);
    expect(shares[0]!.share.half).to.be.above(0);
    expect(shares.map((s) => s.slot)).to.deep.equal(shares.map((_, i) => i + 1));
  });

  it('draws nothing of which there is nothing', () => {
    const short = [run('exact', null, 1, 50)];
    expect(slowdownPlot(slowdownBySize(short))).to.equal(undefined);
    expect(drainPlot([])).to.equal(undefined);
    expect(occupancyPlot([])).to.equal(undefined);
  });
});
