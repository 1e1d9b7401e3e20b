// SPDX-License-Identifier: Apache-2.0
// How `model` fails, as rows of the table in failures.ts.
import type { Failure } from './failures.js';

const run = ['model', 'run', '--messages', '100'];
const workload = (points: unknown): Record<string, string> => ({
  'own.json': JSON.stringify({ name: 'own', points }),
});

export const MODEL_FAILURES: Failure[] = [
  {
    name: 'model: load of 1',
    argv: [...run, '--load', '1'],
    exitCode: 2,
    code: 'model_setting',
    says: /^load 1 is outside the allowed range: above 0 and below 1;.*--overload/,
  },
  {
    name: 'model: load of 0',
    argv: [...run, '--load', '0'],
    exitCode: 2,
    code: 'model_setting',
    says: /^load 0 is outside the allowed range: above 0 and below 1/,
  },
  {
    name: 'model: load below 0',
    argv: [...run, '--load', '-0.5'],
    exitCode: 2,
    code: 'model_setting',
    says: /^load -0\.5 is outside the allowed range: above 0 and below 1/,
  },
  {
    name: 'model: load that is no number',
    argv: [...run, '--load', 'high'],
    exitCode: 2,
    code: 'usage',
    says: /'high' is not a number/,
  },
  {
    name: 'model: unknown workload',
    argv: [...run, '--workload', 'w9'],
    exitCode: 2,
    code: 'workload',
    says: /^unknown workload "w9": use one of w1, w2, w3, w4, w5/,
  },
  {
    name: 'model: distribution that decreases',
    argv: [...run, '--workload', 'own.json'],
    files: workload([[8, 0.5], [9, 0.4], [10, 1]]), // prettier-ignore
    exitCode: 1,
    code: 'workload',
    says: /point 2: fraction 0\.4 is below the one before \(0\.5\)/,
  },
  {
    name: 'model: zero entries',
    argv: [...run, '--strategy', 'sifter', '--entries', '0'],
    exitCode: 2,
    code: 'usage',
    says: /--entries '0' is not a whole number from 1 to 1000000/,
  },
  {
    name: 'model: far too many messages',
    argv: ['model', 'run', '--messages', '1e12'],
    exitCode: 2,
    code: 'flags',
    says: /'1e12' is not a whole number from 1 to 20000000/,
  },
  {
    name: 'model: unknown strategy',
    argv: [...run, '--strategy', 'sift'],
    exitCode: 2,
    code: 'usage',
    says: /^unknown strategy 'sift': use one or more of exact, fifo/,
    suggests: /--strategy sifter/,
  },
  {
    name: 'model: too few entries for a strategy',
    argv: [...run, '--strategy', 'pifo-last', '--entries', '1'],
    exitCode: 2,
    code: 'model_setting',
    says: /^entries 1 is outside the allowed range: an integer from 2/,
  },
  {
    name: 'model: comparison without intervals',
    argv: [...run, '--strategy', 'fifo,exact', '--seeds', '1'],
    exitCode: 2,
    code: 'usage',
    says: /at least two seeds/,
    suggests: /--seeds 5/,
  },
  {
    name: 'model: arrivals that go back in time',
    argv: ['model', 'run', '--arrivals', 'a.csv'],
    files: { 'a.csv': 'cycle,length\n5,1\n4,1\n' },
    exitCode: 1,
    code: 'arrivals',
    says: /^arrivals line 3: cycle 4 is below the one before \(5\)/,
  },
  {
    name: 'model: arrivals and a load',
    argv: ['model', 'run', '--arrivals', 'a.csv', '--load', '0.5', '--seed', '3'],
    files: { 'a.csv': '1,1\n' },
    exitCode: 2,
    code: 'usage',
    says: /^--arrivals brings its own messages, so --load and --seed would change nothing: leave them out/,
  },
  {
    name: "model: the original's accounting and another",
    argv: [...run, '--original-accounting', '--insert-cycles', '5'],
    exitCode: 2,
    code: 'usage',
    says: /^--original-accounting has its own costs and no warm-up, so --insert-cycles would change nothing/,
  },
  {
    name: 'model: arrivals of nothing',
    argv: ['model', 'run', '--arrivals', 'a.csv'],
    files: { 'a.csv': '1,0\n' },
    exitCode: 1,
    code: 'arrivals',
    says: /^arrivals line 1: length 0 is outside 1 to/,
  },
  {
    name: 'model: arrivals missing',
    argv: ['model', 'run', '--arrivals', 'gone.csv'],
    exitCode: 2,
    code: 'usage',
    says: /^cannot read \.\/gone\.csv$/,
  },
  {
    name: 'model: sweep too wide',
    argv: ['model', 'sweep', '--entries', '1..2000:1', '--seeds', '100'],
    exitCode: 2,
    code: 'usage',
    says: /at most 100000 are allowed/,
  },
  {
    name: 'model: plot of nothing',
    argv: ['model', 'plot', 'gone'],
    exitCode: 2,
    code: 'usage',
    says: /^there is no \.\/gone$/,
  },
  {
    name: 'model: plot of something else',
    argv: ['model', 'plot', 'x.jsonl'],
    files: { 'x.jsonl': '{"kind":"else"}\n' },
    exitCode: 1,
    code: 'sweep_file',
    says: /^line 1 is not a point of a model sweep/,
  },
  ...[
    '{"kind":"model-point","schemaVersion":1,"settings":null,"slowdown":null}',
    '{"kind":"model-point","schemaVersion":1,"settings":{"strategy":"exact"},"slowdown":{}}',
    '{"kind":"model-point","schemaVersion":1,"settings":{"strategy":"best"},"slowdown":{},"deciles":[]}',
  ].map((line) => ({
    name: `model: plot of ${line.slice(38)}`,
    argv: ['model', 'plot', 'x.jsonl'],
    files: { 'x.jsonl': `${line}\n` },
    exitCode: 1,
    code: 'sweep_file',
    says: /^line 1 is not a point of a model sweep/,
  })),
  ...['null', '{"kind":"model","tests":[{}]}', '{"kind":"model","tests":[null]}', '{"kind":"perf"}'].map(
    (text) => ({
      name: `model: plot of a document ${text}`,
      argv: ['model', 'plot', 'x.json'],
      files: { 'x.json': text },
      exitCode: 1,
      code: 'content',
      says: /^\.\/x\.json is not a result of homa-nic model$/,
    }),
  ),
];
