// SPDX-License-Identifier: Apache-2.0
import { Collector } from './collector.js';
import { unitsOf, type CompletionSink, type EngineOutcome, type Simulation } from './engine.js';
import { MinHeap } from './min-heap.js';
import type { Messages } from './messages.js';
import type { ModelSettings } from './settings.js';

/** Steps taken between two times the state is put away. */
const STRIDE = 1000;
const CYCLE = 0;
const LINK_FREE = 1;

/**
 * What Engine does with exact SRPT where messages wait for neither grants nor data and the queue costs no time (but the
 * unit per insertion of the original's accounting), in one loop: every comparison needs a run of it on the same messages.
 * No packet can then be out of order, and the link never waits for the queue.
 */
export class ExactEngine implements Simulation {
  readonly collector = new Collector();
  private readonly queue = new MinHeap();
  private readonly times = Float64Array.of(0, 0); // the cycle it is, and the one the link is free at
  private arrived = 0;
  private inserted = 0;
  private inserting = 0; // 1 while the next message is being inserted
  private toComplete: number;

  constructor(
    private readonly settings: ModelSettings,
    private readonly messages: Messages,
    private readonly sink: CompletionSink,
  ) {
    this.toComplete = settings.messages - settings.warmup;
  }

  /** True for settings under which this gives what Engine gives. */
  static fits(settings: ModelSettings): boolean {
    const plain = settings.strategy === 'exact' && !settings.checkInversions && settings.popCycles === 0;
    const ready = settings.windowUnits === 0 && settings.dataDelayCycles === 0;
    return plain && ready && settings.insertCycles === (settings.originalAccounting ? 1 : 0);
  }

  run(steps = Infinity): EngineOutcome | undefined {
    for (let left = steps; left > 0; left -= STRIDE) {
      if (this.advance()) return this.outcome();
    }
    return undefined;
  }

  /** A stride of steps; true when the run is over. */
  private advance(): boolean {
    const { collector, messages, queue, settings, sink, times } = this;
    const { messages: end, originalAccounting: original, packetUnits, warmup } = settings;
    let { arrived, inserted, inserting, toComplete } = this;
    let cycle = times[CYCLE]!;
    let linkFree = times[LINK_FREE]!;
    let arrival = messages.has(arrived) ? messages.arrivalCycle[arrived]! : Infinity;
    let over = false;
    for (let step = 0; step < STRIDE; step++) {
      while (arrival <= cycle) {
        // At the first as well: what V8 has never seen done, it would have to optimize all of this again for.
        if (arrived === 0 || arrived === warmup) collector.restart(arrival);
        arrived++;
        arrival = messages.has(arrived) ? messages.arrivalCycle[arrived]! : Infinity;
      }
      const visible = original ? inserted + inserting : arrived;
      for (; inserted < visible; inserted++) queue.push(messages.lengthUnits[inserted]!, inserted);

      if (linkFree <= cycle && queue.size > 0) {
        const message = queue.top;
        const remaining = messages.remaining[message]!;
        const change = inserted < arrived ? cycle + 1 : arrival; // another message may be the first from then on
        let packets = Math.ceil(remaining / packetUnits);
        if (change < cycle + (packets - 1) * packetUnits + 1)
          packets = Math.ceil((change - cycle) / packetUnits);
        const units = Math.min(remaining, packets * packetUnits);
        const started = cycle + (packets - 1) * packetUnits;
        collector.packets += packets;
        collector.unitsOut += units;
        collector.unitsOutEver += units;
        if (started > cycle) collector.held(cycle, started, queue.size, 0);
        cycle = started;
        linkFree = started + units - (packets - 1) * packetUnits;
        const left = remaining - units;
        messages.remaining[message] = left;
        if (left > 0) queue.lowerTop(left);
        else {
          queue.pop();
          sink.completed(message, original ? started : linkFree);
          if (original || (message >= warmup && message < end)) toComplete--;
          if (toComplete === 0) {
            over = true;
            break;
          }
        }
      }

      inserting = 0;
      let then = arrival;
      if (inserted < arrived) {
        inserting = 1;
        messages.arrivalCycle[inserted] = cycle; // the original's clock of a message starts when it is inserted
        then = cycle + 1;
      } else if (queue.size > 0 && linkFree < arrival) then = linkFree;
      if (then === Infinity) {
        over = true;
        break;
      }
      collector.held(cycle, then, queue.size, 0);
      cycle = then;
    }
    this.arrived = arrived;
    this.inserted = inserted;
    this.inserting = inserting;
    this.toComplete = toComplete;
    times[CYCLE] = cycle;
    times[LINK_FREE] = linkFree;
    return over;
  }

  private outcome(): EngineOutcome {
    const { collector, messages, settings, arrived } = this;
    const cycle = this.times[CYCLE]!;
    const linkFree = this.times[LINK_FREE]!;
    const endCycle = settings.originalAccounting ? cycle : Math.max(cycle, linkFree);
    return {
      endCycle,
      arrived,
      ...unitsOf(messages, arrived),
      unitsOnLink: Math.max(0, linkFree - endCycle),
      highWater: 0,
      lowWater: 0,
      moves: 0,
      collector,
    };
  }
}
