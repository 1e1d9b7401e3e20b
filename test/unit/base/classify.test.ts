// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { expect } from 'chai';
import { classify } from '#src/base/classify.js';
import { EXIT } from '#src/errors/errors.js';

function systemError(code: string, syscall: string, path?: string): Error {
  return Object.assign(new Error(`${code}: words of Node, ${syscall}`), { code, syscall, path });
}

describe('errors of the system', () => {
  it('name their file relative to the current folder, and are no bugs', () => {
    const near = classify(systemError('EACCES', 'open', join(process.cwd(), 'a/b.tt')));
    expect([near.exitCode, near.message]).to.deep.equal([EXIT.content, './a/b.tt: permission denied']);
    const far = classify(systemError('EISDIR', 'open', '/nonexistent/b.tt'));
    expect(far.message).to.match(/^(\.\.\/)+nonexistent\/b\.tt: it is a folder$/);
  });

  for (const code of ['ENOSPC', 'EDQUOT', 'EIO']) {
    it(`${code} of a write has no file, and is no bug`, () => {
      const error = classify(systemError(code, 'write'));
      expect(error.exitCode).to.equal(EXIT.content);
      expect(error.message).to.match(/^cannot write: [a-z]/);
    });
  }

  it('anything else without a file is a bug', () => {
    expect(classify(systemError('EBADF', 'read')).exitCode).to.equal(EXIT.bug);
  });
});
