// SPDX-License-Identifier: Apache-2.0
import { Config } from '@oclif/core';
import { expect } from 'chai';
import { CONFIG_KEYS, DEFAULTS, flagOfKey } from '#src/base/config-keys.js';
import { expectGolden } from './golden.js';
import { REPOSITORY, runInProcess } from './harness.js';

describe('help', () => {
  it('of every command and topic is as the golden files have it, in 80 columns', async () => {
    const config = await Config.load({ root: REPOSITORY, devPlugins: false, userPlugins: false });
    const own = config.commands.filter((command) => command.pluginName === 'homa-nic').map((c) => c.id);
    const parents = own.flatMap((id) => (id.includes(':') ? [id.slice(0, id.lastIndexOf(':'))] : []));
    expect(own).to.include('config');
    for (const id of new Set([...own, ...parents])) {
      const ran = await runInProcess([...id.split(':'), '--help']);
      expect(ran.exitCode).to.equal(0);
      for (const line of ran.stdout.split('\n')) {
        if (!line.trimStart().startsWith('$ homa-nic'))
          expect(line.length, `${id}: ${line}`).to.be.at.most(80);
      }
      expectGolden(`help-${id.replaceAll(':', '-')}`, ran.stdout);
    }
    const root = (await runInProcess([])).stdout;
    for (const line of root.split('\n')) expect(line.length, line).to.be.at.most(80);
    expectGolden('help', root);
  });

  it('shows the defaults that configuration uses', async () => {
    const config = await Config.load({ root: REPOSITORY, devPlugins: false, userPlugins: false });
    for (const command of config.commands.filter((c) => c.pluginName === 'homa-nic')) {
      for (const key of CONFIG_KEYS) {
        const flag = command.flags[flagOfKey(key)] as { default?: unknown } | undefined;
        if (flag?.default === undefined) continue;
        expect(flag.default, `${command.id} --${flagOfKey(key)}`).to.equal(DEFAULTS[key]);
      }
    }
  });

  it('is the same text by three ways', async () => {
    const texts = await Promise.resolve().then(async () => [
      (await runInProcess(['config', '--help'])).stdout,
      (await runInProcess(['help', 'config'])).stdout,
      JSON.parse((await runInProcess(['config', '--help', '--json'])).stdout).result.help,
    ]);
    expect(texts[1]).to.equal(texts[0]);
    expect(`${texts[2]}\n`).to.equal(texts[0]);
  });

  it('of a topic alone is shown, exit 0', async () => {
    const ran = await runInProcess(['sim']);
    expect(ran.exitCode).to.equal(0);
    expect(ran.stdout).to.match(/\$ homa-nic sim COMMAND/);
  });
});
