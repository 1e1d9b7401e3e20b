// SPDX-License-Identifier: Apache-2.0
/** The reference card: the seam of design section 3 over the parts in this folder. */
import type { DmaStatus, NicDevice, NicOutputs } from '../device.js';
import { BuildKind, Feature, Register, RPC_ENTRIES } from '../regs.js';
import { Agenda } from './agenda.js';
import { Aperture } from './aperture.js';
import { Bar, type RegisterEffects } from './bar.js';
import { CallQueue } from './call-queue.js';
import { CardEvent } from './card-event.js';
import { Counters } from './counters.js';
import { CYCLE_PS, cycleTables, type CycleTable, type CycleTableName } from './cycle-table.js';
import { Dma } from './dma.js';
import { KernelCalls } from './kernel-calls.js';
import { Mac } from './mac.js';
import { Ports } from './ports.js';
import { doneWithFrame } from '../frame-slab.js';
import { Registers } from './registers.js';
import { Results } from './results.js';
import { Transport } from './transport.js';
import { UserCalls } from './user-calls.js';
import { Users } from './users.js';

/** What can be chosen about a simulated card; everything has a default. */
export interface SimNicOptions {
  /** how many cycles each step takes; default `u250-gen3x16` */
  cycleTable?: CycleTableName;
  /** what BUILD_KIND says; default `BuildKind.sim` */
  buildKind?: number;
  /** what BUILD_ID says, 32 bits; default 0 */
  buildId?: number;
  /** upper half of the ids of its first RPCs, so that two lives of a card need not use the same ones; default 0 */
  idEpoch?: number;
  /** size of the RPC table; default 16,384 */
  rpcEntries?: number;
  /** rate of the MAC in Mbit/s; default 100,000 */
  linkMbps?: number;
}

const DEFAULT_LINK_MBPS = 100_000;
const IN_RESET = 4;
const LINK_UP = 2;
const IDLE = 1;

/** Makes a simulated card wired to `outputs`. The cable is in from the start; `link(false)` pulls it. */
export function createSimNic(options: SimNicOptions, outputs: NicOutputs): SimNic {
  return new SimNic(options, outputs);
}

export class SimNic implements NicDevice, RegisterEffects {
  private readonly table: CycleTable;
  private readonly agenda = new Agenda();
  private readonly counters = new Counters();
  private readonly registers = new Registers();
  private readonly users = new Users();
  private readonly ports = new Ports();
  private readonly queue = new CallQueue();
  private readonly dma: Dma;
  private readonly results: Results;
  private readonly mac: Mac;
  private readonly aperture: Aperture;
  private readonly kernelCalls: KernelCalls;
  private readonly userCalls: UserCalls;
  private readonly transport: Transport;
  private readonly bar: Bar;
  private readonly watched: WatchedOutputs;
  private readTag: number[] = [];
  private readAddress: number[] = [];
  private readLength: number[] = [];
  private readonly readBytes = new Uint8Array(64);
  private inResetUntilPs = -1;

  constructor(
    private readonly options: SimNicOptions,
    outputs: NicOutputs,
  ) {
    this.table = cycleTables[options.cycleTable ?? 'u250-gen3x16'];
    this.watched = new WatchedOutputs(outputs);
    const { agenda, counters, registers, users, table, watched } = this;
    this.dma = new Dma(users, counters, agenda, watched);
    this.results = new Results(users, this.dma, agenda, counters, table);
    this.mac = new Mac(registers, agenda, counters, watched, table, options.linkMbps ?? DEFAULT_LINK_MBPS);
    this.aperture = new Aperture(users, this.queue, this.results, agenda, counters, table);
    const transport = new Transport(
      agenda,
      counters,
      registers,
      users,
      this.ports,
      this.dma,
      this.results,
      this.mac,
      table,
      options.rpcEntries ?? RPC_ENTRIES,
      options.idEpoch ?? 0,
    );
    transport.aperture = this.aperture;
    this.transport = transport;
    this.kernelCalls = new KernelCalls(
      users,
      this.ports,
      this.dma,
      registers,
      counters,
      transport,
      transport.nextHops,
    );
    this.userCalls = new UserCalls(users, this.queue, this.results, counters, transport.calls);
    this.bar = new Bar(registers, counters, users, this.aperture, this.kernelCalls, this);
    this.setIdentity();
  }

  mmioWrite(address: number, bytes: Uint8Array): void {
    this.bar.write(address, bytes);
  }

  mmioRead(tag: number, address: number, lengthBytes: number): void {
    this.readTag.push(tag);
    this.readAddress.push(address);
    this.readLength.push(lengthBytes);
    this.agenda.schedule(this.agenda.nowPs + this.table.mmioRead * CYCLE_PS, CardEvent.answerRead);
  }

  dmaReadDone(tag: number, status: DmaStatus, bytes: Uint8Array): void {
    this.dma.readDone(tag, status, bytes);
  }

  dmaWriteDone(tag: number, status: DmaStatus): void {
    this.dma.writeDone(tag, status);
  }

  frameIn(frame: Uint8Array): void {
    this.mac.frameIn(frame);
  }

  link(up: boolean): void {
    this.mac.setLink(up);
  }

  /** PCIe reset: the bus forgets what was under way too, and the card which ids it has used. */
  reset(): void {
    this.readTag = [];
    this.readAddress = [];
    this.readLength = [];
    this.agenda.clear();
    this.dma.busReset();
    this.coreState();
    this.transport.calls.restartIds();
    this.inResetUntilPs = -1;
  }

