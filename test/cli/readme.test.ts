// SPDX-License-Identifier: Apache-2.0
// What README.md shows is what the commands print. UPDATE_GOLDEN=1 writes what they print now into it.
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeFolder, REPOSITORY, runShell } from './harness.js';

const README = join(REPOSITORY, 'README.md');

interface Shown {
  line: string;
  output: string;
}

/** Commands of the console blocks that have output below them. */
function shownCommands(): Shown[] {
  const blocks = readFileSync(README, 'utf8').matchAll(/```console\n([\s\S]*?)```/g);
  return [...blocks].flatMap(([, block]) =>
    block!
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        const [line = '', ...output] = part.split('\n');
        return { line, output: output.join('\n').trimEnd() };
      })
      .filter(({ line, output }) => output !== '' && line.includes('npx homa-nic')),
  );
}

describe('README', () => {
  const shown = shownCommands().filter(({ line }) => !line.includes('--target vm') && !line.includes(' vm '));

  it('shows the main job and simulated networks', () => {
    expect(shown.map(({ line }) => line)[0]).to.equal('npm ci && npx homa-nic perf --parse');
    expect(shown.length).to.be.at.least(3);
  });

  for (const { line, output } of shown) {
    it(`prints what stands below: ${line}`, async () => {
      const folder = makeFolder();
      try {
        symlinkSync(join(REPOSITORY, 'scenarios'), join(folder.path, 'scenarios'));
        const command = line.replace('npm ci && ', '').replace('npx homa-nic', '$HOMA_NIC');
        const ran = await runShell(command, { cwd: folder.path });
        const printed = ran.stdout.trimEnd();
        if (process.env['UPDATE_GOLDEN']) {
          const text = readFileSync(README, 'utf8');
          writeFileSync(
            README,
            text.replace(`$ ${line}\n${output}\n`, () => `$ ${line}\n${printed}\n`),
          );
        } else expect(printed).to.equal(output);
      } finally {
        folder.remove();
      }
    }).timeout(60_000);
  }
});
