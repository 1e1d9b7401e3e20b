// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import { doneWithFrame, newFrame } from '#src/nic/frame-slab.js';

describe('frames that are used again', () => {
  it("have the length that was asked for, and are nobody else's", () => {
    const live = new Set<Uint8Array>();
    for (let round = 0; round < 2000; round++) {
      const frame = newFrame(60 + ((round * 37) % 200));
      expect(frame.length).to.equal(60 + ((round * 37) % 200));
      expect(live.has(frame)).to.equal(false);
      live.add(frame);
      if (round % 3 !== 0) {
        const [oldest] = live;
        live.delete(oldest!);
        doneWithFrame(oldest!);
      }
    }
    // What is live keeps what is written into it, whatever is given out later.
    const frames = [...live];
    frames.forEach((frame, i) => frame.fill(i & 0xff));
    for (let i = 0; i < 500; i++) newFrame(60 + (i % 200)).fill(0xee);
    expect(frames.every((frame, i) => frame.every((byte) => byte === (i & 0xff)))).to.equal(true);
  });

  it('are those given back, but never arrays that came from elsewhere', () => {
    const frame = newFrame(777);
    doneWithFrame(frame);
    expect(newFrame(777)).to.equal(frame);
    const foreign = new Uint8Array(777);
    doneWithFrame(foreign);
    expect(newFrame(777)).to.not.equal(foreign);
  });

  it('are let go when they have become too many', () => {
    const frames = Array.from({ length: 2000 }, () => newFrame(9000));
    frames.forEach(doneWithFrame); // 18 MB; 16 are kept
    const again = new Set(frames);
    let found = 0;
    while (again.has(newFrame(9000))) found++;
    expect(found).to.be.above(0).and.below(2000);
  });
});
