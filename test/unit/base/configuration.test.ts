// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import { flagOfKey, variableOfKey } from '#src/base/config-keys.js';
import { unknownVariables } from '#src/base/configuration.js';
import { makeFolder, runInProcess } from '../../cli/harness.js';

describe('configuration', () => {
  it('names the flag and the variable of a key', () => {
    expect(flagOfKey('pcieProfile')).to.equal('pcie-profile');
    expect(variableOfKey('pcieProfile')).to.equal('HOMA_NIC_PCIE_PROFILE');
  });

  it('notices variables that mean nothing', () => {
    expect(
      unknownVariables({ HOMA_NIC_SEDE: '1', HOMA_NIC_SEED: '1', HOMA_NIC_DEBUG: '1', PATH: 'x' }),
    ).to.deep.equal(['HOMA_NIC_SEDE']);
  });

  it('is printed with the source of each value', async () => {
    const folder = makeFolder({ 'homa-nic.json': '{"$schema": "x", "count": 5, "seed": 6}' });
    const env = { HOMA_NIC_SEED: '7', HOMA_NIC_SEDE: '1' };
    const ran = await runInProcess(['config', '--json'], { cwd: folder.path, env });
    const { result, warnings } = JSON.parse(ran.stdout);
    expect(result.settings.count).to.deep.equal({
      value: 5,
      source: 'project file',
      from: './homa-nic.json',
    });
    expect(result.settings.seed).to.deep.equal({ value: 7, source: 'environment', from: 'HOMA_NIC_SEED' });
    expect(result.settings.nic).to.deep.equal({ value: null, source: 'default', from: 'built in' });
    expect(warnings).to.deep.equal(['HOMA_NIC_SEDE is set and means nothing; did you mean HOMA_NIC_SEED?']);
    const text = await runInProcess(['config'], { cwd: folder.path, env });
    expect(text.stdout).to.match(/^seed +7 +HOMA_NIC_SEED /m);
    expect(text.stderr).to.match(/^warning: HOMA_NIC_SEDE is set/);
    folder.remove();
  });
});
