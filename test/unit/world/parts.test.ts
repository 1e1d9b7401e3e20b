// SPDX-License-Identifier: Apache-2.0
import { expect } from 'chai';
import fc from 'fast-check';
import { Random } from '#src/random/random.js';
import { Agenda, type Actor } from '#src/world/agenda.js';
import { BuddyArena } from '#src/world/host/buddy.js';
import { Jitter } from '#src/world/pcie/jitter.js';
import { pcieProfile, pcieProfiles } from '#src/world/pcie/profile.js';
import { SerialLine } from '#src/world/serial-line.js';

class Recorder implements Actor {
  readonly log: [number, number][] = [];
  onEvent(timePs: number, _op: number, arg: number): void {
    this.log.push([timePs, arg]);
  }
}

describe('world: agenda', () => {
  it('gives events in order of time, and of scheduling where times are equal', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 600 }), (times) => {
        const agenda = new Agenda();
        const recorder = new Recorder();
        const actor = agenda.register(recorder);
        times.forEach((time, i) => agenda.push(time, actor, 0, i));
        while (agenda.step());
        const expected = times.map((time, i): [number, number] => [time, i]).sort((a, b) => a[0] - b[0]);
        expect(recorder.log).to.deep.equal(expected);
      }),
      { seed: 1 },
    );
  });

  it('moves alarms and leaves nothing behind', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(7), fc.oneof(fc.nat(1000), fc.constant(Infinity))), { maxLength: 200 }),
        (moves) => {
          const agenda = new Agenda();
          const recorder = new Recorder();
          const actors = Array.from({ length: 8 }, () => agenda.register(recorder));
          const alarms = actors.map((actor) => agenda.createAlarm(actor, 0));
          const wanted = new Array<number>(8).fill(Infinity);
          for (const [i, time] of moves) {
            agenda.setAlarm(alarms[i]!, time);
            wanted[i] = time;
          }
          const set = wanted.filter((time) => time !== Infinity).sort((a, b) => a - b);
          expect(agenda.pendingCount).to.equal(set.length);
          while (agenda.step());
          expect(recorder.log.map(([time]) => time)).to.deep.equal(set);
        },
      ),
      { seed: 2 },
    );
  });

  it('agrees with a sorted list, near and far, through alarms, skips and rebasing', () => {
    const ties = fc.nat(4).map((n) => n * 10_000);
    const delay = fc.oneof(ties, fc.nat(50_000), fc.nat(3_000_000), fc.nat(5_000_000_000));
    const act = fc.record({
      kind: fc.constantFrom(
        ...'push push push push push step step step alarm alarm unset skip rebase'.split(' '),
      ),
      delay,
      alarm: fc.nat(3),
    });
    let most = 0;
    fc.assert(
      fc.property(fc.array(act, { maxLength: 400, size: 'max' }), (acts) => {
        const agenda = new Agenda();
        const recorder = new Recorder();
        const actors = Array.from({ length: 5 }, () => agenda.register(recorder));
        const alarms = actors.slice(1).map((actor) => agenda.createAlarm(actor, 0));
        const expected: [number, number][] = [];
        // what waits: instant, argument, alarm number or -1; in the order of scheduling
        let waiting: { timePs: number; arg: number; alarm: number }[] = [];
        const next = (): (typeof waiting)[number] | undefined =>
          waiting.reduce<(typeof waiting)[number] | undefined>(
            (least, its) => (least === undefined || its.timePs < least.timePs ? its : least),
            undefined,
          );
        acts.forEach(({ kind, delay: by, alarm }, arg) => {
          const timePs = agenda.nowPs + by;
          const first = next();
          const others = waiting.filter((its) => its.alarm !== alarm);
          const nextOther = Math.min(Infinity, ...others.map((its) => its.timePs));
          // Of the alarm beside the ring nothing shows; another is among the rest, and early or unset where this is asked.
          if (alarm === 0) expect(agenda.nextBesidesPs(alarms[alarm]!)).to.equal(nextOther);
          if (kind === 'push') {
            agenda.push(timePs, actors[0]!, 0, arg);
            waiting.push({ timePs, arg, alarm: -1 });
          } else if (kind === 'alarm' || kind === 'unset') {
            const to = kind === 'alarm' ? timePs : Infinity;
            agenda.setAlarm(alarms[alarm]!, to);
            if (waiting.some((its) => its.alarm === alarm && its.timePs === to)) return;
            waiting = waiting.filter((its) => its.alarm !== alarm);
            if (kind === 'alarm') waiting.push({ timePs, arg: 0, alarm });
          } else if (kind === 'step') {
            expect(agenda.step()).to.equal(first !== undefined);
            if (first === undefined) return;
            expected.push([first.timePs, first.arg]);
            waiting.splice(waiting.indexOf(first), 1);
            expect(agenda.nowPs).to.equal(first.timePs);
          } else if (kind === 'skip') {
            agenda.skipTo(Math.min(timePs, first?.timePs ?? Infinity));
          } else {
            const back = Math.min(by, agenda.nowPs);
            agenda.rebase(back);
            for (const its of waiting) its.timePs -= back;
          }
          expect(agenda.nextPs()).to.equal(next()?.timePs ?? Infinity);
          expect(agenda.pendingCount).to.equal(waiting.length);
          most = Math.max(most, waiting.length);
        });
        expect(recorder.log).to.deep.equal(expected);
      }),
      { seed: 4, numRuns: 300 },
    );
    expect(most, 'waiting at once, more than are kept sorted').to.be.above(64);
  });

  it('refuses an event before now', () => {
    const agenda = new Agenda();
    const actor = agenda.register(new Recorder());
    agenda.push(10, actor, 0, 0);
    agenda.step();
    expect(() => {
      agenda.push(9, actor, 0, 0);
    }).to.throw(RangeError, 'before now');
  });
});