  nextEventPs(): number {
    return this.agenda.nextPs();
  }

  advance(untilPs: number): number {
    const { agenda, watched } = this;
    watched.emitted = false;
    let next = agenda.nextPs();
    while (next <= untilPs && next !== Infinity) {
      agenda.take();
      this.handle(agenda.kind);
      const after = agenda.nextPs();
      if (after !== next && watched.emitted) return next;
      next = after;
    }
    if (untilPs !== Infinity && untilPs > agenda.nowPs) agenda.nowPs = untilPs;
    return agenda.nowPs;
  }

  rebase(byPs: number): void {
    this.agenda.rebase(byPs);
    this.mac.rebase(byPs);
    this.aperture.rebase(byPs);
    this.transport.rebase(byPs);
    this.inResetUntilPs -= byPs;
  }

  /** Counters by name, for reports and tests: the same numbers a driver reads from the BAR. */
  counterValues(): ReturnType<Counters['snapshot']> {
    return this.counters.snapshot();
  }

  /** What is alive inside: all zero when nothing is under way. For reports and tests. */
  liveState(): { rpcs: number; poolChunks: number; packets: number } {
    const { table, pools, outbox } = this.transport;
    return { rpcs: table.liveCount, poolChunks: pools.total, packets: outbox.pending };
  }

  coreReset(): void {
    // Reads under way are answered all the same: they belong to the bus.
    const reads = this.readTag.length;
    this.agenda.clear();
    this.dma.forgetAskers();
    this.coreState();
    const { nowPs } = this.agenda;
    this.inResetUntilPs = nowPs + this.table.reset * CYCLE_PS;
    for (let i = 0; i < reads; i++) {
      this.agenda.schedule(nowPs + this.table.mmioRead * CYCLE_PS, CardEvent.answerRead);
    }
  }

  macControlChanged(): void {
    this.mac.refresh();
  }

  parameterChanged(): void {
    this.transport.parametersChanged();
  }

  statusWord(): number {
    const idle =
      this.dma.inFlight === 0 &&
      this.queue.length === 0 &&
      this.results.pending === 0 &&
      this.transport.outbox.pending === 0;
    const inReset = this.agenda.nowPs < this.inResetUntilPs;
    return (idle ? IDLE : 0) | (this.mac.isUp ? LINK_UP : 0) | (inReset ? IN_RESET : 0);
  }

  /** Everything but the identity block returns to its reset value; RPC ids go on. */
  private coreState(): void {
    this.registers.reset();
    this.counters.clear();
    this.users.reset();
    this.ports.reset();
    this.queue.clear();
    this.results.reset();
    this.aperture.reset();
    this.kernelCalls.reset();
    this.mac.reset();
    this.transport.reset();
    this.setIdentity();
  }

  private setIdentity(): void {
    const { options, registers } = this;
    registers.set(Register.buildId, options.buildId ?? 0);
    registers.set(Register.buildKind, options.buildKind ?? BuildKind.sim);
    registers.set(
      Register.features,
      Feature.inline | Feature.cancel | Feature.neighbour | Feature.grants | Feature.recovery,
    );
    registers.set(Register.rpcEntries, this.transport.table.capacity);
    this.mac.refresh();
  }

  private handle(kind: number): void {
    switch (kind) {
      case CardEvent.takeCall:
        this.userCalls.takeNext();
        break;
      case CardEvent.writeResult:
        this.results.writeNext();
        break;
      case CardEvent.answerRead:
        this.answerRead();
        break;
      case CardEvent.ingress: {
        const frame = this.mac.nextReceived();
        if (frame === undefined) break;
        this.transport.ingress.receive(frame);
        doneWithFrame(frame);
        break;
      }
      case CardEvent.fetchPackets:
        this.transport.outbox.fetch();
        break;
      case CardEvent.transmit:
        this.transport.outbox.transmit();
        break;
      case CardEvent.tick:
        this.transport.timers.tick();
        break;
      case CardEvent.loopback:
        this.mac.loopbackDone();
        break;
    }
  }

  private answerRead(): void {
    const tag = this.readTag.shift();
    const address = this.readAddress.shift();
    const length = this.readLength.shift();
    if (tag === undefined || address === undefined || length === undefined) return;
    const out =
      length === this.readBytes.length
        ? this.readBytes
        : new Uint8Array(Math.max(0, Math.min(4096, Math.floor(length) || 0)));
    this.bar.read(address, out);
    this.watched.mmioReadDone(this.agenda.nowPs, tag, out);
  }
}

/** Passes outputs on and remembers that there was one. */
class WatchedOutputs implements NicOutputs {
  emitted = false;

  constructor(private readonly to: NicOutputs) {}

  dmaRead(timePs: number, tag: number, address: number, lengthBytes: number): void {
    this.emitted = true;
    this.to.dmaRead(timePs, tag, address, lengthBytes);
  }

  dmaWrite(timePs: number, tag: number, address: number, bytes: Uint8Array): void {
    this.emitted = true;
    this.to.dmaWrite(timePs, tag, address, bytes);
  }

  frameOut(timePs: number, frame: Uint8Array): void {
    this.emitted = true;
    this.to.frameOut(timePs, frame);
  }

  mmioReadDone(timePs: number, tag: number, bytes: Uint8Array): void {
    this.emitted = true;
    this.to.mmioReadDone(timePs, tag, bytes);
  }
}
