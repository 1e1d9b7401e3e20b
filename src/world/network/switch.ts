// SPDX-License-Identifier: Apache-2.0
// A store-and-forward switch: 8 strict priorities a port, finite buffers, static routes with learning for the rest.
import type { Actor, Agenda } from '../agenda.js';
import { framePriority } from '../frame-summary.js';
import type { FrameTarget, LinkDirection } from './link.js';

const PRIORITIES = 8;
/** Places a table of addresses begins with; a power of two. */
const FIRST_PLACES = 16;

export interface SwitchOptions {
  /** bytes of all queues together */
  bufferBytes: number;
  /** bytes of one port's queues */
  portBufferBytes: number;
}

/** A first-in first-out of frames in a ring. */
class FrameQueue {
  private frames: (Uint8Array | undefined)[] = new Array<Uint8Array | undefined>(16);
  private head = 0;
  length = 0;

  push(frame: Uint8Array): void {
    if (this.length === this.frames.length) {
      const ordered = [...this.frames.slice(this.head), ...this.frames.slice(0, this.head)];
      ordered.length = 2 * this.length;
      this.frames = ordered;
      this.head = 0;
    }
    this.frames[(this.head + this.length++) & (this.frames.length - 1)] = frame;
  }

  shift(): Uint8Array {
    const frame = this.frames[this.head]!;
    this.frames[this.head] = undefined;
    this.head = (this.head + 1) & (this.frames.length - 1);
    this.length--;
    return frame;
  }
}

/** One port: frames come in from its link and leave by it. */
export class SwitchPort implements Actor, FrameTarget {
  readonly name: string;
  queuedBytes = 0;
  maxQueuedBytes = 0;
  droppedFrames = 0;
  private readonly owner: Switch;
  private readonly agenda: Agenda;
  private readonly actor: number;
  private readonly queues = Array.from({ length: PRIORITIES }, () => new FrameQueue());
  private waiting = 0;
  private out: LinkDirection | undefined;
  private busy = false;
  private sourceLow = 0;
  private sourceHigh = 0;
  private sourceChanges = -1;

  constructor(agenda: Agenda, owner: Switch, name: string) {
    this.agenda = agenda;
    this.owner = owner;
    this.name = name;
    this.actor = agenda.register(this);
  }

  /** Whether the frame's sender is that of the port's frame before, with nothing learned since; the next time it is. */
  isSourceAsBefore(frame: Uint8Array, changes: number): boolean {
    const low = macLow(frame, 6);
    const high = macHigh(frame, 6);
    if (low === this.sourceLow && high === this.sourceHigh && changes === this.sourceChanges) return true;
    this.sourceLow = low;
    this.sourceHigh = high;
    this.sourceChanges = changes;
    return false;
  }

  /** Sets the direction by which frames leave. */
  connect(out: LinkDirection): void {
    this.out = out;
  }

  frameIn(timePs: number, frame: Uint8Array): void {
    this.owner.forward(timePs, this, frame);
  }

  /** Queues a frame to leave here, or drops it when the port's or the switch's buffer is full. */
  enqueue(timePs: number, frame: Uint8Array): void {
    if (this.out === undefined) return;
    if (!this.busy && this.out.freePs <= timePs) {
      this.transmit(timePs, frame);
      return;
    }
    const { options } = this.owner;
    if (
      this.queuedBytes + frame.length > options.portBufferBytes ||
      this.owner.queuedBytes + frame.length > options.bufferBytes
    ) {
      this.droppedFrames++;
      return;
    }
    this.queuedBytes += frame.length;
    this.owner.queuedBytes += frame.length;
    if (this.queuedBytes > this.maxQueuedBytes) this.maxQueuedBytes = this.queuedBytes;
    if (this.owner.queuedBytes > this.owner.maxQueuedBytes)
      this.owner.maxQueuedBytes = this.owner.queuedBytes;
    this.queues[framePriority(frame)]!.push(frame);
    this.waiting++;
    this.wait(timePs);
  }

  onEvent(timePs: number): void {
    this.busy = false;
    if (this.waiting === 0) return;
    let priority = PRIORITIES - 1;
    while (this.queues[priority]!.length === 0) priority--;
    const frame = this.queues[priority]!.shift();
    this.waiting--;
    this.queuedBytes -= frame.length;
    this.owner.queuedBytes -= frame.length;
    this.transmit(timePs, frame);
  }

  private transmit(timePs: number, frame: Uint8Array): void {
    this.out!.onFrame(timePs, frame);
    if (this.waiting > 0) this.wait(timePs);
  }

  private wait(timePs: number): void {
    if (this.busy) return;
    this.busy = true;
    this.agenda.push(Math.max(timePs, this.out!.freePs), this.actor, 0, 0);
  }
}

