// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import { takeRoom } from '#src/world/number-room.js';

describe('world: room for numbers', () => {
  it('is zeros, the same memory in words and doubles, and nobody else has it', () => {
    const sizes = [1, 528, 16, 17, 40_000, 2_000, ...Array.from({ length: 60 }, (_, i) => 37 * i)];
    const rooms = sizes.map((size, number) => {
      const room = takeRoom(size);
      expect(room.at % 16).to.equal(0);
      expect(room.doubles.buffer).to.equal(room.words.buffer);
      expect(room.at + size).to.be.at.most(room.words.length);
      for (let i = 0; i < size; i++) {
        expect(room.words[room.at + i]).to.equal(0);
        room.words[room.at + i] = number + 1;
      }
      return room;
    });
    for (const [number, { words, at }] of rooms.entries()) {
      const seen = words.subarray(at, at + sizes[number]!);
      expect(seen.every((word) => word === number + 1)).to.equal(true);
    }
    const { words, doubles, at } = takeRoom(2);
    doubles[at / 2] = 1;
    expect([words[at], words[at + 1]]).to.deep.equal([0, 0x3ff00000]);
  });
});
