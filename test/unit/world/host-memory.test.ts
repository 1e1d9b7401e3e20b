// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import fc from 'fast-check';
import { fillPattern, findWrongByte, patternBytes, readKey } from '#src/world/host/pattern.js';
import { CHUNK_BYTES } from '#src/world/chunks.js';
import { HostMemory } from '#src/world/memory.js';
import { findProgression, progressionBytes, STEP } from '#src/world/progression.js';

describe('world: host memory', () => {
  it('refuses and records a DMA outside a buffer, across a page, or after release', () => {
    const memory = new HostMemory();
    const buffer = memory.allocate(10_000);
    expect(memory.find(0, 'read', buffer.address, 4096)).to.equal(buffer);
    expect(memory.find(0, 'write', buffer.address + 9_999, 1)).to.equal(buffer);
    expect(memory.violations).to.deep.equal([]);
    for (const [address, length] of [
      [buffer.address + 9_999, 2],
      [buffer.address - 1, 1],
      [buffer.address + 4000, 200],
      [0, 64],
      [buffer.address, 0],
    ] as const) {
      expect(memory.find(5, 'write', address, length), `${address} ${length}`).to.equal(undefined);
    }
    memory.release(buffer);
    expect(memory.find(6, 'read', buffer.address, 64)).to.equal(undefined);
    expect(memory.violations.map((v) => v.timePs)).to.deep.equal([5, 5, 5, 5, 5, 6]);
  });

  it('keeps bytes across chunks and costs only the chunks written', () => {
    const buffer = new HostMemory().allocate(1 << 20);
    const bytes = Uint8Array.from({ length: 9000 }, (_, i) => i % 251);
    buffer.write(16_000, bytes);
    expect(buffer.read(16_000, 9000)).to.deep.equal(bytes);
    expect(buffer.residentBytes).to.equal(2 * CHUNK_BYTES);
    expect(buffer.read(500_000, 10)).to.deep.equal(new Uint8Array(10));
  });

  it('uses the chunks of a released buffer again, as zeros', () => {
    const memory = new HostMemory();
    const kept = memory.allocate(CHUNK_BYTES);
    kept.write(0, Uint8Array.of(1));
    const first = memory.allocate(CHUNK_BYTES);
    first.write(5, Uint8Array.of(2, 3));
    const at = first.locate(0);
    const { words } = first;
    memory.release(first);
    expect(memory.residentBytes).to.equal(CHUNK_BYTES);
    expect(first.read(5, 2)).to.deep.equal(new Uint8Array(2));
    const second = memory.allocate(CHUNK_BYTES);
    second.write(100, Uint8Array.of(4));
    expect(second.locate(0)).to.equal(at);
    expect(second.words).to.equal(words);
    expect(second.read(0, 10)).to.deep.equal(new Uint8Array(10));
    expect(kept.read(0, 1)).to.deep.equal(Uint8Array.of(1));
    second.clear();
    kept.clear();
    expect(memory.residentBytes).to.equal(0);
  });
});

