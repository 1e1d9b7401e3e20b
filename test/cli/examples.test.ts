// SPDX-License-Identifier: Apache-2.0
// Every example of every --help is run as it stands. They share one folder, in the order below, so that an example may
// read what an earlier one wrote.
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Config } from '@oclif/core';
import { expect } from 'chai';
import { makeFolder, REPOSITORY, runShell } from './harness.js';

/** Commands that write what others read come first; the rest follow by name. */
const FIRST = ['config', 'perf', 'parse'];
/** Commands whose examples need what a test machine does not have: why they are not run here. */
const NOT_HERE: Record<string, string> = {
  vm: 'needs a guest image and minutes of time',
  'load-driver': 'needs root and a card',
  'unload-driver': 'needs root and a card',
};

/** An example that serves the example after it: both run at once. */
const SERVES_THE_NEXT = /^homa-nic sim attach .*--echo /;

/** Why an example is not run here; undefined when it is. */
function reasonNotToRun(id: string, typed: string): string | undefined {
  if (typed.includes('--target vm')) return NOT_HERE['vm'];
  return NOT_HERE[id] ?? NOT_HERE[id.split(':')[0]!];
}

const config = await Config.load({ root: REPOSITORY, devPlugins: false, userPlugins: false });
const rank = (id: string): number => (FIRST.includes(id) ? FIRST.indexOf(id) : FIRST.length);
const commands = config.commands
  .filter((command) => command.pluginName === 'homa-nic')
  .sort((a, b) => rank(a.id) - rank(b.id) || a.id.localeCompare(b.id));

describe('examples of --help', function () {
  this.timeout(120_000);
  const folder = makeFolder();
  // What an example names with a path of the repository is there, as it is for who has cloned it.
  symlinkSync(join(REPOSITORY, 'scenarios'), join(folder.path, 'scenarios'));
  let server: ReturnType<typeof runShell> | undefined;
  after(() => folder.remove());

  for (const command of commands) {
    const lines = (command.examples ?? []).map((example) =>
      typeof example === 'string' ? example : example.command,
    );
    if (reasonNotToRun(command.id, '') === undefined) {
      it(`${command.id.replaceAll(':', ' ')}: there is one`, () => expect(lines).to.not.be.empty);
    }
    for (const line of lines) {
      const typed = line
        .replaceAll('<%= config.bin %>', 'homa-nic')
        .replace(/<%= command.id %>/, command.id.replaceAll(':', ' '));
      const reason = reasonNotToRun(command.id, typed);
      if (reason !== undefined) {
        it.skip(`${typed} (${reason})`);
        continue;
      }
      it(typed, async () => {
        expect(typed).to.match(/\bhoma-nic /);
        const ran = runShell(`set -o pipefail; ${typed.replaceAll(/\bhoma-nic (?=\S)/g, '$HOMA_NIC ')}`, {
          cwd: folder.path,
        });
        const both = server === undefined ? [ran] : [server, ran];
        server = SERVES_THE_NEXT.test(typed) ? ran : undefined;
        if (server) return;
        for (const { exitCode, stdout, stderr } of await Promise.all(both)) {
          expect(exitCode, stderr).to.equal(0);
          expect(stdout).to.not.equal('');
        }
      });
    }
  }
});
