// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { TtsumAnalysis, type TtsumOptions, wholeHalfEven } from '#src/parse/ttsum.js';
import { anyRecords, pieces, traceText } from './trace-text.js';

function run(files: readonly string[], options: TtsumOptions, cuts: number[] = []): string {
  const analysis = new TtsumAnalysis(options);
  for (const file of files) {
    analysis.startFile('t.tt');
    for (const piece of pieces(file, cuts)) analysis.feed(piece);
  }
  return analysis.finish();
}

// An independent, slow reading of docs/parse.md#ttsum: one regular expression a line, lists, nothing shared.
function slow(file: string, o: TtsumOptions): string {
  const older = o.tool === 'ttsum';
  const pattern = older
    ? /^(?:|[^\n]* )([0-9.]+) us \(\+ *([0-9.]+) us\) ([^\n]+)/
    : /^(?:|[^\n]* )([0-9.]+) us \(\+ *([0-9.]+) us\) \[C([0-9]+)\] ([^\n]+)/;
  const intervals: Record<string, number[]> = Object.create(null);
  const filed: Record<string, { t: number[]; d: number[] }[]> = Object.create(null);
  const prev: Record<string, number> = {};
  const start: Record<string, number> = {};
  let counts: Record<string, Record<string, number>> = {};
  let out = '';
  let last: number | undefined;
  for (const line of file.split(/\r?\n/)) {
    const m = pattern.exec(line);
    if (!m) continue;
    const raw = older ? m[3]! : m[4]!;
    const core = o.cores ? String(Number(m[3])) : 'all';
    const time = older ? Number(m[1]) * 1000 : Number(m[1]);
    const interval = older ? Number(m[2]) * 1000 : core in prev ? time - prev[core]! : 0;
    let name = raw;
    if (!o.numbers) {
      name = older
        ? raw.replace(/0x[0-9a-f]+/g, '?').replace(/[0-9]+/g, '?')
        : raw.replace(/(?<![\p{L}\d_])0x[0-9a-f]+(?![\p{L}\d_])/gu, '?').replace(/\b[0-9.]+\b/g, '?');
    }
    if (last !== undefined && time < last) out += `Time went backwards at the following line:\n${line}\n\n`;
    last = time;
    prev[core] = time;
    if (interval !== 0) (intervals[name] ??= []).push(interval);
    if (o.from !== undefined) {
      if (raw.includes(o.from)) {
        start[core] = time;
        counts = { ...counts, [core]: Object.create(null) };
      }
      if (!(core in start)) continue;
      const k = (counts[core]![name] = (counts[core]![name] ?? 0) + 1);
      const list = (filed[name] ??= []);
      while (list.length < k) list.push({ t: [], d: [] });
      list[k - 1]!.t.push(time - start[core]!);
      list[k - 1]!.d.push(interval);
    }
  }
  const scale = older ? 1 : 1e3;
  const ascending = (list: number[]): number[] => [...list].sort((a, b) => a - b);
  const mid = (list: number[]): number => ascending(list)[list.length >> 1]!;
  const average = (list: number[]): number =>
    (scale * ascending(list).reduce((a, b) => a + b, 0)) / list.length;
  const cell = (v: number): string => wholeHalfEven(v).padStart(6);
  const spread = (l: number[]): string =>
    [ascending(l)[0]! * scale, ascending(l)[l.length - 1]! * scale, average(l)].map(cell).join(' ');
  const size = (s: string): number => Array.from(s).length;
  const rows: [number, string, string][] = [];
  let width = 0;
  if (o.from === undefined) {
    for (const [name, l] of Object.entries(intervals)) {
      width = Math.max(width, size(name));
      rows.push([-mid(l), name, `${cell(mid(l) * scale)} ${spread(l)} ${String(l.length).padStart(7)}`]);
    }
    out += `${'Event'.padEnd(width)}  Median    Min    Max    Avg   Count\n${'-'.repeat(width + 45)}\n`;
  } else {
    for (const [name, list] of Object.entries(filed)) {
      width = Math.max(width, size(list.length > 1 ? `${name} (#${list.length})` : name));
      list.forEach(({ t, d }, i) => {
        const [cum, delta] = [cell(mid(t) * scale), cell(mid(d) * scale)];
        const cells = o.alt ? `${cum} ${spread(t)} ${delta}` : `${cum} ${delta} ${spread(d)}`;
        rows.push([mid(t), i ? `${name} (#${i + 1})` : name, `${cells} ${String(t.length).padStart(7)}`]);
      });
    }
    if (!o.alt) out += `${' '.repeat(width)}   Cum.  ---------------Delta---------------\n`;
    out += `${'Event'.padEnd(width)}  Median ${o.alt ? '   Min    Max    Avg  Delta' : 'Median    Min    Max    Avg'}   Count\n`;
    out += `${'-'.repeat(width + 44)}\n`;
  }
  rows.sort((a, b) => a[0] - b[0]);
  for (const [, name, cells] of rows) out += `${name}${' '.repeat(width - size(name))}  ${cells}\n`;
  return out;
}

