// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { checkOutputFile, checkPlotFile } from '#src/base/output-file.js';
import { makeOutputFolder } from '#src/base/output-folder.js';
import { showPath } from '#src/base/shown-path.js';
import { UsageError } from '#src/errors/errors.js';
import { makeFolder, REPOSITORY } from '../../cli/harness.js';

describe('output folder', () => {
  let folder: ReturnType<typeof makeFolder>;
  beforeEach(() => {
    folder = makeFolder({ 'used/result.json': '{}', 'file.txt': 'x' });
    process.chdir(folder.path);
  });
  afterEach(() => {
    process.chdir(REPOSITORY);
    folder.remove();
  });

  it('is the next number in the results folder, spaces of the command as hyphens', () => {
    const first = makeOutputFolder({ command: 'perf' });
    const second = makeOutputFolder({ command: 'sim run' });
    expect([first.shown, second.shown]).to.deep.equal([
      './homa-nic-results/001-perf',
      './homa-nic-results/002-sim-run',
    ]);
    mkdirSync('homa-nic-results/1041-perf');
    mkdirSync('homa-nic-results/notes');
    expect(makeOutputFolder({ command: 'perf' }).shown).to.equal('./homa-nic-results/1042-perf');
    expect(makeOutputFolder({ command: 'perf', resultsFolder: 'here' }).shown).to.equal('./here/001-perf');
  });

  it('is what --out says when that is new or empty', () => {
    mkdirSync('empty');
    expect(makeOutputFolder({ command: 'perf', out: 'empty' }).path).to.equal('empty');
    expect(makeOutputFolder({ command: 'perf', out: 'new/deep' }).shown).to.equal('./new/deep');
    expect(existsSync('new/deep')).to.equal(true);
  });

  it('is not one that is in use, unless forced', () => {
    expect(() => makeOutputFolder({ command: 'perf', out: 'used' })).to.throw(
      UsageError,
      './used has something in it',
    );
    expect(makeOutputFolder({ command: 'perf', out: 'used', force: true }).path).to.equal('used');
    expect(existsSync('used/result.json')).to.equal(true);
  });

  it('is refused before any work when it cannot be written, even by root', () => {
    for (const out of ['file.txt', 'file.txt/below', '/proc/nothing/here']) {
      let thrown: unknown;
      try {
        makeOutputFolder({ command: 'perf', out });
      } catch (error) {
        thrown = error;
      }
      expect(thrown).to.be.instanceOf(UsageError);
      expect((thrown as UsageError).code).to.equal('unwritable');
      expect((thrown as UsageError).message).not.to.include(folder.path);
    }
  });

  it('goes away again if nothing was written, and only then', () => {
    const empty = makeOutputFolder({ command: 'perf' });
    empty.discardIfEmpty();
    expect(existsSync(empty.path)).to.equal(false);
    const kept = makeOutputFolder({ command: 'perf' });
    writeFileSync(join(kept.path, 'trace.tt'), '');
    kept.discardIfEmpty();
    expect(existsSync(kept.path)).to.equal(true);
    mkdirSync('mine');
    makeOutputFolder({ command: 'perf', out: 'mine' }).discardIfEmpty();
    expect(existsSync('mine')).to.equal(true);
  });

  it('a file to write is checked the same way', () => {
    checkOutputFile('plot.svg', false);
    checkOutputFile('file.txt', true);
    expect(() => checkOutputFile('file.txt', false)).to.throw(UsageError, './file.txt exists already');
    expect(() => checkOutputFile('used', true)).to.throw(UsageError, 'it is a folder');
    expect(() => checkOutputFile('none/plot.svg', false)).to.throw(UsageError, 'no such file or folder');
    expect(() => checkOutputFile('file.txt/plot.svg', false)).to.throw(UsageError, 'not a folder');
    checkOutputFile('to-come/plot.svg', false, 'to-come');
  });

  it('a plot is SVG by name too', () => {
    checkPlotFile('plot.SVG', false);
    for (const [name, better] of [
      ['a.png', '--plot ./a.svg'],
      ['plot', '--plot ./plot.svg'],
      ['../x.y/plot', '--plot ../x.y/plot.svg'],
    ]) {
      let thrown: unknown;
      try {
        checkPlotFile(name!, true);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).to.be.instanceOf(UsageError);
      expect((thrown as UsageError).suggestions).to.deep.equal([better]);
    }
  });

  it('paths are shown relative, devices as they are', () => {
    expect(showPath(join(process.cwd(), 'a/b'))).to.equal('./a/b');
    expect(showPath('..')).to.equal('..');
    expect(showPath('.')).to.equal('.');
    expect(showPath('/dev/homa_nic_h2c_metadata')).to.equal('/dev/homa_nic_h2c_metadata');
  });
});
