// SPDX-License-Identifier: Apache-2.0
// Cards that go away while programs use them.
import { expect } from 'chai';
import { type Falsehood, falsified } from './falsified-nic.js';
import { GuestForTests, simNic } from './guest-for-tests.js';

const LOST = /card lost \(noticed by [^)]+\): magic register reads all ones/;

describe('a card that goes away', function () {
  this.timeout(120_000);
  let guest: GuestForTests;
  const pulled: Falsehood = {};

  before(async () => {
    guest = await GuestForTests.start({
      cards: [simNic, falsified(simNic, pulled)],
      parameters: ['watch_ms=100'],
    });
    await guest.putProbe();
  });
  after(() => guest?.stop());

  /** Starts a probe that works until the card is gone, takes the card away, and has its checks read. */
  async function whileInUse(card: number, takeAway: () => Promise<void>): Promise<void> {
    let ready = (): void => undefined;
    const isReady = new Promise<void>((resolve) => (ready = resolve));
    const probe = guest.machine.executor.run(['/tmp/probe', 'gone', '0', String(card)], {
      timeoutMs: 60_000,
      onOutput: (_stream, bytes) => {
        if (Buffer.from(bytes).toString().includes('ready')) ready();
      },
    });
    await Promise.race([isReady, probe]);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await takeAway();
    const { stdout, exitCode } = await probe;
    const lines = stdout.split('\n').filter((line) => /^(not )?ok - /.test(line));
    expect(lines.filter((line) => line.startsWith('not'))).to.deep.equal([]);
    expect(lines.length, stdout).to.equal(6);
    expect(exitCode).to.equal(0);
  }

  it('is unbound under load: calls say ENODEV, memory stays, nothing leaks', async () => {
    const address = '0000:01:00.0';
    const before = await guest.freeKilobytes();
    await whileInUse(0, async () => {
      await guest.sh(`echo ${address} > /sys/bus/pci/drivers/homanic/unbind`);
    });
    await guest.sh(`echo ${address} > /sys/bus/pci/drivers/homanic/bind`);
    await guest.probe('nops 20');
    await guest.expectNoSessions();
    expect(before - (await guest.freeKilobytes()), 'KB lost').to.be.below(2048);
    await guest.expectQuietLog();
  });

  it('is removed through sysfs under load, and comes back with a rescan', async () => {
    const before = await guest.freeKilobytes();
    await whileInUse(0, async () => {
      await guest.sh('echo 1 > /sys/bus/pci/devices/0000:01:00.0/remove');
    });
    await guest.sh('echo 1 > /sys/bus/pci/rescan');
    await guest.probe('nops 20');
    await guest.expectNoSessions();
    expect(before - (await guest.freeKilobytes()), 'KB lost').to.be.below(2048);
    await guest.expectQuietLog();
  });

  it('turns all-ones in mid-run: programs get ENODEV, the log says so once, the module can be unloaded', async () => {
    await whileInUse(1, async () => {
      pulled.dead = true;
    });
    await guest.expectQuietLog(LOST);
    expect((await guest.sh('cat /sys/bus/pci/devices/0000:02:00.0/homa_state/alive')).trim()).to.equal('0');
    await guest.probe('nops 20 0');
    await guest.sh('rmmod homanic');
    await guest.expectQuietLog();
  });
});
