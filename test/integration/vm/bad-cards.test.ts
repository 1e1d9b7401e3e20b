// SPDX-License-Identifier: Apache-2.0
// Cards that must not be driven: probe fails, and the sentence says why and what to do.
import { expect } from 'chai';
import { falsified } from './falsified-nic.js';
import { GuestForTests, simNic } from './guest-for-tests.js';
import { ContentError } from '#src/errors/errors.js';

describe('cards that must not be driven', function () {
  this.timeout(120_000);
  let guest: GuestForTests;

  before(async () => {
    guest = await GuestForTests.start({
      cards: [
        falsified(simNic, { dead: true }),
        falsified(simNic, { registers: { magic: 0x12345678 } }),
        falsified(simNic, { registers: { interfaceVersion: 0x00000009 } }),
        falsified(simNic, { neverLinked: true }),
      ],
    });
    await guest.takeMessages();
  });
  after(() => guest?.stop());

  it('are refused, each with its sentence, and load-driver repeats them', async () => {
    let failure: unknown;
    try {
      await guest.load(['link_timeout_ms=100']);
    } catch (thrown) {
      failure = thrown;
    }
    expect(failure).to.be.instanceOf(ContentError);
    const { message } = failure as ContentError;
    expect(message).to.include('drives no card');
    expect(message).to.match(
      /0000:01:00\.0: .*reads 0xffffffff, expected 0x414d4f48: card absent or link down/,
    );
    expect(message).to.match(
      /0000:02:00\.0: .*reads 0x12345678, expected 0x414d4f48: not a homa-nic bitstream/,
    );
    expect(message).to.match(
      /0000:03:00\.0: card speaks interface 0\.9, driver expects 1\.0: the card is older/,
    );
    expect(message).to.match(/0000:04:00\.0: MAC has no link after 100 ms/);
  });

  it('leave the module loaded, unloadable, and no memory or device file behind', async () => {
    expect((await guest.sh('ls /dev | grep -c homa_nic || true')).trim()).to.equal('0');
    await guest.takeMessages();
    await guest.sh('rmmod homanic');
    await guest.expectQuietLog();
  });
});
