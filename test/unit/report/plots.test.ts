// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import { plotDistribution } from '#src/report/plot-distribution.js';
import { plotSizeSweep } from '#src/report/plot-size-sweep.js';
import { type PlotSpec, renderVegaLiteToHtml } from '#src/report/vega.js';
import { countValues } from '#src/stats/counted-values.js';
import { linearFit } from '#src/stats/regression.js';
import { summarize } from '#src/stats/summary.js';

const source = { title: 'Round trip of echo', simulated: true, profile: 'u250-gen3x16', seed: 7 };

function series(name: string, samples: number[]) {
  return { name, counted: countValues(samples), summary: summarize(samples) };
}

describe('report: plots', function () {
  this.timeout(60_000);

  it('a distribution says what it is, that it is simulated, and in which unit; twice the same bytes', async () => {
    const samples = Array.from({ length: 1000 }, (_, i) => 1010 + ((i * 7919) % 101));
    const one = [series('write response', samples)];
    const svg = await plotDistribution(source, one);
    expect(svg).to.match(/^<svg /);
    for (const text of [
      'Round trip of echo (simulated)',
      'PCIe profile u250-gen3x16, seed 7',
      'time (ns)',
      'share of samples at or below',
      'write response: 1,000 samples',
      'p50 1060',
    ]) {
      expect(svg).to.include(text);
    }
    expect(svg).not.to.match(/NaN|undefined|Infinity/);
    expect(await plotDistribution(source, one)).to.equal(svg);
  });

  it('a few far samples do not squeeze the others; the title says how many are beyond', async () => {
    const samples = [...Array.from({ length: 997 }, (_, i) => 830 + (i % 40)), 2200, 2250, 2300];
    const svg = await plotDistribution(source, [series('write response', samples)]);
    expect(svg).to.match(/>3 beyond 88\d ns not drawn, max 2300</);
    expect(svg).to.include('>870<').and.not.to.include('>2,000<');
  });

  it('draws several events, one value, and very many values', async () => {
    const many = Array.from({ length: 50_000 }, (_, i) => i);
    const svg = await plotDistribution({ title: 'mixture' }, [series('one', [5]), series('many', many)]);
    expect(svg).to.include('one: 1 sample,').and.to.include('many: 50,000 samples');
    expect(svg).not.to.include('simulated');
    expect(svg).not.to.match(/NaN|undefined/);
    expect(svg.length).to.be.below(500_000);
  });

  it('a size sweep labels its largest size, whatever the sizes, and shows every label it has', async () => {
    for (const sizes of [
      [64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072, 262144, 524288],
      [1, 100_001, 200_001, 900_001, 1_000_000],
      Array.from({ length: 100 }, (_, i) => 64 + 64 * i),
    ]) {
      const points = sizes.map((sizeBytes) => ({ sizeBytes, medianNs: 1000 + sizeBytes / 10, p99Ns: null }));
      const svg = await plotSizeSweep({ title: 'sweep', simulated: true }, points);
      const label = sizes.at(-1)!.toLocaleString('en-US');
      const text = new RegExp(`<text [^>]*>${label}<`).exec(svg)?.[0];
      expect(text, label).to.be.a('string');
      expect(svg).not.to.match(/<text [^>]*opacity="0"[^>]*>[\d,]+</);
      expect(svg.match(/<text [^>]*>[\d,]+</g)!.length).to.be.lessThan(25);
    }
  });

  it('a size sweep has both axes, the fit and its slope', async () => {
    const points = [64, 1024, 65536].map((sizeBytes) => ({
      sizeBytes,
      medianNs: 1500 + sizeBytes * 0.08,
      p99Ns: null,
    }));
    const fit = { ...linearFit(points.map((p) => [p.sizeBytes, p.medianNs])), rateGbps: 100 };
    const svg = await plotSizeSweep({ ...source, title: 'Loopback' }, points, fit);
    for (const text of [
      'Loopback (simulated)',
      'message size (bytes)',
      'time (ns)',
      'bytes at 100 Gbit/s',
      'fit: 1500 ns',
      '>65,536<',
    ]) {
      expect(svg).to.include(text);
    }
    expect(svg).not.to.match(/NaN|undefined/);
    const single = await plotSizeSweep(source, points.slice(0, 1));
    expect(single).not.to.match(/NaN|undefined/);
  });

  it('a page holds its drawings and loads nothing', async () => {
    const spec = {
      data: { values: [{ x: 1 }] },
      mark: 'point',
      encoding: { x: { field: 'x', type: 'quantitative' } },
    };
    const page = await renderVegaLiteToHtml(spec as unknown as PlotSpec, {
      title: 'a <b> & c',
      notes: ['note'],
    });
    expect(page)
      .to.include('<title>a &lt;b&gt; &amp; c</title>')
      .and.to.include('<svg ')
      .and.to.include('<p>note</p>');
    expect(page).not.to.match(/<script|<link|src=/);
  });
});
