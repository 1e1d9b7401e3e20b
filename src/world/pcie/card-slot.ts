// SPDX-License-Identifier: Apache-2.0
// A PCIe slot with a card in it: carries calls, reads and DMA between a host and its card, in time and in order.
import { DmaStatus, type NicDevice, type NicDeviceFactory, type NicOutputs } from '../../nic/device.js';
import type { Actor, Agenda, Alarm } from '../agenda.js';
import type { HostBuffer } from '../host-buffer.js';
import { type HostMemory, offsetOf } from '../memory.js';
import { SerialLine } from '../serial-line.js';
import { completionLineBytes, readRequestLineBytes, writeLineBytes, type PcieProfile } from './profile.js';
import { TransferPool } from './transfer.js';

/** What a slot tells its host. */
export interface SlotListener {
  /** The card's write of `lengthBytes` at `offset` of `buffer` is now visible. */
  onDmaWrite(timePs: number, buffer: HostBuffer, offset: number, lengthBytes: number): void;
  /** The data of `mmioRead(tag)` is at the root complex. */
  onMmioData(timePs: number, tag: number, bytes: Uint8Array): void;
}

/** Where a card's frames go; the frame is handed over for good. */
export interface FrameSink {
  onFrame(timePs: number, frame: Uint8Array): void;
}

const enum Op {
  wake,
  storeAtRoot,
  storeAtCard,
  loadAtRoot,
  loadAtCard,
  writeVisible,
  readAtHost,
  readAtCard,
}

/** Steps of a card that may follow each other without an event of the agenda between them. */
const MAX_STEPS_AHEAD = 64;
/** A card may be busy at one instant for a while (zero-time steps), but not for ever. */
const MAX_WAKES_AT_ONE_INSTANT = 100_000;

export class CardSlot implements Actor, NicOutputs {
  readonly device: NicDevice;
  private readonly agenda: Agenda;
  private readonly actor: number;
  private readonly alarm: Alarm;
  private readonly profile: PcieProfile;
  private readonly memory: HostMemory;
  private readonly listener: SlotListener;
  private readonly down: SerialLine;
  private readonly up: SerialLine;
  private readonly pool: TransferPool;
  /** whose transfers of the pool are this slot's */
  private readonly owner: number;
  private sink: FrameSink | undefined;
  private lastDeparturePs = 0;
  /** stores and loads that have not asked for the line yet, and DMA reads on their way to host memory */
  private atRoot = 0;
  private readsToHost = 0;
  /** something has come out since the card was last advanced */
  private emitted = false;
  private lastWakePs = -1;
  private wakes = 0;

  constructor(
    agenda: Agenda,
    profile: PcieProfile,
    memory: HostMemory,
    listener: SlotListener,
    pool: TransferPool,
    factory: NicDeviceFactory,
  ) {
    this.agenda = agenda;
    this.profile = profile;
    this.memory = memory;
    this.listener = listener;
    this.pool = pool;
    this.owner = pool.addOwner();
    this.actor = agenda.register(this);
    this.alarm = agenda.createAlarm(this.actor, Op.wake);
    this.down = new SerialLine(profile.lineMbps);
    this.up = new SerialLine(profile.lineMbps);
    this.device = factory(this);
    this.settle(agenda.nowPs);
  }

  /** Bytes that went to the card and from it over the bus, overheads included. */
  get lineBytes(): { down: number; up: number } {
    return { down: this.down.bytes, up: this.up.bytes };
  }

  /** Transfers under way. */
  get transfersInFlight(): number {
    return this.pool.countOf(this.owner);
  }

  connect(sink: FrameSink | undefined): void {
    this.sink = sink;
  }

  /** A store of 1 to 64 bytes begins at `timePs`; `bytes` is copied. Stores reach the card in the order of calls. */
  mmioWrite(timePs: number, address: number, bytes: Uint8Array): void {
    const transfer = this.pool.take(this.owner, address, bytes.length, 0);
    this.pool.keep(transfer, bytes);
    const depart = this.departPs(timePs + this.profile.hostStore.timePs);
    if (this.nothingElseUntil(depart)) {
      const left = this.down.send(depart, writeLineBytes(this.profile, bytes.length));
      this.agenda.push(left + this.profile.busDown.timePs, this.actor, Op.storeAtCard, transfer);
      return;
    }
    this.atRoot++;
    this.agenda.push(depart, this.actor, Op.storeAtRoot, transfer);
  }

