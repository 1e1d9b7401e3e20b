// SPDX-License-Identifier: Apache-2.0
/**
 * The MAC: enable bits, link, near-end loopback, and the wire's time. A frame occupies its bytes, the FCS, preamble and
 * gap; the next one begins when the wire is free. In loopback the frame comes back when its last byte has left, and
 * nothing reaches the cable.
 */
import type { NicOutputs } from '../device.js';
import { Counter, MacRegister } from '../regs.js';
import type { Agenda } from './agenda.js';
import { CardEvent } from './card-event.js';
import type { Counters } from './counters.js';
import { CYCLE_PS, type CycleTable } from './cycle-table.js';
import { FrameRing } from './frame-ring.js';
import type { Registers } from './registers.js';

const TRANSMIT_ENABLE = 1;
const RECEIVE_ENABLE = 2;
const LOOPBACK = 4;
const LINK_UP = 1;

/** FCS 4, preamble 8, gap 12 bytes (docs/protocol.md#wire-overhead). */
export const WIRE_OVERHEAD_BYTES = 24;

/** Shortest frame without FCS; shorter ones are padded on the wire. */
const MIN_FRAME_BYTES = 60;

export class Mac {
  private linkUp = true;
  /** When the wire can take the next frame. */
  freePs = 0;
  private remainder = 0;
  /** the control register as it was last taken in */
  private control = 0;
  private readonly inbound = new FrameRing(false);
  private readonly looped = new FrameRing(false);
  private readonly receivePs: number;
  private readonly loopPs: number;

  constructor(
    private readonly registers: Registers,
    private readonly agenda: Agenda,
    private readonly counters: Counters,
    private readonly outputs: NicOutputs,
    table: CycleTable,
    private readonly rateMbps: number,
  ) {
    this.receivePs = (table.macReceive + table.ingressParse) * CYCLE_PS;
    this.loopPs = table.macTransmit * CYCLE_PS;
  }

  /** Frames under way are lost; the cable stays as it is. */
  reset(): void {
    this.inbound.clear();
    this.looped.clear();
    this.freePs = 0;
    this.remainder = 0;
    this.refresh();
  }

  /** The card's clock was moved back. */
  rebase(byPs: number): void {
    this.freePs -= byPs;
  }

  /** The cable was plugged or pulled. */
  setLink(up: boolean): void {
    this.linkUp = up;
    this.refresh();
  }

  /** Takes the control register in and recomputes the status register, after a change of link or control. */
  refresh(): void {
    this.control = this.registers.get(MacRegister.macControl);
    this.registers.set(MacRegister.macStatus, this.isUp ? LINK_UP : 2);
    this.registers.set(MacRegister.macSpeed, this.rateMbps);
  }

  get isLoopback(): boolean {
    return (this.control & LOOPBACK) !== 0;
  }

  /** Frames can leave: a cable is in, or they turn round in the MAC. */
  get isUp(): boolean {
    return this.linkUp || this.isLoopback;
  }

  /** A frame begins to leave now. What cannot leave is counted and gone, as on any wire. */
  transmit(frame: Uint8Array): void {
    const control = this.control;
    if ((control & TRANSMIT_ENABLE) === 0) {
      this.counters.add(Counter.dropMacDisabled);
      return;
    }
    const now = this.agenda.nowPs;
    this.occupyWire(now, frame.length);
    if (!this.isUp) {
      this.counters.add(Counter.dropLinkDown);
      return;
    }
    this.counters.add(Counter.framesSent);
    this.counters.add(Counter.frameBytesSent, frame.length);
    if ((control & LOOPBACK) !== 0) {
      this.looped.push(frame);
      this.agenda.schedule(this.freePs + this.loopPs, CardEvent.loopback);
    } else {
      this.outputs.frameOut(now, frame);
    }
  }

  /** Wire time as a whole number of picoseconds plus a remainder carried to the next frame. */
  private occupyWire(now: number, frameBytes: number): void {
    if (this.freePs < now) this.remainder = 0;
    const bits = (Math.max(frameBytes, MIN_FRAME_BYTES) + WIRE_OVERHEAD_BYTES) * 8;
    const scaled = bits * 1e6 + this.remainder;
    const ps = Math.floor(scaled / this.rateMbps);
    this.remainder = scaled - ps * this.rateMbps;
    this.freePs = Math.max(now, this.freePs) + ps;
  }

  /** A frame arrived on the cable. */
  frameIn(frame: Uint8Array): void {
    if (this.isLoopback || !this.linkUp) this.counters.add(Counter.dropLinkDown);
    else this.receive(frame);
  }

  /** The oldest frame in the loop has come round. */
  loopbackDone(): void {
    const frame = this.looped.shift();
    if (frame !== undefined) this.receive(frame);
  }

  private receive(frame: Uint8Array): void {
    if ((this.control & RECEIVE_ENABLE) === 0) {
      this.counters.add(Counter.dropMacDisabled);
      return;
    }
    this.counters.add(Counter.framesReceived);
    this.counters.add(Counter.frameBytesReceived, frame.length);
    this.inbound.push(frame);
    this.agenda.schedule(this.agenda.nowPs + this.receivePs, CardEvent.ingress);
  }

  /** The oldest frame that has come through the receive pipeline. */
  nextReceived(): Uint8Array | undefined {
    return this.inbound.shift();
  }
}