describe('parse: the ttsum formats', () => {
  const check = readFileSync('test/fixtures/traces/worked-check.tt', 'utf8');
  const golden = (name: string): string => readFileSync(`test/fixtures/traces/${name}`, 'utf8');

  it('HomaModule, default: the worked check', () => {
    expect(run([check], { tool: 'ttsum-homa' })).to.equal(golden('worked-check.homa.txt'));
  });
  it('HomaModule, -f start: the worked check', () => {
    expect(run([check], { tool: 'ttsum-homa', from: 'start' })).to.equal(
      golden('worked-check.homa-from.txt'),
    );
  });
  it('HomaModule, -f start -a: the worked check', () => {
    expect(run([check], { tool: 'ttsum-homa', from: 'start', alt: true })).to.equal(
      golden('worked-check.homa-from-alt.txt'),
    );
  });

  it('HomaModule, --cores: the interval is since the previous record of the same core', () => {
    const text = run([check], { tool: 'ttsum-homa', cores: true });
    expect(text).to.match(/^step id \?, peer \?\s+2500\s+1750\s+2500\s+2125\s+2$/m);
    expect(text).to.not.match(/^done/m);
  });

  it('the older dialect: printed deltas, and the tag is part of the name', () => {
    expect(run([check], { tool: 'ttsum' })).to.equal(
      [
        'Event                    Median    Min    Max    Avg   Count',
        `${'-'.repeat(23 + 45)}`,
        '[C?] step id ?, peer ?     1000    250   1500    917       3',
        '[C?] start id ?            1000   1000   1000   1000       1',
        '[main] user thread line     250    250    250    250       1',
        '[C?] done ?.?               100    100    100    100       1',
        '',
      ].join('\n'),
    );
  });

  it('time going backwards is printed before the table, the line with its newline', () => {
    const text = '2.000 us (+ 0.000 us) [C1] a\r\n1.000 us (+ 0.500 us) [C2] b 5\r\n';
    expect(run([text], { tool: 'ttsum-homa' })).to.equal(
      'Time went backwards at the following line:\n1.000 us (+ 0.500 us) [C2] b 5\n\n' +
        `Event  Median    Min    Max    Avg   Count\n${'-'.repeat(48)}\nb ?   -1000  -1000  -1000  -1000       1\n`,
    );
  });

  it('finds the times where the tool finds them: behind a prefix, the last ones of a line', () => {
    const text = [
      'Jan  1 host kernel: 1.000 us (+ 0.500 us) [C1] a',
      '2.000 us (+ 0.600 us) [C1] first 9.000 us (+ 0.700 us) [C2] second',
      ' 3.000 us (+ 0.600 us) [C1] first 9.000 us (+ 0.700 us) [C2] second',
      '10.000 us (+-1.000 us) [C1] negative',
    ].join('\n');
    for (const tool of ['ttsum', 'ttsum-homa'] as const) {
      for (const numbers of [false, true]) {
        expect(run([text], { tool, numbers })).to.equal(slow(text, { tool, numbers }));
      }
    }
  });

  it('an absent event and an empty trace are errors', () => {
    expect(() => run([check], { tool: 'ttsum', from: 'zz' })).to.throw('[main] user thread line');
    expect(() => run([''], { tool: 'ttsum' })).to.throw('empty');
    expect(() => run(['x\n'], { tool: 'ttsum-homa' })).to.throw('no event');
  });

  it('rounds halves to even, as C does', () => {
    const table: [number, string][] = [
      [0.5, '0'],
      [1.5, '2'],
      [2.5, '2'],
      [-0.5, '-0'],
      [-1.5, '-2'],
      [-0.2, '-0'],
      [916.6666, '917'],
      [0, '0'],
      [1e15 + 0.5, '1000000000000000'],
    ];
    for (const [value, printed] of table) expect(wholeHalfEven(value), String(value)).to.equal(printed);
  });

  it('property: byte for byte what the slow reading of the rules prints', () => {
    fc.assert(
      fc.property(
        anyRecords,
        fc.array(fc.nat({ max: 96 }), { maxLength: 5 }),
        fc.record({
          tool: fc.constantFrom('ttsum' as const, 'ttsum-homa' as const),
          from: fc.constantFrom(undefined, 'step', 'id 1', 'request'),
          alt: fc.boolean(),
          numbers: fc.boolean(),
          cores: fc.boolean(),
        }),
        (records, cuts, options) => {
          const wanted = { ...options, cores: options.cores && options.tool === 'ttsum-homa' };
          const text = traceText(records);
          let got: string;
          try {
            got = run([text], wanted, cuts);
          } catch (error) {
            expect(error).to.have.property('code', 'no_such_event');
            const seen = records.filter((r) => wanted.tool === 'ttsum' || /^C\d+$/.test(r.tag));
            // "C0" is padded with blanks in front of the text, which the text then contains.
            expect(seen.some((r) => r.text.includes(wanted.from!))).to.equal(false);
            return;
          }
          expect(got).to.equal(slow(text, wanted));
        },
      ),
      { numRuns: 400 },
    );
  });
});
