// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import fc from 'fast-check';
import { maxSegmentData, segmentEnd, segmentStart } from '#src/nic/sim/protocol/segments.js';
import { SendChoice, SendKind, SendQueue } from '#src/nic/sim/protocol/send-queue.js';
import { runs } from './property-runs.js';

/** All packets of a message, cut the slow way: one after the other, each stopping at the unscheduled limit. */
function cut(length: number, unscheduled: number, maxData: number): [number, number][] {
  const segments: [number, number][] = [];
  for (let at = 0; at < length;) {
    let end = at;
    do end++;
    while (end < length && end - at < maxData && end !== unscheduled);
    segments.push([at, end]);
    at = end;
  }
  return segments;
}

describe('segments', function () {
  this.timeout(600_000);

  it('have the sizes of the fact sheet', () => {
    const sizes = [maxSegmentData(1500, true), maxSegmentData(1500, false), maxSegmentData(9000, true)];
    expect([...sizes, maxSegmentData(9000, false)]).to.deep.equal([1424, 1404, 8924, 8904]);
  });

  it('are found again from any byte', () => {
    const size = fc.integer({ min: 1, max: 300 });
    fc.assert(
      fc.property(size, fc.nat(300), fc.integer({ min: 1, max: 50 }), (length, limit, maxData) => {
        const unscheduled = Math.min(limit, length);
        for (const [start, end] of cut(length, unscheduled, maxData)) {
          for (let at = start; at < end; at++) {
            expect(segmentStart(at, unscheduled, maxData)).to.equal(start);
            expect(segmentEnd(start, length, unscheduled, maxData)).to.equal(end);
          }
        }
      }),
      { seed: 21, numRuns: runs(100) },
    );
  });
});

/** The same queue over plain objects: everything is sorted again for each packet. */
class Oracle {
  fifoFraction = 50;
  credit = 0;
  births = 0;
  controls: number[] = [];
  resending: { id: number; wanted: Set<number>; prio: number }[] = [];
  messages = new Map<number, OracleMessage>();

  add(
    id: number,
    length: number,
    unscheduled: number,
    maxData: number,
    prio: number,
    available: number,
  ): void {
    const limit = Math.min(unscheduled, length);
    const segments = cut(length, limit, maxData);
    const message = {
      id,
      length,
      limit,
      segments,
      sent: 0,
      granted: limit,
      available,
      prio,
      scheduled: 0,
      birth: 0,
    };
    message.birth = this.births++;
    this.messages.set(id, message);
  }
  remove(id: number): void {
    this.messages.delete(id);
    this.resending = this.resending.filter((entry) => entry.id !== id);
  }
  resend(id: number, offset: number, length: number, prio: number): boolean {
    const message = this.messages.get(id)!;
    if (offset >= message.length) return offset >= message.sent;
    const end = length === -1 ? message.sent : offset + length;
    let entry = this.resending.find((candidate) => candidate.id === id);
    for (let at = offset; at < Math.min(end, message.sent); at++) {
      if (entry === undefined) {
        entry = { id, wanted: new Set(), prio };
        this.resending.push(entry);
      }
      entry.prio = prio;
      entry.wanted.add(at);
    }
    message.granted = Math.min(Math.max(message.granted, end), message.length);
    return offset >= message.sent;
  }
  next(): unknown[] {
    if (this.controls.length > 0) return ['control', this.controls.shift()];
    const again = this.resending[0];
    if (again !== undefined) {
      const first = Math.min(...again.wanted);
      let end = first;
      while (again.wanted.has(end)) end++;
      const message = this.messages.get(again.id)!;
      const segment = message.segments.find(([a, b]) => a <= first && first < b)!;
      for (let at = segment[0]; at < segment[1]; at++) again.wanted.delete(at);
      if (again.wanted.size === 0) this.resending.shift();
      return ['again', again.id, segment[0], segment[1] - segment[0], again.prio, end];
    }
    const next = (message: OracleMessage): [number, number] =>
      message.segments.find(([a]) => a === message.sent)!;
    const ready = [...this.messages.values()].filter(
      (message) => message.sent < message.granted && next(message)[1] <= message.available,
    );
    if (ready.length === 0) return ['none'];
    const left = (message: OracleMessage): number => message.length - message.sent;
    const shortest = [...ready].sort((a, b) => left(a) - left(b) || a.birth - b.birth)[0]!;
    const oldest = [...ready].sort((a, b) => a.birth - b.birth)[0]!;
    const size = (message: OracleMessage): number => next(message)[1] - next(message)[0];
    const chosen = this.fifoFraction > 0 && this.credit >= 1000 * size(oldest) ? oldest : shortest;
    const [start, end] = next(chosen);
    this.credit += (end - start) * this.fifoFraction;
    if (chosen === oldest) this.credit = Math.max(0, this.credit - 1000 * (end - start));
    chosen.sent = end;
    const prio = start < chosen.limit ? chosen.prio : chosen.scheduled;
    return ['data', chosen.id, start, end - start, prio, chosen.limit];
  }
}
interface OracleMessage {
  id: number;
  length: number;
  limit: number;
  segments: [number, number][];
  sent: number;
  granted: number;
  available: number;
  prio: number;
  scheduled: number;
  birth: number;
}

function took(queue: SendQueue<number>, out: SendChoice<number>): unknown[] {
  const kind = queue.next(out);
  if (kind === SendKind.none) return ['none'];
  if (kind === SendKind.control) return ['control', out.control];
  const name = kind === SendKind.original ? 'data' : 'again';
  return [name, out.message, out.offset, out.length, out.prio, out.incoming];
}

