// SPDX-License-Identifier: Apache-2.0
// The same driver with an emulated Intel IOMMU between card and memory: every DMA address is translated.
import { expect } from 'chai';
import { GuestForTests } from './guest-for-tests.js';

describe('driver behind an IOMMU', function () {
  this.timeout(120_000);
  let guest: GuestForTests;

  before(async () => {
    guest = await GuestForTests.start({ iommu: true, parameters: [] });
    await guest.putProbe();
  });
  after(() => guest?.stop());

  it('has the card in a translated group', async () => {
    const group = '/sys/bus/pci/devices/0000:01:00.0/iommu_group/type';
    expect((await guest.sh(`cat ${group}`)).trim()).to.match(/^DMA/);
  });

  it('echoes, keeps programs apart, opens and closes', async () => {
    expect(await guest.probe('nops 200')).to.equal(1);
    expect(await guest.probe('isolation')).to.be.at.least(17);
    expect(await guest.probe('cycle 50')).to.equal(1);
    await guest.expectNoSessions();
    await guest.expectQuietLog();
  });

  it('unloads cleanly', async () => {
    await guest.sh('rmmod homanic');
    await guest.expectQuietLog();
  });
});
