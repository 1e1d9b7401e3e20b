// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import { CallFlag } from '#src/nic/regs.js';
import { ANY_RPC, PostedReceives } from '#src/nic/sim/posted-receives.js';

const { matchRequests, matchResponses } = CallFlag;

function posted(...calls: [slot: number, flags: number, rpc: number, size: number][]): PostedReceives {
  const receives = new PostedReceives();
  for (const [slot, flags, rpc, size] of calls)
    receives.post(1, slot, flags, rpc === 0 ? ANY_RPC : rpc, size > 0);
  return receives;
}

describe('posted recvmsg calls', () => {
  it('are claimed oldest first by what they take', () => {
    const receives = posted(
      [1, matchRequests, 0, 10],
      [2, matchResponses, 0, 10],
      [3, 0, 0, 10],
      [4, 0, 8, 10],
    );
    expect(receives.claim(1, true, 2, true)).to.equal(2);
    expect(receives.claim(1, true, 2, true)).to.equal(3);
    expect(receives.claim(1, true, 2, true)).to.equal(0);
    expect(receives.claim(1, true, 8, true)).to.equal(4);
    expect(receives.claim(1, false, 3, true)).to.equal(1);
    expect(receives.claim(2, false, 3, true)).to.equal(0);
  });

  it('without a buffer take only whole messages', () => {
    const receives = posted([1, 0, 0, 0]);
    expect(receives.claim(1, false, 3, true)).to.equal(0);
    expect(receives.claim(1, false, 3, false)).to.equal(1);
  });

  it('take their old place again when their message dies', () => {
    const receives = posted([7, 0, 0, 10], [8, 0, 0, 10], [9, 0, 0, 10]);
    for (const slot of [7, 8, 9]) expect(receives.claim(1, false, 3, true)).to.equal(slot);
    expect(receives.unclaim(1, 9)).to.equal(true);
    expect(receives.unclaim(1, 7)).to.equal(true);
    expect(receives.unclaim(1, 8)).to.equal(true);
    expect(receives.waitingSlots(1)).to.deep.equal([7, 8, 9]);
  });

  it('do not wait again when they were cancelled meanwhile', () => {
    const receives = posted([7, 0, 0, 10]);
    expect(receives.cancelClaimed(1, 7)).to.equal(false);
    receives.claim(1, false, 3, true);
    expect(receives.withdraw(1, 7)).to.equal(false);
    expect(receives.cancelClaimed(1, 7)).to.equal(true);
    expect(receives.unclaim(1, 7)).to.equal(false);
    expect(receives.waitingSlots(1)).to.deep.equal([]);
  });
});
