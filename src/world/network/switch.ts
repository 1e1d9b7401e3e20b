// SPDX-License-Identifier: Apache-2.0
// A store-and-forward switch: 8 strict priorities a port, finite buffers, static routes with learning for the rest.
import type { Actor, Agenda } from '../agenda.js';
import { framePriority } from '../frame-summary.js';
import type { FrameTarget, LinkDirection } from './link.js';

const PRIORITIES = 8;

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

  constructor(agenda: Agenda, owner: Switch, name: string) {
    this.agenda = agenda;
    this.owner = owner;
    this.name = name;
    this.actor = agenda.register(this);
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

  /** Frames to `mac` leave by one of `ports`, the same for the same pair of addresses. */
  setRoute(mac: Uint8Array, ports: readonly SwitchPort[]): void {
    this.routes.set(mac, 0, ports);
  }

  /** Frames dropped because a buffer was full. */
  get droppedFrames(): number {
    return this.ports.reduce((sum, port) => sum + port.droppedFrames, 0);
  }

  /** A frame has come in at `from`: sends it where it belongs, or everywhere when that is not known. */
  forward(timePs: number, from: SwitchPort, frame: Uint8Array): void {
    if (frame.length < 14) return;
    if (this.routes.find(frame, 6) === undefined) this.learned.set(frame, 6, from);
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
    for (const port of this.ports) if (port !== from) port.enqueue(timePs, frame.slice());
  }
}

/**
 * Values by MAC address, read from a frame. Found by the address's low 32 bits, which are a small integer: a map from
 * numbers of 48 bits would allocate one for each look.
 */
class MacMap<T> {
  private readonly entries = new Map<number, { high: number; value: T }[]>();

  find(bytes: Uint8Array, at: number): T | undefined {
    const list = this.entries.get(macLow(bytes, at));
    if (list === undefined) return undefined;
    const high = macHigh(bytes, at);
    for (const entry of list) if (entry.high === high) return entry.value;
    return undefined;
  }

  set(bytes: Uint8Array, at: number, value: T): void {
    const low = macLow(bytes, at);
    const high = macHigh(bytes, at);
    const list = this.entries.get(low);
    const known = list?.find((entry) => entry.high === high);
    if (known !== undefined) known.value = value;
    else if (list !== undefined) list.push({ high, value });
    else this.entries.set(low, [{ high, value }]);
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
