// SPDX-License-Identifier: Apache-2.0
// A card that does not confirm that a user is quiet: its memory must be kept, counted, and used again only when it is.
import { expect } from 'chai';
import { type Falsehood, falsified } from './falsified-nic.js';
import { GuestForTests, simNic } from './guest-for-tests.js';

const NOT_QUIET = /user \d+ has not quiesced in 100 ms: its memory is kept until it has/;
const USER_BYTES = 1_048_576 + 4_194_304 + 16_384;

describe('a card that does not get quiet', function () {
  this.timeout(120_000);
  let guest: GuestForTests;
  const lie: Falsehood = {};

  before(async () => {
    guest = await GuestForTests.start({ cards: [falsified(simNic, lie)], parameters: [] });
    await guest.putProbe();
  });
  after(() => guest?.stop());
  beforeEach(() => {
    lie.neverQuiet = false;
    lie.registers = {};
  });

  async function state(): Promise<string> {
    const files = '/sys/bus/pci/drivers/homanic/*/homa_state';
    return (await guest.sh(`cat ${files}/sessions ${files}/users_stuck ${files}/bytes_kept`))
      .trim()
      .replace(/\n/g, ' ');
  }

  it('keeps the memory of a closed session, and others work on', async () => {
    lie.neverQuiet = true;
    await guest.probe('nops 5');
    await guest.expectQuietLog(NOT_QUIET);
    expect(await state()).to.equal(`0 1 ${USER_BYTES}`);
    await guest.probe('nops 5');
    await guest.expectQuietLog(NOT_QUIET);
    expect(await state()).to.equal(`0 2 ${2 * USER_BYTES}`);
  });

  it('takes the memory into use again once the card is quiet', async () => {
    await guest.probe('nops 5');
    expect(await state()).to.equal('0 0 0');
    expect(await guest.sh('dmesg')).to.match(/user 1 has quiesced late: its memory is in use again/);
    await guest.expectQuietLog();
  });

  it('gives it back when the module goes, because a reset ends all DMA', async () => {
    lie.neverQuiet = true;
    const before = await guest.freeKilobytes();
    await guest.probe('nops 5');
    await guest.expectQuietLog(NOT_QUIET);
    await guest.sh('rmmod homanic && insmod /tmp/homanic.ko');
    expect(await state()).to.equal('0 0 0');
    expect(before - (await guest.freeKilobytes()), 'KB lost').to.be.below(2048);
    await guest.expectQuietLog();
  });

  it('keeps it until reboot when not even the reset is confirmed', async () => {
    lie.neverQuiet = true;
    const before = await guest.freeKilobytes();
    await guest.probe('nops 5');
    lie.registers = { status: 4 };
    await guest.sh('rmmod homanic');
    await guest.expectQuietLog(
      NOT_QUIET,
      /core not idle 100 ms after reset: status reads 0x00000004, expected bit 0 set and bit 2 clear/,
      new RegExp(`neither quiet nor reset: ${USER_BYTES} bytes stay allocated until reboot`),
    );
    lie.neverQuiet = false;
    lie.registers = {};
    await guest.sh('insmod /tmp/homanic.ko');
    const kept = before - (await guest.freeKilobytes());
    expect(kept, 'KB kept').to.be.within(4096, 8192);
    await guest.probe('nops 5');
    await guest.expectQuietLog();
  });
});
