// SPDX-License-Identifier: Apache-2.0
// Golden files: the whole text of an output, kept in test/cli/golden. UPDATE_GOLDEN=1 accepts what is printed now.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { REPOSITORY } from './harness.js';

const FOLDER = join(REPOSITORY, 'test', 'cli', 'golden');

/** What may differ between machines: versions and the platform. */
function neutral(text: string): string {
  return text
    .replaceAll(
      /homa-nic\/\d+\.\d+\.\d+\S* \S+ node-v\d+\.\d+\.\d+/g,
      'homa-nic/VERSION PLATFORM node-VERSION',
    )
    .replaceAll(/[ \t]+$/gm, '');
}

function difference(wanted: string, got: string): string {
  const before = wanted.split('\n');
  const after = got.split('\n');
  const lines: string[] = [];
  for (let i = 0; i < Math.max(before.length, after.length) && lines.length < 40; i++) {
    if (before[i] === after[i]) continue;
    if (before[i] !== undefined) lines.push(`${i + 1} - ${before[i]}`);
    if (after[i] !== undefined) lines.push(`${i + 1} + ${after[i]}`);
  }
  return lines.join('\n');
}

/**
 * Compares a text with the golden file of this name. On a difference the new text goes to build/golden/ and the
 * error shows the lines.
 */
export function expectGolden(name: string, text: string): void {
  const file = join(FOLDER, `${name}.txt`);
  const got = neutral(text);
  if (process.env['UPDATE_GOLDEN']) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, got);
    return;
  }
  const wanted = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  if (wanted === got) return;
  const beside = join(REPOSITORY, 'build', 'golden', `${name}.txt`);
  mkdirSync(dirname(beside), { recursive: true });
  writeFileSync(beside, got);
  const what =
    wanted === undefined ? 'there is no golden file yet' : `it differs:\n${difference(wanted, got)}`;
  throw new Error(
    `golden ${name}: ${what}\nnew text: build/golden/${name}.txt\nif it is right: UPDATE_GOLDEN=1 npm run test:unit`,
  );
}
