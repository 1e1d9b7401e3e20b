// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import fc from 'fast-check';
import { formatCsv } from '#src/report/csv.js';
import { formatJson, jsonParts } from '#src/report/json.js';
import { formatBytes, formatCount, formatFigure, formatTimeNs } from '#src/report/numbers.js';
import { sparkline } from '#src/report/sparkline.js';
import { formatSummaryTable, type SummaryRow } from '#src/report/summary-table.js';
import { formatTable } from '#src/report/table.js';
import { binCounts, countValues } from '#src/stats/counted-values.js';
import { summarize } from '#src/stats/summary.js';

const shape = (widthColumns: number, unicode = true) => ({ widthColumns, unicode, colour: false });

function row(name: string, samples: number[]): SummaryRow {
  return { name, summary: summarize(samples), bins: binCounts(countValues(samples), 40) };
}

describe('report: texts', () => {
  it('figures have no needless digits, and - where there is none', () => {
    expect([1010, 1034.86, 0, -0.04, 12.5, 1e6].map((v) => formatFigure(v))).to.deep.equal([
      '1010',
      '1034.9',
      '0',
      '0',
      '12.5',
      '1000000',
    ]);
    expect([null, undefined, NaN, Infinity].map((v) => formatFigure(v))).to.deep.equal(['-', '-', '-', '-']);
    expect(formatCount(1234567)).to.equal('1,234,567');
    expect([0, 512, 1536, 1 << 20].map(formatBytes)).to.deep.equal(['0 B', '512 B', '1.5 KiB', '1 MiB']);
    expect([0, 12, 1040, 2.5e6, 3e9, null].map(formatTimeNs)).to.deep.equal([
      '0 ns',
      '12 ns',
      '1.04 us',
      '2.5 ms',
      '3 s',
      '-',
    ]);
  });

  it('a sparkline shows a single far sample, and blanks where there is none', () => {
    expect(sparkline([0, 1, 50, 100, 0, 1], true)).to.equal(' ▁▅█ ▁');
    expect(sparkline([0, 1, 50, 100, 0, 1], false)).to.equal(' .+@ .');
    expect(sparkline([], true)).to.equal('');
    expect(sparkline([0, 0], true)).to.equal('  ');
  });

  it('CSV quotes what must be quoted', () => {
    const text = formatCsv(
      ['a', 'b'],
      [
        ['x,y', 1],
        ['he said "no"', null],
        ['two\nlines', undefined],
      ],
    );
    expect(text).to.equal('a,b\n"x,y",1\n"he said ""no""",\n"two\nlines",\n');
  });

  it('property: our JSON means what JSON.stringify means', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(formatJson(value))).to.deep.equal(JSON.parse(JSON.stringify(value)));
      }),
    );
    expect(formatJson(undefined)).to.equal('null');
    expect(formatJson({ a: undefined, b: NaN, c: Float64Array.of(1, 2) })).to.equal(
      '{\n  "b": null,\n  "c": [1, 2]\n}',
    );
  });

  it('comes in parts, so that millions of RPCs are no string that is too long', () => {
    const row = { client: 'a', index: 0, server: 'b', startNs: 1.5 };
    const value = { list: new Array<unknown>(3000).fill(row), none: [], empty: {} };
    const parts = [...jsonParts(value)];
    expect(parts.join(''))
      .to.equal(formatJson(value))
      .and.equal(JSON.stringify(value, null, 2));
    expect(parts.length).to.be.above(3);
    expect(Math.max(...parts.map((part) => part.length))).to.be.below(70_000);
  });

  it('a table is never wider than it may be as long as texts can give way', () => {
    const cells = fc.array(fc.tuple(fc.string({ maxLength: 90 }), fc.nat().map(String)), {
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(cells, fc.integer({ min: 40, max: 120 }), (rows, width) => {
        const clean = rows.map(([text, n]) => [text.replaceAll(/[^\x20-\x7e]/g, '?'), n]);
        const text = formatTable(['name', { title: 'n', align: 'right' }], clean, shape(width));
        for (const line of text.trimEnd().split('\n')) expect([...line].length).to.be.at.most(width);
      }),
    );
  });

  it('a table is this', () => {
    const text = formatTable(
      ['name', { title: 'bytes', align: 'right' }],
      [
        ['a', '1'],
        ['long name', '1024'],
      ],
      shape(80),
    );
    expect(text).to.equal('name       bytes\n─────────  ─────\na              1\nlong name   1024\n');
  });

  it('the summary fits 80 columns with its sparklines below, and has them beside when there is room', () => {
    const samples = Array.from({ length: 1000 }, (_, i) => 1010 + ((i * i) % 53));
    const rows = [row('write response', samples), row('read response', samples.slice(0, 20))];
    const narrow = formatSummaryTable(rows, { title: 'event', unit: 'ns' }, shape(80));
    for (const line of narrow.split('\n')) expect([...line].length, line).to.be.at.most(80);
    expect(narrow).to.match(/^read response +20 .* - +- /m);
    expect(narrow).to.match(/^write response +1010 {2}[ ▁-█]{40} {2}1062$/m);
    const wide = formatSummaryTable(rows, { title: 'event', unit: 'ns' }, shape(140));
    expect(wide.trimEnd().split('\n')).to.have.length(4);
    expect(wide).to.match(/^write response .* [ ▁-█]{40}$/m);
    const ascii = formatSummaryTable(rows, { title: 'event', unit: 'ns' }, shape(80, false));
    expect(ascii).to.match(/^[\x20-\x7e\n]*$/);
  });
});
