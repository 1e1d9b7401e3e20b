// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { expect } from 'chai';
import { RamFile } from '#src/vm/vfio-user/ram-file.js';

const BYTES = 1 << 16;

describe('RAM file', () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'hn-'))));
  afterEach(() => rm(folder, { recursive: true }));

  it('is seen by others as it is written, and is readable after its name is gone', async () => {
    const ram = new RamFile(folder, BYTES, false);
    ram.write(4096, Buffer.from('guest'));
    const seen = await readFile(ram.path);
    expect([seen.length, seen.toString('latin1', 4096, 4101)]).to.deep.equal([BYTES, 'guest']);
    ram.unlink();
    expect(existsSync(ram.path)).to.equal(false);
    expect(Buffer.from(ram.read(4096, 5)).toString()).to.equal('guest');
    ram.close();
  });

  it('knows RAM from what is not, with an IOMMU and without', () => {
    const plain = new RamFile(folder, BYTES, false);
    const translated = new RamFile(folder, BYTES, true);
    expect(plain.offsetOf(0x1000n, 0x1000n, 0x1000n)).to.equal(0x1000);
    expect(plain.offsetOf(0xfffc0000n, 0x1000n, 0n), 'a ROM').to.equal(undefined);
    expect(translated.offsetOf(0xfffc0000n, 0x1000n, 0x3000n), 'an I/O address').to.equal(0x3000);
    for (const ram of [plain, translated]) {
      expect(ram.offsetOf(0xf000n, 0x2000n, 0xf000n), 'past the end').to.equal(undefined);
      ram.close();
    }
  });

  it('removes what killed processes left, and no more', async () => {
    const first = new RamFile(folder, BYTES, false);
    const shared = dirname(first.path);
    const left = join(shared, `homa-nic-ram-${2 ** 22 + 1}-x`);
    await writeFile(left, '');
    const second = new RamFile(folder, BYTES, false);
    expect(existsSync(left), basename(left)).to.equal(false);
    expect(existsSync(first.path)).to.equal(true);
    first.close();
    second.close();
  });
});