describe('world: progressions in host memory', () => {
  const SIZE = 5 * CHUNK_BYTES;
  const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  const act = fc.record({
    kind: fc.constantFrom('bytes', 'progression', 'progression', 'dma', 'spoil', 'words', 'find', 'clear'),
    place: fc.nat(SIZE - 1),
    length: fc.oneof(fc.nat(16), fc.nat(600), fc.nat(40_000)),
    word0: fc.oneof(word, fc.constantFrom(0, 5)),
    word1: fc.oneof(word, fc.constantFrom(0, STEP, (5 + STEP) | 0)),
  });

  it('are the same bytes as in a plain array, whatever is written over them', () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
        const buffer = new HostMemory().allocate(SIZE);
        const plain = new Uint8Array(SIZE);
        for (const { kind, place, length: wanted, word0, word1 } of acts) {
          const offset = kind === 'bytes' || kind === 'spoil' || kind === 'dma' ? place : place & ~3;
          const length = Math.min(wanted, SIZE - offset);
          const progression = progressionBytes(length, { word0, word1 });
          if (kind === 'bytes') {
            const bytes = Uint8Array.from({ length }, (_, i) => (i * word0) >>> 3);
            buffer.write(offset, bytes);
            plain.set(bytes, offset);
          } else if (kind === 'progression') {
            buffer.writeProgression(offset, length, word0, word1);
            plain.set(progression, offset);
          } else if (kind === 'dma') {
            const part = Math.min(length, 4096 - (offset & 4095));
            const seen = buffer.readInChunk(offset, part);
            expect(seen).to.deep.equal(plain.slice(offset, offset + part));
          } else if (kind === 'spoil') {
            buffer.write(offset, Uint8Array.of(word0));
            plain[offset] = word0;
            expect(buffer.byteAt(offset)).to.equal(plain[offset]);
          } else if (kind === 'words') {
            const at = buffer.locate(offset);
            buffer.words[at] = word1;
            new DataView(plain.buffer).setInt32(offset, word1, true);
          } else if (kind === 'find') {
            const other = progression.findIndex((byte, i) => byte !== plain[offset + i]);
            expect(buffer.findOther(offset, length, word0, word1)).to.equal(other);
          } else {
            buffer.clear();
            plain.fill(0);
          }
        }
        expect(buffer.read(0, SIZE)).to.deep.equal(plain);
      }),
      { seed: 6, numRuns: 200 },
    );
  });

  it('are found in bytes exactly where there is one', () => {
    fc.assert(
      fc.property(
        word,
        word,
        fc.integer({ min: 8, max: 3000 }),
        fc.nat(2999),
        (word0, word1, length, where) => {
          const bytes = progressionBytes(length, { word0, word1 });
          const found = { word0: 0, word1: 0 };
          expect(findProgression(bytes, found)).to.equal(true);
          expect(found).to.deep.equal({ word0, word1 });
          // another first word makes another description; any other byte none, where three words are there to tell
          bytes[where % length]!++;
          const still = findProgression(bytes, found);
          if (still) expect(progressionBytes(length, found)).to.deep.equal(bytes);
          if (length >= 12) expect(still).to.equal(where % length < 4);
        },
      ),
      { seed: 7 },
    );
  });

  it('cost no memory when they are long, and refuse an odd place', () => {
    const buffer = new HostMemory().allocate(1 << 20);
    buffer.writeProgression(4, 1_000_000, 1, 2);
    expect(buffer.residentBytes).to.equal(0);
    expect(() => buffer.writeProgression(2, 400, 1, 2)).to.throw(RangeError, 'multiple of 4');
    // the last piece of a message may be short
    buffer.writeProgression(1_000_004, 7, (2 + 249_999 * STEP) | 0, (2 + 250_000 * STEP) | 0);
    expect(buffer.residentBytes).to.equal(0);
    expect(buffer.findOther(4, 1_000_007, 1, 2)).to.equal(-1);
    expect(() => buffer.findOther(4, 1 << 20, 1, 2)).to.throw(RangeError, 'of a buffer of');
  });
});

describe('world: message pattern', () => {
  it('finds the first wrong byte, wherever it is', () => {
    fc.assert(
      fc.property(
        fc.nat(2000),
        fc.integer({ min: 1, max: 9000 }),
        fc.integer({ min: 0, max: 0xffffffff }),
        fc.nat(8999),
        fc.integer({ min: 1, max: 255 }),
        (place, length, key, where, flip) => {
          const buffer = new HostMemory().allocate(1 << 16);
          const offset = place * 4;
          fillPattern(buffer, offset, length, key);
          expect(findWrongByte(buffer, offset, length, key)).to.equal(-1);
          expect(buffer.read(offset, length)).to.deep.equal(patternBytes(key, length));
          if (length >= 4) expect(readKey(buffer, offset, length) >>> 0).to.equal(key);
          const wrong = where % length;
          const bytes = buffer.read(offset + wrong, 1);
          bytes[0] = bytes[0]! ^ flip;
          buffer.write(offset + wrong, bytes);
          expect(findWrongByte(buffer, offset, length, key)).to.equal(wrong);
        },
      ),
      { seed: 4 },
    );
  });
});
