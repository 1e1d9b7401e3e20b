// SPDX-License-Identifier: Apache-2.0
// What bin/run.js starts is the bundle. All tests that run a process of its own run it; these hold what it is there for.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeFolder, REPOSITORY, runHomaNic, runInProcess, runProgram } from './harness.js';

/** Prints the files that a command line has loaded, on stderr, as it ends. */
const SPY = `process.on('exit', () => process.stderr.write(Object.keys(require.cache).join('\\n')));`;

describe('bundle', function () {
  this.timeout(60_000);
  const folder = makeFolder({ 'spy.cjs': SPY.replaceAll('\\\\', '\\'), 'a.tt': '' });
  after(() => folder.remove());

  const loaded = async (...argv: string[]): Promise<string[]> => {
    const program = ['--require', join(folder.path, 'spy.cjs'), join(REPOSITORY, 'bin/run.js'), ...argv];
    const ran = await runProgram(process.execPath, program, { cwd: folder.path });
    expect(ran.exitCode, ran.stderr).to.equal(0);
    return ran.stderr.split('\n').filter((file) => file.startsWith('/') && !file.endsWith('spy.cjs'));
  };

  it('is all that a command loads: no package, no command beside it, and few files', async () => {
    const line = '    1.000 us (+   0.500 us) [m] write';
    writeFileSync(join(folder.path, 'a.tt'), `${line} request\n${line.replace('1.0', '1.5')} response\n`);
    for (const argv of [['--version'], ['config', '--json'], ['parse', 'a.tt'], ['parse', '--help']]) {
      const files = await loaded(...argv);
      for (const file of files) expect(file).to.match(/\/(bin\/run\.js|dist\/bundle\/[^/]+\.cjs)$/);
      const commands = files.filter((file) => file.includes('/commands.'));
      expect(commands).to.have.lengthOf(argv[0] === '--version' ? 0 : 1);
      expect(files.length, argv.join(' ')).to.be.at.most(30);
    }
  });

  it('prints what the modules print: help of everything, unknown commands, plugins', async () => {
    for (const argv of [
      ['--help'],
      ['parse', '--help'],
      ['help', 'sim', 'run'],
      ['vm'],
      ['modle'],
      ['autocomplete', '--help'],
    ]) {
      const [bundled, plain] = [await runHomaNic(argv), await runInProcess(argv)];
      expect(bundled, argv.join(' ')).to.deep.equal(plain);
    }
  });

  it('holds every command', () => {
    const commands = readdirSync(join(REPOSITORY, 'src/commands'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => `commands.${file.replace(/\.ts$/, '').replaceAll('/', '.')}.cjs`);
    expect(readdirSync(join(REPOSITORY, 'dist/bundle'))).to.include.members(commands);
    expect(JSON.parse(readFileSync(join(REPOSITORY, 'bin/package.json'), 'utf8'))).to.deep.equal({
      type: 'commonjs',
    });
  });
});
