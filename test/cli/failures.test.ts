// SPDX-License-Identifier: Apache-2.0
import { homedir } from 'node:os';
import { expect } from 'chai';
import { FAILURES } from './failures.js';
import { makeFolder, REPOSITORY, runInProcess } from './harness.js';

/** Nothing of the inside may show: no stack, no argv, no absolute path. */
export function expectNoInsides(text: string, folder: string): void {
  expect(text, 'a stack').not.to.match(/^\s+at .+[:(]/m);
  expect(text, 'argv').not.to.match(/"argv"/);
  for (const place of [folder, REPOSITORY, homedir(), 'file://']) {
    if (place.length > 1) expect(text, 'a place on this machine').not.to.include(place);
  }
  expect(text, 'an absolute path').not.to.match(/(^|[\s'"(=])\/(?!dev\/|sys\/|proc\/)[\w.-]+\/[\w.-]+/m);
}

describe('failures', () => {
  for (const failure of FAILURES) {
    const run = async (extra: string[]) => {
      const folder = makeFolder(failure.files);
      try {
        const options = { cwd: folder.path, ...(failure.env ? { env: failure.env } : {}) };
        return { ...(await runInProcess([...failure.argv, ...extra], options)), folder: folder.path };
      } finally {
        folder.remove();
      }
    };

    it(`${failure.name}: text`, async () => {
      const ran = await run([]);
      expect(ran.exitCode, ran.stderr).to.equal(failure.exitCode);
      expect(ran.stdout, 'stdout carries results only').to.equal('');
      expect(ran.stderr).to.match(/^error: /m);
      expect(/^error: ((?:.|\n)*?)(?:\n {2}try: |\n$)/m.exec(ran.stderr)?.[1]).to.match(failure.says);
      expectNoInsides(ran.stderr, ran.folder);
    });

    it(`${failure.name}: --json`, async () => {
      const ran = await run(['--json']);
      expect(ran.exitCode).to.equal(failure.exitCode);
      expect(ran.stderr).to.equal('');
      const envelope = JSON.parse(ran.stdout);
      expect(envelope).to.have.keys(['schemaVersion', 'command', 'status', 'error', 'warnings']);
      expect(envelope.schemaVersion).to.equal(1);
      expect(envelope.status).to.equal('error');
      expect(envelope.command).to.not.include(':');
      expect(envelope.error).to.have.keys(['code', 'message', 'suggestions']);
      expect(envelope.error.code).to.equal(failure.code);
      expect(envelope.error.message).to.match(failure.says);
      if (failure.suggests) {
        expect(envelope.error.suggestions.some((s: string) => failure.suggests!.test(s))).to.equal(true);
      }
      expectNoInsides(ran.stdout, ran.folder);
    });
  }
});
