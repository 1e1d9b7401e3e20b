// SPDX-License-Identifier: Apache-2.0
// The same driver with an emulated Intel IOMMU between card and memory: every DMA address is translated.
import { expect } from 'chai';
import { GuestForTests, simNic } from './guest-for-tests.js';

describe('driver behind an IOMMU', function () {
  this.timeout(120_000);
  let guest: GuestForTests;

  before(async () => {
    guest = await GuestForTests.start({
      iommu: true,
      cards: [simNic, simNic],
      parameters: ['ipv4=10.0.0.1,10.0.0.2'],
    });
    await guest.putProbe();
  });
  after(() => guest?.stop());

  it('has the card in a translated group', async () => {
    for (const card of ['0000:01:00.0', '0000:02:00.0']) {
      const group = `/sys/bus/pci/devices/${card}/iommu_group/type`;
      expect((await guest.sh(`cat ${group}`)).trim()).to.match(/^DMA/);
    }
  });

  it('echoes, keeps programs apart, opens and closes', async () => {
    expect(await guest.probe('nops 200')).to.equal(1);
    expect(await guest.probe('isolation')).to.be.at.least(17);
    expect(await guest.probe('cycle 50')).to.equal(1);
    await guest.expectNoSessions();
    await guest.expectQuietLog();
  });

  it('carries messages from card to card, every payload checked', async () => {
    await guest.putPrograms(['perf_latency_client', 'perf_latency_server']);
    const script = `
      /tmp/perf_latency_server --card 1 2> /tmp/server & server=$!
      until grep -q serving /tmp/server; do usleep 2000; done
      for size in 64 5000 1000000; do
        /tmp/perf_latency_client --peer 10.0.0.2:4000 --size $size --count 5 --warmup 0 || exit 1
      done
      kill -INT $server; wait $server; true`;
    expect((await guest.sh(script)).match(/^rpc /gm)?.length).to.equal(3);
    await guest.expectNoSessions();
    await guest.expectQuietLog();
  });

  it('unloads cleanly', async () => {
    await guest.sh('rmmod homanic');
    await guest.expectQuietLog();
  });
});
