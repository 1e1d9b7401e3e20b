// SPDX-License-Identifier: Apache-2.0
// A cable: two directions, each with a rate and a delay.
import type { Actor, Agenda } from '../agenda.js';
import type { FrameSink } from '../pcie/card-slot.js';
import { SerialLine } from '../serial-line.js';
import type { FrameExit } from '../shards/frame-passage.js';
import type { FaultInjector } from './faults.js';

/** Preamble, start delimiter and the least gap between two frames. */
const GAP_AND_PREAMBLE_BYTES = 20;
const GAP_BYTES = 12;
const FCS_BYTES = 4;
const MIN_FRAME_BYTES = 64;

/** Something a frame can arrive at: a card or a switch. It owns the array from then on. */
export interface FrameTarget {
  frameIn(timePs: number, frame: Uint8Array): void;
}

/** Sees every frame as it begins to go onto a link, before any fault. */
export type FrameObserver = (timePs: number, frame: Uint8Array) => void;

/** Bytes a frame takes of the wire: frame, FCS, padding, preamble and gap. */
export function wireBytes(frameBytes: number): number {
  return Math.max(frameBytes + FCS_BYTES, MIN_FRAME_BYTES) + GAP_AND_PREAMBLE_BYTES;
}

/** What a direction did with its frames. */
export interface LinkCounts {
  frames: number;
  bytes: number;
  delivered: number;
  lostWhileDown: number;
}

const DELIVER = 0;

/**
 * Frames on the way, of all links of a world, by number: the place used last is used first, so that a busy fabric does not
 * walk through a list of each link.
 */
export class FramePlaces {
  private readonly frames: (Uint8Array | undefined)[] = [];
  private readonly free: number[] = [];

  /** Keeps a frame and returns its number. */
  put(frame: Uint8Array): number {
    const place = this.free.pop() ?? this.frames.length;
    this.frames[place] = frame;
    return place;
  }

  /** Gives the frame back that was kept under a number. */
  take(place: number): Uint8Array {
    const frame = this.frames[place]!;
    this.frames[place] = undefined;
    this.free.push(place);
    return frame;
  }
}

/** One direction of a link. Frames leave in order at the line's rate; faults are applied as they leave. */
export class LinkDirection implements Actor, FrameSink {
  readonly name: string;
  observer: FrameObserver | undefined;
  private readonly agenda: Agenda;
  private readonly actor: number;
  private readonly line: SerialLine;
  private readonly gapPs: number;
  private readonly delayPs: number;
  private readonly target: FrameTarget;
  private readonly onTheWay: FramePlaces;
  private readonly faults: FaultInjector | undefined;
  private sentFrames = 0;
  private sentBytes = 0;
  private delivered = 0;
  private lostWhileDown = 0;
  private flying = 0;
  private exit: FrameExit | undefined;
  private exitNumber = 0;
  private readonly downTimes: [number, number][] = [];

  constructor(
    agenda: Agenda,
    name: string,
    rateMbps: number,
    delayPs: number,
    target: FrameTarget,
    onTheWay: FramePlaces,
    faults?: FaultInjector,
  ) {
    this.agenda = agenda;
    this.name = name;
    this.actor = agenda.register(this);
    this.line = new SerialLine(rateMbps);
    this.gapPs = this.line.timePs(GAP_BYTES);
    this.delayPs = delayPs;
    this.target = target;
    this.onTheWay = onTheWay;
    this.faults = faults;
  }

  /** From when the next frame can leave. */
  get freePs(): number {
    return this.line.freePs;
  }

  /** Frames on the way. */
  get inFlight(): number {
    return this.flying;
  }

  get counts(): LinkCounts {
    const { sentFrames: frames, sentBytes: bytes, delivered, lostWhileDown } = this;
    return { frames, bytes, delivered, lostWhileDown };
  }

  /** The link is down from..to: a frame that goes onto it then is lost; one that is on the way still arrives. */
  setDown(fromPs: number, toPs: number): void {
    this.downTimes.push([fromPs, toPs]);
  }

  /** The link ends in another thread: what leaves is put into `exit` under this number (shards/shard.ts). */
  divert(exit: FrameExit, number: number): void {
    this.exit = exit;
    this.exitNumber = number;
  }

  onFrame(timePs: number, frame: Uint8Array): void {
    this.sentFrames++;
    this.sentBytes += frame.length;
    this.observer?.(timePs, frame);
    const left = this.line.send(timePs, wireBytes(frame.length));
    if (this.downTimes.length > 0 && this.downTimes.some(([from, to]) => timePs >= from && timePs < to)) {
      this.lostWhileDown++;
      return;
    }
    const arrival = left - this.gapPs + this.delayPs;
    if (this.faults === undefined) {
      this.leave(arrival, frame);
      return;
    }
    const copies = this.faults.judge(timePs, frame);
    for (let i = 0; i < copies; i++) {
      this.leave(arrival + this.faults.delaysPs[i]!, this.faults.frames[i]!);
    }
  }

  rebase(byPs: number): void {
    this.line.rebase(byPs);
    for (const down of this.downTimes) {
      down[0] -= byPs;
      down[1] -= byPs;
    }
  }

  onEvent(timePs: number, _op: number, arg: number): void {
    this.flying--;
    this.delivered++;
    this.target.frameIn(timePs, this.onTheWay.take(arg));
  }

  private leave(arrivalPs: number, frame: Uint8Array): void {
    if (this.exit === undefined) this.deliverAt(arrivalPs, frame);
    else this.exit.put(arrivalPs, this.exitNumber, frame);
  }

  /** A frame comes out at the end of the link at `timePs`. */
  deliverAt(timePs: number, frame: Uint8Array): void {
    this.flying++;
    this.agenda.push(timePs, this.actor, DELIVER, this.onTheWay.put(frame));
  }
}
