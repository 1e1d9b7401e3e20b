// SPDX-License-Identifier: Apache-2.0
// The driver of a simulated host against cards that are not as they should be.
import { expect } from 'chai';
import { INTERFACE_VERSION, MAGIC, UserState } from '#src/nic/regs.js';
import { closeUser, DriverError, probe, type Access, type Routine } from '#src/world/host/driver.js';

/** Runs a routine against a card that answers each read with `answer`; returns what it threw and how long it waited. */
function against(
  routine: Routine<unknown>,
  answer: (access: Access & { kind: 'read' }) => number[],
): { error: unknown; waitedPs: number; accesses: Access[] } {
  const accesses: Access[] = [];
  let waitedPs = 0;
  let input = new Uint8Array(0);
  try {
    for (;;) {
      const { value, done } = routine.next(input);
      if (done === true) return { error: undefined, waitedPs, accesses };
      accesses.push(value);
      input = new Uint8Array(0);
      if (value.kind === 'wait') waitedPs += value.timePs;
      if (value.kind === 'read') {
        input = new Uint8Array(value.lengthBytes);
        const view = new DataView(input.buffer);
        answer(value).forEach((word, i) => {
          if (4 * i < value.lengthBytes) view.setUint32(4 * i, word, true);
        });
      }
    }
  } catch (error) {
    return { error, waitedPs, accesses };
  }
}

describe('driver of a simulated host', () => {
  const mac = Uint8Array.of(2, 0, 0, 0, 0, 1);

  for (const [what, identity, says] of [
    ['all ones', [0xffffffff, 0xffffffff], /^the card is absent or its PCIe link is down$/],
    ['another card', [0x12345678, INTERFACE_VERSION], /^not a homa-nic card: magic 0x12345678$/],
    [
      'an old card',
      [MAGIC, INTERFACE_VERSION - 0x10000],
      /interface 0\.0, this driver 1\.0: the card is old$/,
    ],
    [
      'a new card',
      [MAGIC, INTERFACE_VERSION + 0x10002],
      /interface 2\.2, this driver 1\.0: this driver is old$/,
    ],
  ] as const) {
    it(`refuses ${what}, says why in one message, and writes nothing to it`, () => {
      const { error, accesses } = against(probe({ mac }), () => [...identity]);
      expect(error).to.be.instanceOf(DriverError);
      expect((error as Error).message).to.match(says);
      expect(accesses.filter(({ kind }) => kind === 'write')).to.deep.equal([]);
    });
  }

  it('gives up on a card that never becomes idle after its reset', () => {
    const { error } = against(probe({ mac }), ({ lengthBytes }) =>
      lengthBytes === 64 ? [MAGIC, INTERFACE_VERSION] : [0],
    );
    expect((error as Error).message).to.equal('the card did not become idle');
  });

  it('gives a user 100 ms to quiesce, and then does not close it: its memory must be kept', () => {
    const { error, waitedPs, accesses } = against(closeUser(3), ({ address }) =>
      address >= 0x3000 ? [UserState.quiescing] : [0],
    );
    expect(error).to.be.instanceOf(DriverError);
    expect((error as Error).message).to.equal('user 3 did not quiesce within 100 ms');
    expect(waitedPs).to.equal(100e9);
    expect(accesses.filter(({ kind }) => kind === 'write')).to.have.length(1);
  });
});