  /** A load begins at `timePs`; it does not overtake earlier stores. The answer comes to the listener. */
  mmioRead(timePs: number, tag: number, address: number, lengthBytes: number): void {
    const transfer = this.pool.take(this.owner, address, lengthBytes, tag);
    this.atRoot++;
    this.agenda.push(
      this.departPs(timePs + this.profile.mmioReadIssue.timePs),
      this.actor,
      Op.loadAtRoot,
      transfer,
    );
  }

  /** A frame has arrived at the card's MAC, now. The card keeps the array. */
  frameIn(timePs: number, frame: Uint8Array): void {
    this.bringTo(timePs);
    this.device.frameIn(frame);
    this.settle(timePs);
  }

  /** The link came up or went down, now. */
  link(timePs: number, up: boolean): void {
    this.bringTo(timePs);
    this.device.link(up);
    this.settle(timePs);
  }

  /** PCIe reset, now: transfers under way are lost, both ways. */
  reset(timePs: number): void {
    this.bringTo(timePs);
    this.device.reset();
    this.pool.loseAll(this.owner);
    this.settle(timePs);
  }

  rebase(byPs: number): void {
    this.device.rebase(byPs);
    this.down.rebase(byPs);
    this.up.rebase(byPs);
    this.lastDeparturePs -= byPs;
    this.lastWakePs -= byPs;
  }

  // -- what the card does (NicOutputs) --

  dmaWrite(timePs: number, tag: number, address: number, bytes: Uint8Array): void {
    this.emitted = true;
    const transfer = this.pool.take(this.owner, address, bytes.length, tag);
    this.pool.keep(transfer, bytes);
    const left = this.up.send(timePs, writeLineBytes(this.profile, bytes.length));
    this.agenda.push(left + this.profile.busUp.timePs, this.actor, Op.writeVisible, transfer);
  }

  dmaRead(timePs: number, tag: number, address: number, lengthBytes: number): void {
    this.emitted = true;
    const transfer = this.pool.take(this.owner, address, lengthBytes, tag);
    this.readsToHost++;
    const left = this.up.send(timePs, readRequestLineBytes(this.profile, lengthBytes));
    const ready = left + this.profile.busUp.timePs + this.profile.hostMemory.timePs;
    this.agenda.push(ready, this.actor, Op.readAtHost, transfer);
  }

  frameOut(timePs: number, frame: Uint8Array): void {
    this.emitted = true;
    this.sink?.onFrame(timePs, frame);
  }

  mmioReadDone(timePs: number, tag: number, bytes: Uint8Array): void {
    this.emitted = true;
    const left = this.up.send(timePs, completionLineBytes(this.profile, bytes.length));
    this.listener.onMmioData(left + this.profile.busUp.timePs, tag, bytes.slice());
  }

  // -- events --

  onEvent(timePs: number, op: number, arg: number): void {
    if ((op as Op) === Op.wake) {
      this.wake(timePs);
      return;
    }
    if ((op as Op) === Op.storeAtRoot || (op as Op) === Op.loadAtRoot) this.atRoot--;
    else if ((op as Op) === Op.readAtHost) this.readsToHost--;
    const { pool } = this;
    const transfer = arg;
    if (pool.isLost(transfer)) {
      pool.give(transfer);
      return;
    }
    switch (op as Op) {
      case Op.storeAtRoot: {
        const left = this.down.send(timePs, writeLineBytes(this.profile, pool.lengthBytes(transfer)));
        this.agenda.push(left + this.profile.busDown.timePs, this.actor, Op.storeAtCard, arg);
        return;
      }
      case Op.loadAtRoot: {
        const left = this.down.send(timePs, readRequestLineBytes(this.profile, pool.lengthBytes(transfer)));
        this.agenda.push(left + this.profile.busDown.timePs, this.actor, Op.loadAtCard, arg);
        return;
      }
      case Op.storeAtCard:
        this.bringTo(timePs);
        this.device.mmioWrite(pool.address(transfer), pool.view(transfer));
        break;
      case Op.loadAtCard:
        this.bringTo(timePs);
        this.device.mmioRead(pool.tag(transfer), pool.address(transfer), pool.lengthBytes(transfer));
        break;
      case Op.writeVisible:
        this.writeVisible(timePs, transfer);
        break;
      case Op.readAtHost: {
        const left = this.down.send(timePs, completionLineBytes(this.profile, pool.lengthBytes(transfer)));
        this.agenda.push(left + this.profile.busDown.timePs, this.actor, Op.readAtCard, arg);
        return;
      }
      case Op.readAtCard:
        this.readAtCard(timePs, transfer);
        break;
    }
    pool.give(transfer);
    this.settle(timePs);
  }

