// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { analyzeTrace } from '#src/parse/analyze-trace.js';
import { TraceReader } from '#src/parse/trace-reader.js';
import type { TraceAnalysisOptions, TraceReport } from '#src/parse/trace-report.js';
import { summarize } from '#src/stats/summary.js';
import { anyRecords, type MadeRecord, pieces, traceText } from './trace-text.js';

function analyze(text: string, options: TraceAnalysisOptions = {}, cuts: number[] = []): TraceReport {
  const analysis = analyzeTrace(options);
  analysis.startFile('t.tt');
  for (const piece of pieces(text, cuts)) analysis.feed(piece);
  return analysis.finish();
}

const mask = (text: string): string =>
  text.replace(/(?<![\p{L}\d_])0x[0-9a-f]+\b/gu, '?').replace(/(?<![\p{L}\d_])[0-9.]+\b/gu, '?');

describe('parse: reading lines', () => {
  const readBack = (text: string, cuts: number[], numbers: boolean): MadeRecord[] => {
    const records: MadeRecord[] = [];
    const reader = new TraceReader({
      numbers,
      onBatch: ({ length, time, event, tag, delta }) => {
        for (let i = 0; i < length; i++) {
          if (event[i] === -1) continue;
          records.push({
            timeNs: time[i]!,
            tag: reader.tails.tags[tag[i]!]!,
            text: reader.tails.events[event[i]!]!,
          });
          expect(delta[i]).to.equal(time[i]! - (records.at(-2)?.timeNs ?? 0));
        }
      },
      onBadLine: (line, reason) => expect.fail(`${line}: ${reason}`),
    });
    for (const piece of pieces(text, cuts)) reader.feed(piece);
    reader.endFile();
    return records;
  };

  it('property: what was written is read back, whatever the chunks and line ends', () => {
    fc.assert(
      fc.property(
        anyRecords,
        fc.array(fc.nat({ max: 96 }), { maxLength: 8 }),
        fc.constantFrom('\n', '\r\n'),
        (records, cuts, newline) => {
          const text = traceText(records, newline);
          expect(readBack(text, cuts, true)).to.deep.equal(records);
          const masked = records.map((record) => ({ ...record, text: mask(record.text) }));
          expect(readBack(text, cuts, false)).to.deep.equal(masked);
        },
      ),
    );
  });

  it('takes a last line without a newline, negative times, and more or fewer decimals', () => {
    const text = '   -1.5 us (+ 0 us) [a] x\n0.0004 us (+-0.25 us) [a] y\n  2 us (+   1.9996 us) [C0]    z';
    expect(
      analyze(text)
        .events.map(({ name, summary }) => [name, summary.min])
        .flat(),
    ).to.deep.equal(['y', 1500, 'z', 2000]);
  });

  it('takes more records than a batch holds and lines longer than a chunk', () => {
    const records = Array.from({ length: 20_000 }, (_, i) => ({
      timeNs: i * 7,
      tag: 'main',
      text: i % 2 ? 'odd' : `even ${'x'.repeat(500)}`,
    }));
    const report = analyze(traceText(records));
    expect(report.records).to.equal(20_001);
    expect(report.events.map(({ summary }) => summary.count)).to.deep.equal([10_000, 10_000]);
    expect(report.events[1]!.summary).to.include({ min: 7, p50: 7, max: 7, deviation: 0 });
  });
});

