// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import * as fc from 'fast-check';
import { type ArchiveEntry, writeNewc } from '#src/vm/guest/newc.js';

/** An independent reader: what Linux does with the archive. */
function readNewc(archive: Buffer): { name: string; mode: number; bytes: Buffer; rdev: [number, number] }[] {
  const entries = [];
  for (let at = 0; ;) {
    expect(archive.toString('latin1', at, at + 6)).to.equal('070701');
    const field = (n: number): number =>
      parseInt(archive.toString('latin1', at + 6 + 8 * n, at + 14 + 8 * n), 16);
    const nameBytes = field(11);
    const name = archive.toString('utf8', at + 110, at + 110 + nameBytes - 1);
    expect(archive[at + 110 + nameBytes - 1]).to.equal(0);
    const body = (at + 110 + nameBytes + 3) & ~3;
    const bytes = archive.subarray(body, body + field(6));
    if (name === 'TRAILER!!!') return entries;
    entries.push({ name, mode: field(1), bytes, rdev: [field(9), field(10)] as [number, number] });
    at = (body + field(6) + 3) & ~3;
  }
}

describe('newc archive', () => {
  it('has type, mode and device numbers of each entry', () => {
    const archive = Buffer.from(
      writeNewc([
        { kind: 'folder', path: 'dev' },
        { kind: 'device', path: 'dev/console', major: 5, minor: 1 },
        { kind: 'file', path: '/init', bytes: Buffer.from('x'), mode: 0o755 },
        { kind: 'link', path: 'sh', to: 'busybox' },
      ]),
    );
    const seen = readNewc(archive).map(({ name, mode, bytes, rdev }) => [
      name,
      mode.toString(8),
      String(bytes),
      rdev,
    ]);
    expect(seen).to.deep.equal([
      ['dev', '40755', '', [0, 0]],
      ['dev/console', '20600', '', [5, 1]],
      ['init', '100755', 'x', [0, 0]],
      ['sh', '120777', 'busybox', [0, 0]],
    ]);
  });

  it('gives back what was put in, for any names and contents', () => {
    const entry = fc.record({
      path: fc.stringMatching(/^[a-z0-9._-]{1,40}$/),
      bytes: fc.uint8Array({ maxLength: 70 }),
      mode: fc.integer({ min: 0, max: 0o777 }),
    });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 8 }), (files) => {
        const entries = files.map((file): ArchiveEntry => ({ kind: 'file', ...file }));
        const seen = readNewc(Buffer.from(writeNewc(entries)));
        expect(seen.map(({ name, mode, bytes }) => [name, mode & 0o777, [...bytes]])).to.deep.equal(
          files.map(({ path, mode, bytes }) => [path, mode, [...bytes]]),
        );
      }),
    );
  });
});