export class Switch {
  readonly name: string;
  readonly options: SwitchOptions;
  readonly ports: SwitchPort[] = [];
  queuedBytes = 0;
  maxQueuedBytes = 0;
  flooded = 0;
  private readonly agenda: Agenda;
  private readonly learned = new MacMap<SwitchPort>();
  private readonly routes = new MacMap<readonly SwitchPort[]>();
  private floodPorts: readonly SwitchPort[] | undefined;
  /** how often a route or a learned place has changed */
  private changes = 0;

  constructor(agenda: Agenda, name: string, options: SwitchOptions) {
    this.agenda = agenda;
    this.name = name;
    this.options = options;
  }

  addPort(name: string): SwitchPort {
    const port = new SwitchPort(this.agenda, this, name);
    this.ports.push(port);
    return port;
  }

  /** What belongs everywhere leaves by these ports only: where paths form a ring it would else go round for ever. */
  setFloodPorts(ports: readonly SwitchPort[]): void {
    this.floodPorts = ports;
  }

  /** Frames to `mac` leave by one of `ports`, the same for the same pair of addresses. */
  setRoute(mac: Uint8Array, ports: readonly SwitchPort[]): void {
    this.routes.set(mac, 0, ports);
    this.changes++;
  }

  /** Frames dropped because a buffer was full. */
  get droppedFrames(): number {
    return this.ports.reduce((sum, port) => sum + port.droppedFrames, 0);
  }

  /** Where a frame's sender is, unless it has a route. */
  private learn(from: SwitchPort, frame: Uint8Array): void {
    if (this.routes.find(frame, 6) !== undefined || this.learned.find(frame, 6) === from) return;
    this.learned.set(frame, 6, from);
    this.changes++;
  }

  /** A frame has come in at `from`: sends it where it belongs, or everywhere when that is not known. */
  forward(timePs: number, from: SwitchPort, frame: Uint8Array): void {
    if (frame.length < 14) return;
    if (!from.isSourceAsBefore(frame, this.changes)) this.learn(from, frame);
    const routes = this.routes.find(frame, 0);
    const to =
      routes === undefined
        ? this.learned.find(frame, 0)
        : routes.length === 1
          ? routes[0]
          : routes[flowHash(macLow(frame, 0), macLow(frame, 6)) % routes.length];
    if (to !== undefined) {
      if (to !== from) to.enqueue(timePs, frame);
      return;
    }
    this.flooded++;
    for (const port of this.floodPorts ?? this.ports) if (port !== from) port.enqueue(timePs, frame.slice());
  }
}

/**
 * Values by MAC address, read from a frame: a hash table with open addressing, whose places hold the address in two words,
 * so that a look touches little memory and allocates nothing.
 */
class MacMap<T> {
  private keys = new Int32Array(2 * FIRST_PLACES);
  /** undefined where a place is free */
  private values = new Array<T | undefined>(FIRST_PLACES).fill(undefined);
  private count = 0;

  find(bytes: Uint8Array, at: number): T | undefined {
    return this.values[this.placeOf(macLow(bytes, at), macHigh(bytes, at))];
  }

  set(bytes: Uint8Array, at: number, value: T): void {
    if (this.add(macLow(bytes, at), macHigh(bytes, at), value) && 2 * ++this.count > this.values.length) {
      this.grow();
    }
  }

  /** Sets a value; true when the address is new. */
  private add(low: number, high: number, value: T): boolean {
    const place = this.placeOf(low, high);
    const isNew = this.values[place] === undefined;
    this.keys[2 * place] = low;
    this.keys[2 * place + 1] = high;
    this.values[place] = value;
    return isNew;
  }

  /** The place that holds the address, or the free one where it would be. */
  private placeOf(low: number, high: number): number {
    const { keys, values } = this;
    const mask = values.length - 1;
    const mixed = Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1);
    let place = (mixed ^ (mixed >>> 15)) & mask;
    while (values[place] !== undefined && (keys[2 * place] !== low || keys[2 * place + 1] !== high)) {
      place = (place + 1) & mask;
    }
    return place;
  }

  private grow(): void {
    const { keys, values } = this;
    this.keys = new Int32Array(2 * keys.length);
    this.values = new Array<T | undefined>(2 * values.length).fill(undefined);
    for (const [place, value] of values.entries()) {
      if (value !== undefined) this.add(keys[2 * place]!, keys[2 * place + 1]!, value);
    }
  }
}

function macLow(bytes: Uint8Array, at: number): number {
  return (bytes[at + 2]! << 24) | (bytes[at + 3]! << 16) | (bytes[at + 4]! << 8) | bytes[at + 5]!;
}

function macHigh(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

function flowHash(target: number, source: number): number {
  let h = Math.imul(target | 0, 0x9e3779b1) ^ Math.imul(source | 0, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return (h ^ (h >>> 13)) >>> 0;
}
