// SPDX-License-Identifier: Apache-2.0
import { Collector } from './collector.js';
import { unitsOf, type CompletionSink, type EngineOutcome, type Simulation } from './engine.js';
import { MinHeap } from './min-heap.js';
import type { Messages } from './messages.js';
import type { ModelSettings } from './settings.js';

/** Most steps between two times the state is put away. */
const STRIDE = 1000;
const CYCLE = 0;
const LINK_FREE = 1;

/**
 * What Engine does with exact SRPT where messages wait for neither grants nor data and the queue costs no time (but the
 * unit per insertion of the original's accounting), in one loop: every comparison needs a run of it on the same messages.
 * No packet can then be out of order, the link never waits for the queue, and a step is either a message that arrives or
 * the packets that the head sends until the next one does.
 */
export class ExactEngine implements Simulation {
  readonly collector = new Collector();
  private readonly queue = new MinHeap();
  private readonly times = Float64Array.of(0, 0); // the cycle it is, and the one the link is free at
  private inserted = 0;
  private toComplete: number;

  constructor(
    private readonly settings: ModelSettings,
    private readonly messages: Messages,
    private readonly sink: CompletionSink,
  ) {
    this.toComplete = settings.messages - settings.warmup;
    if (!messages.has(0)) return;
    const first = messages.arrivalCycle[0]!;
    this.collector.held(0, first, 0, 0);
    this.collector.restart(first);
    this.times[CYCLE] = first;
  }

  /** True for settings under which this gives what Engine gives. */
  static fits(settings: ModelSettings): boolean {
    const plain = settings.strategy === 'exact' && !settings.checkInversions && settings.popCycles === 0;
    const ready = settings.windowUnits === 0 && settings.dataDelayCycles === 0;
    return plain && ready && settings.insertCycles === (settings.originalAccounting ? 1 : 0);
  }

  run(steps = Infinity): EngineOutcome | undefined {
    const { collector, messages, queue, settings } = this;
    const { warmup } = settings;
    for (let left = steps; left > 0; left -= STRIDE) {
      // The first strides are short, or V8 would compile the loop before it knows what lies around it. A step takes in one
      // message at most, so the warm-up's last step ends a stride.
      const { inserted } = this;
      let stride = Math.min(STRIDE, 16 + inserted);
      if (inserted <= warmup) stride = Math.min(stride, warmup + 1 - inserted);
      messages.has(inserted + stride);
      queue.reserve(queue.size + stride);
      if (this.advance(stride)) return this.outcome();
      if (warmup > 0 && inserted <= warmup && this.inserted > warmup) collector.restart(this.times[CYCLE]!);
    }
    return undefined;
  }

  /**
   * Some steps, for which there are messages and room in the queue; true when the run is over. V8 compiles the loop again
   * (10 ms) whenever it comes to something it has not seen done before: what is rare stays out of it, and whether a
   * completion counts is told without a branch.
   */
  private advance(steps: number): boolean {
    const { collector, messages, queue, settings, sink, times } = this;
    const { originalAccounting: original, packetUnits, warmup } = settings;
    let { inserted, toComplete } = this;
    const { arrivalCycle, count: made, lengthUnits, remaining: unitsLeft } = messages;
    const counted = original ? 2 ** 32 : settings.messages - warmup;
    const delay = original ? 1 : 0;
    let cycle = times[CYCLE]!;
    let linkFree = times[LINK_FREE]!;
    let arrival = inserted < made ? arrivalCycle[inserted]! + delay : Infinity;
    let packetsSent = 0;
    let unitsSent = 0;
    for (let step = 0; step < steps && toComplete > 0; step++) {
      const from = cycle;
      const { size } = queue;
      const start = size === 0 ? Infinity : linkFree > cycle ? linkFree : cycle;
      if (arrival <= start) {
        if (arrival === Infinity) break;
        cycle = arrival;
        queue.push(lengthUnits[inserted]!, inserted);
        inserted++;
        arrival = inserted < made ? arrivalCycle[inserted]! : Infinity;
        if (original) {
          // One insertion a unit; the original's clock of a message starts when it begins.
          if (arrival < cycle) arrival = cycle;
          arrivalCycle[inserted] = arrival;
          arrival++;
        }
      } else {
        const message = queue.top;
        const remaining = unitsLeft[message]!;
        const packets = Math.ceil(Math.min(remaining, arrival - start) / packetUnits);
        const units = Math.min(remaining, packets * packetUnits);
        const started = start + (packets - 1) * packetUnits;
        cycle = started;
        linkFree = start + units;
        packetsSent += packets;
        unitsSent += units;
        unitsLeft[message] = remaining - units;
        if (units < remaining) queue.lowerTop(remaining - units);
        else {
          queue.pop();
          sink.completed(message, original ? started : linkFree);
          toComplete -= (message - warmup) >>> 0 < counted ? 1 : 0;
        }
      }
      if (cycle > from) collector.held(from, cycle, size, 0);
    }
    collector.packets += packetsSent;
    collector.unitsOut += unitsSent;
    collector.unitsOutEver += unitsSent;
    this.inserted = inserted;
    this.toComplete = toComplete;
    times[CYCLE] = cycle;
    times[LINK_FREE] = linkFree;
    return toComplete === 0 || (arrival === Infinity && queue.size === 0);
  }

  private outcome(): EngineOutcome {
    const { collector, messages, settings } = this;
    const cycle = this.times[CYCLE]!;
    const linkFree = this.times[LINK_FREE]!;
    const endCycle = settings.originalAccounting ? cycle : Math.max(cycle, linkFree);
    let arrived = this.inserted;
    while (messages.has(arrived) && messages.arrivalCycle[arrived]! <= cycle) arrived++;
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
