// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import fc from 'fast-check';
import { DmaStatus, type NicOutputs } from '#src/nic/device.js';
import { Region } from '#src/nic/regs.js';
import { Agenda } from '#src/nic/sim/agenda.js';
import { Counters } from '#src/nic/sim/counters.js';
import { Dma } from '#src/nic/sim/dma.js';
import { Users } from '#src/nic/sim/users.js';

interface Request {
  write: boolean;
  tag: number;
  address: number;
  length: number;
}

function engine(): { dma: Dma; users: Users; requests: Request[]; counters: Counters } {
  const requests: Request[] = [];
  const outputs: NicOutputs = {
    dmaRead: (_time, tag, address, length) => requests.push({ write: false, tag, address, length }),
    dmaWrite: (_time, tag, address, bytes) =>
      requests.push({ write: true, tag, address, length: bytes.length }),
    frameOut: () => undefined,
    mmioReadDone: () => undefined,
  };
  const users = new Users();
  const counters = new Counters();
  return { dma: new Dma(users, counters, new Agenda(), outputs), users, requests, counters };
}

describe('DMA', () => {
  it('splits at pages and bursts, covers every byte once, and never leaves the map', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 6, max: 12 }),
        fc.integer({ min: 6, max: 12 }),
        fc.integer({ min: -2, max: 20_000 }),
        fc.integer({ min: 0, max: 12_000 }),
        fc.integer({ min: 1, max: 5 }),
        (log2Write, log2Read, offset, length, pages) => {
          const { dma, users, requests } = engine();
          dma.configure(log2Write, log2Read);
          const base = 0x7f0000000000;
          const size = pages * 4096 - 100;
          users.setMap(3, Region.c2hMsgbuff, base, size);
          users.setMap(3, Region.h2cMsgbuff, base, size);
          const inside = offset >= 0 && length >= 1 && offset + length <= size;
          for (const write of [true, false]) {
            requests.length = 0;
            const done = write
              ? dma.write(3, Region.c2hMsgbuff, offset, new Uint8Array(12_000), 0, length)
              : dma.read(3, offset, length, 1);
            expect(done).to.equal(inside);
            let at = base + offset;
            for (const request of requests) {
              expect(request.address).to.equal(at);
              expect(request.length).to.be.within(1, 1 << (write ? log2Write : log2Read));
              expect(Math.floor(at / 4096)).to.equal(Math.floor((at + request.length - 1) / 4096));
              at += request.length;
            }
            expect(at).to.equal(inside ? base + offset + length : base + offset);
          }
        },
      ),
    );
  });

  it('never writes what the card only reads, nor reads or writes for a user without a map', () => {
    const { dma, users, requests } = engine();
    users.setMap(3, Region.h2cMsgbuff, 0x1000, 4096);
    expect(dma.write(3, Region.h2cMsgbuff, 0, new Uint8Array(64), 0, 64)).to.equal(false);
    expect(dma.write(3, Region.c2hMsgbuff, 0, new Uint8Array(64), 0, 64)).to.equal(false);
    expect(dma.read(4, 0, 64, 1)).to.equal(false);
    expect(requests).to.deep.equal([]);
  });

  it('answers each tag once, and only for what it was', () => {
    const { dma, users, requests, counters } = engine();
    const heard: [number, number, DmaStatus][] = [];
    const failed: number[] = [];
    dma.listener = {
      readArrived: (token, position, status) => heard.push([token, position, status]),
      writeFailed: (token) => failed.push(token),
    };
    users.setMap(3, Region.h2cMsgbuff, 0x1000, 8192);
    users.setMap(3, Region.c2hMsgbuff, 0x8000, 8192);
    dma.read(3, 4000, 200, 77);
    dma.write(3, Region.c2hMsgbuff, 0, new Uint8Array(10), 0, 10, 88);
    const [first, second, write] = requests;
    expect(users.dmaInFlight(3)).to.equal(3);
    dma.readDone(write!.tag, DmaStatus.ok, new Uint8Array(10));
    dma.readDone(second!.tag, DmaStatus.ok, new Uint8Array(104));
    dma.readDone(second!.tag, DmaStatus.ok, new Uint8Array(104));
    dma.readDone(first!.tag, DmaStatus.ok, new Uint8Array(95));
    dma.writeDone(write!.tag, DmaStatus.error);
    dma.readDone(123456, DmaStatus.ok, new Uint8Array(1));
    expect(heard).to.deep.equal([
      [77, 96, DmaStatus.ok],
      [77, 0, DmaStatus.error],
    ]);
    expect(failed).to.deep.equal([88]);
    expect(counters.snapshot().dmaErrors).to.equal(2);
    expect([users.dmaInFlight(3), dma.inFlight]).to.deep.equal([0, 0]);
  });
});
