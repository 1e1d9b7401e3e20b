// SPDX-License-Identifier: Apache-2.0
// What README.md shows is what the commands print.
import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeFolder, REPOSITORY, runShell } from './harness.js';

interface Shown {
  line: string;
  output: string;
}

/** Commands of the console blocks that have output below them. */
function shownCommands(): Shown[] {
  const blocks = readFileSync(join(REPOSITORY, 'README.md'), 'utf8').matchAll(/```console\n([\s\S]*?)```/g);
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
        expect(ran.stdout.trimEnd()).to.equal(output);
      } finally {
        folder.remove();
      }
    }).timeout(60_000);
  }
});
