// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import { formatSummaryTable } from '#src/report/summary-table.js';
import { summarize } from '#src/stats/summary.js';

const shape = { widthColumns: 80, unicode: true, colour: false };

describe('summary table', () => {
  it('shows figures in microseconds when nanoseconds do not fit, and never cuts a name for them', () => {
    const samples = Float64Array.from({ length: 1000 }, (_, i) => 111_751 + i * i * 12.7);
    const rows = [
      { name: 'loopback 64 B', summary: summarize(samples), bins: new Array<number>(40).fill(25) },
    ];
    const text = formatSummaryTable(rows, { title: 'test', unit: 'ns' }, shape);
    expect(text).to.match(/^test \(us\) /);
    expect(text).to.match(/^loopback 64 B +1000 +111\.8 /m);
    for (const line of text.split('\n')) expect(line.length).to.be.at.most(80);
  });

  it('keeps nanoseconds where they fit', () => {
    const rows = [{ name: 'echo', summary: summarize([829, 852, 861]) }];
    expect(formatSummaryTable(rows, { title: 'test', unit: 'ns' }, shape)).to.match(/^test \(ns\)/);
  });
});
