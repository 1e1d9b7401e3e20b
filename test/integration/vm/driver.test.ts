// SPDX-License-Identifier: Apache-2.0
// The real driver and real programs in a guest with two simulated cards.
import { expect } from 'chai';
import { GuestForTests, simNic } from './guest-for-tests.js';
import { deviceFiles, findCards } from '#src/doctor/driver-state.js';

const PARAMETERS = ['ipv4=10.0.0.1,10.0.0.2', 'mac=02:00:00:00:00:01,02:00:00:00:00:02'];

describe('driver in a guest', function () {
  this.timeout(180_000);
  let guest: GuestForTests;

  before(async () => {
    guest = await GuestForTests.start({ cards: [simNic, simNic] });
    await guest.putProbe();
  });
  after(() => guest?.stop());

  it('is loaded with insmod, drives both cards and goes without a trace', async () => {
    await guest.takeMessages();
    await guest.load(PARAMETERS);
    await guest.sh('rmmod homanic');
    const before = await guest.freeKilobytes();
    for (let i = 0; i < 3; i++) await guest.sh('insmod /tmp/homanic.ko && rmmod homanic');
    const leaked = before - (await guest.freeKilobytes());
    expect(leaked, 'KB lost by three loads of 170 MB').to.be.below(4096);
    await guest.expectQuietLog();
  });

  it('refuses a parameter outside its range, naming the range', async () => {
    const outcome = await guest.machine.executor.run(['insmod', '/tmp/homanic.ko', 'mtu=1']);
    expect(outcome.exitCode).to.not.equal(0);
    await guest.expectQuietLog(/mtu=1: expected a number from \d+ to \d+/, /invalid for parameter/);
  });

  it('loads again through load-driver, twice, harmlessly', async () => {
    await guest.load(PARAMETERS);
    await guest.load(PARAMETERS);
    const cards = await findCards(guest.machine.executor);
    expect(cards.map((card) => card.driver)).to.deep.equal(['homanic', 'homanic']);
    for (const file of [...deviceFiles(0), ...deviceFiles(1)]) {
      expect(await guest.machine.executor.exists(file), file).to.equal(true);
    }
  });

  it('is not unloaded while a program has it open', async () => {
    await guest.sh(
      '/tmp/probe hold > /tmp/held & for i in $(seq 100); do grep -q ready /tmp/held && exit; usleep 50000; done',
    );
    const outcome = await guest.machine.executor.run(['rmmod', 'homanic']);
    expect(outcome.exitCode).to.not.equal(0);
    expect(outcome.stderr).to.match(/busy|temporarily unavailable/i);
    await guest.sh('killall -9 probe');
    await guest.expectQuietLog();
  });

  it('answers wrong mappings, ioctls and forks with the right errno', async () => {
    expect(await guest.probe('limits')).to.be.at.least(60);
    await guest.expectNoSessions();
    await guest.expectQuietLog();
  });

  it('has room for 16 programs and refuses the 17th', async () => {
    expect(await guest.probe('users')).to.equal(18);
    await guest.expectNoSessions();
    await guest.expectQuietLog();
  });

  it('keeps programs apart: no reading, writing or DMA into memory of others', async () => {
    expect(await guest.probe('isolation')).to.be.at.least(17);
    await guest.expectNoSessions();
    await guest.expectQuietLog();
  });

  it('lets two programs work at once, on one card and on two', async () => {
    const [first, second, third] = await Promise.all([
      guest.probe('nops 300 0'),
      guest.probe('nops 300 0'),
      guest.probe('nops 300 1'),
    ]);
    expect([first, second, third]).to.deep.equal([1, 1, 1]);
    await guest.expectNoSessions();
    await guest.expectQuietLog();
  });

  it('opens and closes 1,000 times and loses nothing', async () => {
    await guest.probe('cycle 10');
    const before = await guest.freeKilobytes();
    expect(await guest.probe('cycle 1000', 150_000)).to.equal(1);
    const leaked = before - (await guest.freeKilobytes());
    expect(leaked, 'KB lost by 1,000 sessions').to.be.below(2048);
    await guest.expectNoSessions();
    await guest.expectQuietLog();
  });

  it('survives 100 programs killed in mid-transfer', async () => {
    const before = await guest.freeKilobytes();
    const script = `
      for i in $(seq 100); do
        /tmp/probe churn > /tmp/churn & pid=$!
        until grep -q ready /tmp/churn; do usleep 2000; done
        usleep $((i * 137 % 5000))
        kill -9 $pid; wait $pid; rm /tmp/churn
      done 2>/dev/null
      echo killed`;
    expect((await guest.sh(script, 120_000)).trim()).to.equal('killed');
    await guest.expectNoSessions();
    const leaked = before - (await guest.freeKilobytes());
    expect(leaked, 'KB lost by 100 kills').to.be.below(2048);
    expect(await guest.probe('nops 50')).to.equal(1);
    await guest.expectQuietLog();
  });

  it('counts in sysfs what the card did', async () => {
    const counters = '/sys/bus/pci/devices/0000:01:00.0/homa_counters';
    const names = (await guest.sh(`ls ${counters}`)).trim().split('\n');
    expect(names.length).to.be.at.least(50);
    const calls = (): Promise<number> => guest.sh(`cat ${counters}/calls`).then(Number);
    const before = await calls();
    await guest.probe('nops 25');
    expect((await calls()) - before).to.equal(25);
  });
});