describe('parse: figures of a trace', () => {
  const records: MadeRecord[] = [
    { timeNs: 0, tag: 'main', text: 'Created new thread_buffer' },
    { timeNs: 590, tag: 'main', text: 'write request' },
    { timeNs: 1600, tag: 'main', text: 'write response' },
    { timeNs: 1650, tag: 'S1', text: 'write request' },
    { timeNs: 1700, tag: 'main', text: 'write request' },
    { timeNs: 2600, tag: 'S1', text: 'write response' },
    { timeNs: 2720, tag: 'main', text: 'write response' },
    { timeNs: 2800, tag: 'main', text: 'write request' },
  ];

  it('pairs a request with the response under the same tag', () => {
    const { pairs } = analyze(traceText(records));
    expect(pairs).to.have.length(1);
    expect(pairs[0]!.name).to.equal('write request -> write response');
    expect(pairs[0]!.summary).to.include({ count: 3, min: 950, p50: 1010, max: 1020 });
    expect([...(pairs[0]!.histogram.values as Float64Array)]).to.deep.equal([950, 1010, 1020]);
    expect(pairs[0]).to.include({ unanswered: 1, unasked: 0 });
  });

  it('pairs send request with recv response, and counts what has no partner', () => {
    const text = traceText([
      { timeNs: 5, tag: 'main', text: 'recv response' },
      { timeNs: 10, tag: 'main', text: 'send request' },
      { timeNs: 20, tag: 'main', text: 'send request' },
      { timeNs: 50, tag: 'main', text: 'recv response' },
    ]);
    const { pairs } = analyze(text);
    expect(pairs[0]).to.include({ name: 'send request -> recv response', unanswered: 1, unasked: 1 });
    expect(pairs[0]!.summary).to.include({ count: 1, min: 30, p50: null });
  });

  it('takes the interval since the previous record, by its printed difference where that agrees', () => {
    // 0.4 + 0.4 ns: each time is rounded to 0.000 or 0.001 us, the difference once.
    const text =
      '0.000 us (+ 0.000 us) [m] a\n1.000 us (+ 1.001 us) [m] b\n5.000 us (+ 0.001 us) [m] b\n5.000 us (+ 0.000 us) [m] b\n';
    expect([...(analyze(text).events[0]!.histogram.values as Float64Array)]).to.deep.equal([0, 1001, 4000]);
  });

  it('--from files by occurrence since the start; --alt swaps the two quantities', () => {
    const text = readFileSync('test/fixtures/traces/worked-check.tt', 'utf8');
    const delta = analyze(text, { from: 'start' });
    expect(delta.quantity).to.equal('interval');
    const figures = (report: TraceReport): unknown[] =>
      report.events.map(({ name, summary, otherP50 }) => [name, summary.min, summary.max, otherP50 ?? null]);
    expect(figures(delta)).to.deep.equal([
      ['start id ?', 0, 1000, 0],
      ['step id ?, peer ?', 1000, 1500, 1000],
      ['done ?', 100, 100, null],
      ['step id ?, peer ? (#2)', 250, 250, null],
      ['user thread line', 250, 250, null],
    ]);
    const since = analyze(text, { from: 'start', alt: true });
    expect(since.quantity).to.equal('since');
    expect(figures(since)).to.deep.equal([
      ['start id ?', 0, 0, 0],
      ['step id ?, peer ?', 1000, 1500, 1000],
      ['done ?', 1100, 1100, null],
      ['step id ?, peer ? (#2)', 1750, 1750, null],
      ['user thread line', 2000, 2000, null],
    ]);
    expect(figures(analyze(text, { from: 'id 6', numbers: true }))).to.deep.equal([
      ['start id 6', 1000, 1000, null],
      ['step id 6, peer 0x1', 1000, 1000, null],
      ['done 1.25', 100, 100, null],
    ]);
  });

  it('folds the occurrences from the 100th on, so that memory does not follow the trace', () => {
    const many = Array.from({ length: 1000 }, (_, i) => ({ timeNs: i, tag: 'm', text: i ? 'tick' : 'go' }));
    const { events } = analyze(traceText(many), { from: 'go' });
    expect(events).to.have.length(101);
    expect(events.at(-1)).to.deep.include({ name: 'tick (#100+)' });
    expect(events.at(-1)!.summary.count).to.equal(900);
  });

  it('property: counts, figures and pairs are those of a naive reading', () => {
    fc.assert(
      fc.property(anyRecords, fc.array(fc.nat({ max: 96 }), { maxLength: 5 }), (made, cuts) => {
        const report = analyze(traceText(made), {}, cuts);
        const samples = new Map<string, number[]>();
        made.forEach(({ timeNs, text }, i) => {
          const name = mask(text);
          samples.set(name, [...(samples.get(name) ?? []), timeNs - (made[i - 1]?.timeNs ?? 0)]);
        });
        expect(report.events.map(({ name }) => name)).to.deep.equal([...samples.keys()]);
        for (const { name, summary } of report.events) {
          const naive = summarize(samples.get(name)!);
          expect({ ...summary, mean: 0, deviation: 0 }).to.deep.equal({ ...naive, mean: 0, deviation: 0 });
          expect(summary.mean).to.be.closeTo(naive.mean, 1e-6);
          expect(summary.deviation).to.be.closeTo(naive.deviation, 1e-3);
        }
        const latencies: number[] = [];
        const waiting = new Map<string, number>();
        for (const { text, tag, timeNs } of made) {
          if (text === 'write request') waiting.set(tag, timeNs);
          if (text === 'write response' && waiting.has(tag)) {
            latencies.push(timeNs - waiting.get(tag)!);
            waiting.delete(tag);
          }
        }
        const pair = report.pairs.find(({ request }) => request === 'write request');
        expect(pair?.summary.count ?? 0).to.equal(latencies.length);
        if (pair) expect(pair.summary.max).to.equal(Math.max(...latencies));
      }),
    );
  });

  it('several files: each has a clock of its own, lines and names are its own in warnings', () => {
    const analysis = analyzeTrace();
    const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
    analysis.startFile('a.tt');
    analysis.feed(encode('9.000 us (+ 0.000 us) [m] write request\nbad'));
    analysis.startFile('b.tt');
    analysis.feed(encode('1.000 us (+ 0.000 us) [m] write response\n2.000 us (+ 1.000 us) [m] x\nworse\n'));
    const report = analysis.finish();
    expect(report).to.deep.include({ lines: 5, records: 3, badLines: 2, backwards: 0, pairs: [] });
    expect(report.events.map(({ name }) => name)).to.deep.equal(['x']);
    expect(report.warnings).to.deep.equal([
      'a.tt:2: no time in us at its start',
      'b.tt:3: no time in us at its start',
    ]);
  });
});