  private wake(timePs: number): void {
    if (timePs === this.lastWakePs) {
      if (++this.wakes > MAX_WAKES_AT_ONE_INSTANT) {
        throw new Error(
          `the card makes no progress at ${timePs} ps: nextEventPs() keeps naming this instant`,
        );
      }
    } else {
      this.lastWakePs = timePs;
      this.wakes = 0;
    }
    this.emitted = false;
    this.device.advance(timePs);
    this.settle(timePs);
  }

  private writeVisible(timePs: number, transfer: number): void {
    const { pool } = this;
    const address = pool.address(transfer);
    const length = pool.lengthBytes(transfer);
    const buffer = this.memory.find(timePs, 'write', address, length);
    this.bringTo(timePs);
    if (buffer === undefined) {
      this.device.dmaWriteDone(pool.tag(transfer), DmaStatus.error);
      return;
    }
    const offset = offsetOf(address);
    pool.writeTo(buffer, offset, transfer);
    this.device.dmaWriteDone(pool.tag(transfer), DmaStatus.ok);
    this.listener.onDmaWrite(timePs, buffer, offset, length);
  }

  private readAtCard(timePs: number, transfer: number): void {
    const { pool } = this;
    const address = pool.address(transfer);
    const length = pool.lengthBytes(transfer);
    const buffer = this.memory.find(timePs, 'read', address, length);
    this.bringTo(timePs);
    if (buffer === undefined) {
      this.device.dmaReadDone(pool.tag(transfer), DmaStatus.error, NOTHING);
      return;
    }
    const offset = offsetOf(address);
    this.device.dmaReadDone(pool.tag(transfer), DmaStatus.ok, buffer.readInChunk(offset, length));
  }

  /**
   * Whether nothing can ask for the line down before `departPs`: then a store may take its place now, which saves an
   * event. A DMA read that the card begins later needs its way up first.
   */
  private nothingElseUntil(departPs: number): boolean {
    return (
      this.atRoot === 0 &&
      this.readsToHost === 0 &&
      departPs - this.agenda.nowPs < this.profile.busUp.timePs + this.profile.hostMemory.timePs
    );
  }

  private departPs(timePs: number): number {
    this.lastDeparturePs = Math.max(this.lastDeparturePs, timePs);
    return this.lastDeparturePs;
  }

  /** An input happens at the card's present: bring it there first. */
  private bringTo(timePs: number): void {
    this.emitted = false;
    let reached = this.device.advance(timePs);
    while (reached < timePs) reached = this.device.advance(timePs);
  }

  /** After an input or an advance: as long as nothing else happens before it, the card's next instant needs no alarm. */
  private settle(nowPs: number): void {
    const { agenda, device } = this;
    let next = device.nextEventPs();
    for (let now = nowPs, steps = 0; steps < MAX_STEPS_AHEAD; steps++) {
      if (this.emitted && !agenda.inStretch) break;
      if (!(next > now && next <= agenda.runAheadUntilPs && next < agenda.nextBesidesPs(this.alarm))) break;
      agenda.runAheadTo(next);
      now = next;
      device.advance(now);
      next = device.nextEventPs();
    }
    this.agenda.setAlarm(this.alarm, next < agenda.nowPs ? agenda.nowPs : next);
  }
}

const NOTHING = new Uint8Array(0);
