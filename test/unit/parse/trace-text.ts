// SPDX-License-Identifier: Apache-2.0
// Makes traces for the tests of src/parse.
import fc from 'fast-check';

export interface MadeRecord {
  timeNs: number;
  tag: string;
  text: string;
}

const us = (ns: number, width: number): string => (ns / 1000).toFixed(3).padStart(width);

/** The text of a trace: a header line, then a line for each record. */
export function traceText(records: readonly MadeRecord[], newline = '\n'): string {
  let previous = 0;
  const lines = records.map(({ timeNs, tag, text }) => {
    const line = `${us(timeNs, 9)} us (+${us(timeNs - previous, 8)} us) ${`[${tag}]`.padEnd(6)} ${text}`;
    previous = timeNs;
    return line;
  });
  const header =
    '    0.000 us (+   0.000 us) [C0]   First event has timestamp 123456 (cpu_ghz 2.400000000000000)';
  return [header, ...lines].map((line) => line + newline).join('');
}

/** Records in time order, with a few events, some of them with numbers in their text. */
export const anyRecords = fc
  .array(
    fc.record({
      stepNs: fc.oneof(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 0, max: 5_000_000 })),
      tag: fc.constantFrom('main', 'C0', 'C01', 'S1.2'),
      text: fc.oneof(
        fc.constantFrom('write request', 'write response', 'send request', 'recv response', 'Wörter → x'),
        fc.nat({ max: 30 }).map((n) => `step id ${n}, peer 0x${n.toString(16)}`),
        fc.nat({ max: 99 }).map((n) => `done ${n}.5`),
      ),
    }),
    { minLength: 2, maxLength: 60 },
  )
  .map((steps) => {
    let timeNs = 0;
    return steps.map(({ stepNs, tag, text }) => ({ timeNs: (timeNs += stepNs), tag, text }));
  });

/** The bytes of a text in pieces: cut positions are taken modulo what is left. */
export function pieces(text: string, cuts: readonly number[]): Uint8Array[] {
  const bytes = new TextEncoder().encode(text);
  const result: Uint8Array[] = [];
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const length = cuts.length === 0 ? bytes.length : (cuts[i % cuts.length]! % 97) + 1;
    result.push(bytes.slice(at, at + length));
    at += length;
  }
  return result;
}