describe('parse: bad lines cost a warning, a bad trace is an error', () => {
  const good = '0.100 us (+ 0.100 us) [m] a\n0.300 us (+ 0.200 us) [m] b\n';
  const reasons: [line: string, reason: string][] = [
    ['hello', 'no time in us at its start'],
    ['0.1 ns (+ 0.1 ns): x', 'times in ns, not in us'],
    ['1.000 us [m] x', 'no `(+   0.100 us)` after the time'],
    ['1.000 us (+ abc us) [m] x', 'no `(+   0.100 us)` after the time'],
    ['1.2.3 us (+ 0.1 us) [m] x', 'no time in us at its start'],
    ['1.000 us (+ 0.100 us) no tag', 'no [tag] after the times'],
    ['1.000 us (+ 0.100 us) [m]', 'no event after the tag'],
    ['1.000 us (+ 0.100 us) ', 'no [tag] after the times'],
    ['1.000 us (+ 0.100 us)', 'no [tag] after the times'],
    [
      'cpu_khz: 2400000',
      'cycle counts of the kernel, not microseconds: convert the trace with ttprint.py first',
    ],
    [
      '123456 [C01] x',
      'cycle counts of the kernel, not microseconds: convert the trace with ttprint.py first',
    ],
    ['x'.repeat(70_000), 'longer than 65536 bytes'],
    ['x'.repeat(700_000), 'longer than 65536 bytes'],
  ];
  for (const [line, reason] of reasons) {
    it(`'${line.slice(0, 40)}': ${reason}`, () => {
      for (const cuts of [[], [0], [40, 3]]) {
        const report = analyze(`${good}${line}\n0.400 us (+ 0.100 us) [m] b\n`, {}, cuts);
        expect(report.warnings).to.deep.equal([`t.tt:3: ${reason}`]);
        expect(report).to.include({ badLines: 1, records: 3, lines: 4 });
        expect(report.events[0]!.summary).to.include({ count: 2, min: 100, max: 200 });
      }
    });
  }

  it('blank lines are nothing', () => {
    expect(analyze(`\n${good}\n  \n`)).to.include({ badLines: 0, records: 2, lines: 5 });
  });

  it('shows the first warnings and counts the rest', () => {
    const report = analyze(good + 'bad\n'.repeat(25), { mostWarnings: 3 });
    expect(report.warnings).to.have.length(3);
    expect(report).to.include({ moreWarnings: 22, badLines: 25 });
  });

  it('reports time going backwards and keeps the negative interval', () => {
    const report = analyze(`${good}0.250 us (+ 0.000 us) [m] a\n`);
    expect(report.warnings).to.deep.equal(['t.tt:3: time went backwards by 50 ns']);
    expect(report.backwards).to.equal(1);
    expect(report.events.find(({ name }) => name === 'a')!.summary.min).to.equal(-50);
  });

  it('of several files, one without an event is named', () => {
    const analysis = analyzeTrace();
    const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
    analysis.startFile('empty.tt');
    analysis.startFile('good.tt');
    analysis.feed(encode(good));
    analysis.startFile('header.tt');
    analysis.feed(encode(traceText([])));
    expect(analysis.finish().warnings).to.deep.equal([
      'empty.tt: the trace is empty',
      'header.tt: no event of a time trace in its only line',
    ]);
    const empty = analyzeTrace();
    for (const name of ['a', 'b', 'c', 'd']) empty.startFile(name);
    expect(() => empty.finish()).to.throw('a, b, c and 1 more: the trace is empty');
  });

  const faults: [what: string, text: string, options: TraceAnalysisOptions, code: string, words: string][] = [
    ['empty', '', {}, 'empty_trace', 'empty'],
    ['no trace line', 'a\nb\n', {}, 'no_events', 't.tt:1: no time in us'],
    ['one event', good.split('\n')[0]!, {}, 'one_event', 'one event only'],
    ['a header and one event', traceText([{ timeNs: 1, tag: 'm', text: 'x' }]), {}, 'one_event', 'two'],
    ['binary', `${good}\0\x01\x02\n`, {}, 'binary_trace', 'binary'],
    ['binary without newlines', '\0'.repeat(300_000), {}, 'binary_trace', 'binary'],
    ['an event that is not there', good, { from: 'zz' }, 'no_such_event', "'a', 'b'"],
  ];
  for (const [what, text, options, code, words] of faults) {
    it(`${what}: ${code}`, () => {
      expect(() => analyze(text, options))
        .to.throw(words)
        .with.property('code', code);
    });
  }
});