describe('world: serial line', () => {
  it('drifts by nothing: n bytes back to back take floor(n x 8e6 / Mbps) picoseconds', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400_000 }),
        fc.array(fc.integer({ min: 1, max: 9000 }), { maxLength: 300 }),
        (rate, sizes) => {
          const line = new SerialLine(rate);
          let sum = 0;
          for (const size of sizes) {
            line.send(0, size);
            sum += size;
            expect(line.freePs).to.equal(Number((BigInt(sum) * 8_000_000n) / BigInt(rate)));
          }
        },
      ),
      { seed: 3 },
    );
  });
});

describe('world: buddy arena', () => {
  it('never hands out overlapping blocks and is whole again at the end', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 70_000 }), fc.nat(9)), { maxLength: 200 }),
        (steps) => {
          const arena = new BuddyArena(1 << 17);
          const held: [number, number][] = [];
          for (const [size, release] of steps) {
            const offset = arena.take(size);
            if (offset >= 0) {
              expect(offset + size).to.be.at.most(1 << 17);
              for (const [other, otherSize] of held) {
                expect(offset + size <= other || other + otherSize <= offset, 'overlap').to.equal(true);
              }
              held.push([offset, size]);
            }
            if (release < 5 && held.length > 0) arena.give(held.splice(release % held.length, 1)[0]![0]);
          }
          for (const [offset] of held) arena.give(offset);
          expect(arena.takenBytes).to.equal(0);
          expect(arena.take(1 << 17)).to.equal(0);
        },
      ),
      { seed: 5 },
    );
  });
});

describe('world: PCIe profiles', () => {
  it('differ by the card, never by the bus', () => {
    const [first, ...others] = pcieProfiles();
    for (const other of others) {
      expect({ ...other, name: '', text: '', cycleTable: '' }).to.deep.equal({
        ...first!,
        name: '',
        text: '',
        cycleTable: '',
      });
    }
    expect(() => pcieProfile('x')).to.throw(RangeError, 'u250-original, u250-gen3x16');
  });

  it('jitter has at most six parameters, is never negative and is the same for a seed', () => {
    const { jitter } = pcieProfile('u250-original');
    expect(Object.keys(jitter).length).to.be.at.most(6);
    const draw = (): number[] => {
      const source = new Jitter(jitter, Random.fromSeed(9));
      return Array.from({ length: 5000 }, () => source.drawPs());
    };
    const draws = draw();
    expect(draws).to.deep.equal(draw());
    expect(Math.min(...draws)).to.be.at.least(0);
    expect(draws.every((value) => Number.isSafeInteger(value))).to.equal(true);
  });
});
