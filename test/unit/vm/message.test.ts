// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import * as fc from 'fast-check';
import { HEAD_BYTES, MAX_MESSAGE_BYTES, MessageReader, encodeMessage } from '#src/vm/vfio-user/message.js';

describe('vfio-user messages', () => {
  it('have a head of id, command, size, flags, errno', () => {
    const bytes = encodeMessage(0x1234, 9, 0x21, Buffer.from([1, 2]), 22);
    expect(bytes.toString('hex')).to.equal('34120900' + '12000000' + '21000000' + '16000000' + '0102');
  });

  it('are found again however the stream is cut', () => {
    const one = fc.record({
      id: fc.integer({ min: 0, max: 0xffff }),
      command: fc.integer({ min: 1, max: 15 }),
      flags: fc.constantFrom(0, 1, 0x10, 0x21),
      body: fc.uint8Array({ maxLength: 100 }),
    });
    fc.assert(
      fc.property(
        fc.array(one, { maxLength: 10 }),
        fc.array(fc.integer({ min: 1, max: 60 })),
        (messages, cuts) => {
          const stream = Buffer.concat(messages.map((m) => encodeMessage(m.id, m.command, m.flags, m.body)));
          const reader = new MessageReader();
          const found = [];
          for (let at = 0, i = 0; at < stream.length; i++) {
            const step = cuts[i % Math.max(1, cuts.length)] ?? stream.length;
            found.push(...reader.push(Buffer.from(stream.subarray(at, at + step))));
            at += step;
          }
          expect(found.map(({ id, command, flags, body }) => [id, command, flags, [...body]])).to.deep.equal(
            messages.map(({ id, command, flags, body }) => [id, command, flags, [...body]]),
          );
        },
      ),
    );
  });

  it('of an impossible size end the stream', () => {
    for (const size of [0, HEAD_BYTES - 1, MAX_MESSAGE_BYTES + 1]) {
      const bytes = encodeMessage(1, 1, 0, new Uint8Array(0));
      bytes.writeUInt32LE(size, 4);
      expect(() => new MessageReader().push(bytes)).to.throw(RangeError);
    }
  });
});
