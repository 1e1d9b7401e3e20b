// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { readEnvironment } from '#src/doctor/environment.js';
import { makeFolder } from '../../cli/harness.js';

describe('environment record', () => {
  it('names the commit of a checkout and says whether it was changed; null elsewhere', () => {
    const folder = makeFolder({ 'a.txt': 'a' });
    const git = (...args: string[]): string =>
      execFileSync('git', ['-C', folder.path, '-c', 'user.name=t', '-c', 'user.email=t@t', ...args], {
        encoding: 'utf8',
      }).trim();
    try {
      expect(readEnvironment(folder.path)).to.include({ gitHash: null, gitDirty: null });
      git('init', '-q');
      expect(readEnvironment(folder.path)).to.include({ gitHash: null, gitDirty: true });
      git('add', '.');
      git('commit', '-qm', 'one');
      const gitHash = git('rev-parse', 'HEAD');
      expect(readEnvironment(folder.path)).to.include({ gitHash, gitDirty: false });
      writeFileSync(join(folder.path, 'b.txt'), 'b');
      expect(readEnvironment(folder.path)).to.include({ gitHash, gitDirty: true });
    } finally {
      folder.remove();
    }
  });
});