describe('SendQueue', function () {
  this.timeout(600_000);

  const size = fc.integer({ min: 1, max: 120 });
  const act = fc.oneof(
    { weight: 2, arbitrary: fc.tuple(fc.constant('add'), fc.nat(7), size, fc.nat(60), fc.nat(120)) },
    {
      weight: 2,
      arbitrary: fc.tuple(fc.constant('grant'), fc.nat(7), fc.nat(130), fc.nat(7), fc.constant(0)),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.constant('available'), fc.nat(7), fc.nat(130), fc.nat(0), fc.nat(0)),
    },
    { weight: 1, arbitrary: fc.tuple(fc.constant('resend'), fc.nat(7), fc.nat(130), fc.nat(40), fc.nat(7)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('remove'), fc.nat(7), fc.nat(0), fc.nat(0), fc.nat(0)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('control'), fc.nat(999), fc.nat(0), fc.nat(0), fc.nat(0)) },
    { weight: 6, arbitrary: fc.tuple(fc.constant('next'), fc.nat(0), fc.nat(0), fc.nat(0), fc.nat(0)) },
  );

  /** Found by the nightly run: a message whose ranges were all sent kept its turn and came before one that waited. */
  const found: [[string, number, number, number, number][], number] = [
    [
      ['add', 6, 21, 0, 0],
      ['add', 3, 1, 1, 1],
      ['grant', 6, 21, 0, 0],
      ['available', 6, 21, 0, 0],
      ...Array.from({ length: 4 }, (): [string, number, number, number, number] => ['next', 0, 0, 0, 0]),
      ['resend', 6, 5, 16, 0],
      ['resend', 3, 0, 1, 0],
      ...Array.from({ length: 3 }, (): [string, number, number, number, number] => ['next', 0, 0, 0, 0]),
      ['resend', 6, 0, 1, 0],
    ],
    0,
  ];

  it('sends the same packets in the same order as a queue that sorts everything each time', () => {
    fc.assert(
      fc.property(
        fc.array(act, { maxLength: 120, size: 'max' }),
        fc.constantFrom(0, 50, 500),
        (acts, fraction) => {
          const queue = new SendQueue<number>();
          const oracle = new Oracle();
          queue.fifoFraction = oracle.fifoFraction = fraction;
          const out = new SendChoice<number>();
          for (const [name, id, a, b, c] of acts) {
            const message = oracle.messages.get(id);
            if (name === 'add' && !message) {
              queue.add(id, a, b, 10, id, c);
              oracle.add(id, a, b, 10, id, c);
            } else if (name === 'control') {
              queue.pushControl(id);
              oracle.controls.push(id);
            } else if (name === 'next') expect(took(queue, out)).to.deep.equal(oracle.next());
            else if (message === undefined) continue;
            else if (name === 'grant') {
              queue.grant(id, a, b);
              message.scheduled = b;
              message.granted = Math.min(Math.max(message.granted, a), message.length);
            } else if (name === 'available') {
              queue.setAvailable(id, a);
              message.available = a;
            } else if (name === 'resend') {
              const wanted = b === 40 ? -1 : b;
              expect(queue.resend(id, a, wanted, c)).to.equal(oracle.resend(id, a, wanted, c));
            } else if (name === 'remove') {
              queue.remove(id);
              oracle.remove(id);
            }
          }
          for (;;) {
            const ready = queue.ready;
            const got = took(queue, out);
            expect(got).to.deep.equal(oracle.next());
            expect(ready).to.equal(got[0] !== 'none');
            if (got[0] === 'none') break;
          }
        },
      ),
      { seed: 22, numRuns: runs(1000), examples: [found] },
    );
  });

  it('ignores a GRANT of 2^31 and above, and RESENDs without sense', () => {
    const queue = new SendQueue<number>();
    queue.add(0, 1000, 100, 100, 5);
    queue.grant(0, 0x80000000, 3);
    queue.resend(0, 0xfffffff0, 5, 7);
    queue.resend(0, 0, -2, 7);
    queue.resend(0, 1000, 1, 7);
    expect(queue.grantedBytes(0)).to.equal(100);
  });

  it('cuts the 100,000 bytes of the capture where the Linux host cut them', () => {
    const queue = new SendQueue<number>();
    queue.add(0, 100_000, 40_000, maxSegmentData(1500, false), 4);
    const out = new SendChoice<number>();
    const packets: number[][] = [];
    while (queue.next(out) !== SendKind.none) packets.push([out.offset, out.length, out.prio]);
    expect(packets.length).to.equal(29);
    expect(packets[28]).to.deep.equal([39312, 688, 4]);
    queue.grant(0, 100_000, 0);
    queue.next(out);
    expect([out.offset, out.length, out.prio, out.incoming]).to.deep.equal([40_000, 1404, 0, 40_000]);
  });

  it('gives the oldest message its share of the bytes and not more', () => {
    const queue = new SendQueue<number>();
    queue.fifoFraction = 50;
    const out = new SendChoice<number>();
    queue.add(0, 1_000_000, 1_000_000, 1000, 4);
    queue.add(1, 900_000, 900_000, 1000, 4);
    let old = 0;
    for (let i = 0; i < 900; i++) {
      queue.next(out);
      if (out.message === 0) old++;
    }
    // 5 % of 900 is 45; the first turn comes only after twenty packets have paid for it.
    expect(old).to.equal(44);
  });
});
