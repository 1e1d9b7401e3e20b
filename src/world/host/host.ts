// SPDX-License-Identifier: Apache-2.0
// A simulated host: memory, a card in a slot, a driver, and opened users.
import {
  APERTURE_BYTES,
  C2H_MSGBUFF_BYTES,
  H2C_MSGBUFF_BYTES,
  METADATA_BYTES,
  Register,
} from '../../nic/regs.js';
import type { NicDeviceFactory } from '../../nic/device.js';
import { Random } from '../../random/random.js';
import type { Actor, Agenda } from '../agenda.js';
import type { HostBuffer } from '../host-buffer.js';
import { HostMemory } from '../memory.js';
import { CardSlot, type SlotListener } from '../pcie/card-slot.js';
import { Jitter } from '../pcie/jitter.js';
import type { PcieProfile } from '../pcie/profile.js';
import type { TransferPool } from '../pcie/transfer.js';
import * as driver from './driver.js';
import { HostUser } from './host-user.js';

/** Told about the data of a load. */
export type LoadHandler = (timePs: number, bytes: Uint8Array) => void;

const enum Op {
  observe,
  loaded,
  resume,
}

interface Run {
  routine: driver.Routine<unknown>;
  /** the machine went down meanwhile: it ends without a word */
  isOver: boolean;
  done: (value: unknown) => void;
  failed: (error: unknown) => void;
}

export class Host implements Actor, SlotListener {
  readonly name: string;
  readonly settings: driver.CardSettings;
  readonly memory = new HostMemory();
  readonly slot: CardSlot;
  readonly profile: PcieProfile;
  /** open users by number */
  readonly users: (HostUser | undefined)[] = [];
  readonly agenda: Agenda;
  private readonly actor: number;
  private readonly jitter: Jitter | undefined;
  private readonly loads: (LoadHandler | undefined)[] = [];
  private readonly loadData: (Uint8Array | undefined)[] = [];
  private readonly freeTags: number[] = [];
  private readonly runs: (Run | undefined)[] = [];

  constructor(
    agenda: Agenda,
    name: string,
    settings: driver.CardSettings,
    profile: PcieProfile,
    jitterSeed: Random | undefined,
    transfers: TransferPool,
    factory: NicDeviceFactory,
  ) {
    this.agenda = agenda;
    this.name = name;
    this.settings = settings;
    this.profile = profile;
    this.jitter = jitterSeed === undefined ? undefined : new Jitter(profile.jitter, jitterSeed);
    this.actor = agenda.register(this);
    this.slot = new CardSlot(agenda, profile, this.memory, this, transfers, factory);
  }

  rebase(byPs: number): void {
    for (const user of this.users) user?.rebase(byPs);
  }

  /** Starts a routine of the driver; `done` or `failed` is called when it ends, in simulated time. */
  run<T>(routine: driver.Routine<T>, done: (value: T) => void, failed: (error: unknown) => void): void {
    const run: Run = { routine, isOver: false, done: done as (value: unknown) => void, failed };
    let index = this.runs.indexOf(undefined);
    if (index < 0) index = this.runs.length;
    this.runs[index] = run;
    this.agenda.push(this.agenda.nowPs, this.actor, Op.resume, index);
  }

  /** Loads from BAR 0 (`lengthBytes` 1 to 64), beginning at `timePs`; the handler gets the data when the core has it. */
  load(timePs: number, address: number, lengthBytes: number, handler: LoadHandler): void {
    const tag = this.freeTags.pop() ?? this.loads.length;
    this.loads[tag] = handler;
    this.slot.mmioRead(timePs, tag, address, lengthBytes);
  }

  /** Probe, reset, addresses, registers, MAC. */
  probe(): driver.Routine<void> {
    return driver.probe(this.settings);
  }

  /** Opens a user with fresh buffers; c2hBytes: a power of two from 2 MiB to 64 MiB. */
  *openUser(user: number, c2hBytes = C2H_MSGBUFF_BYTES): driver.Routine<HostUser> {
    const buffers = {
      h2c: this.memory.allocate(H2C_MSGBUFF_BYTES),
      c2h: this.memory.allocate(c2hBytes),
      results: this.memory.allocate(METADATA_BYTES),
    };
    const opened = new HostUser(user, buffers, this.slot, this.profile.hostStoreInterval.timePs);
    buffers.results.watchedBy = user;
    yield* driver.openUser(user, buffers);
    this.users[user] = opened;
    return opened;
  }

  /** Closes a user and frees its memory. */
  *closeUser(opened: HostUser): driver.Routine<void> {
    yield* driver.closeUser(opened.user);
    this.forget(opened);
  }

  /** The machine went down and came back: card reset, memory of all users gone, nobody told. */
  crash(): void {
    this.slot.reset(this.agenda.nowPs);
    for (const run of this.runs) if (run !== undefined) run.isOver = true;
    for (const opened of this.users) if (opened !== undefined) this.forget(opened);
  }

  /** Address of the identity block as user `user` reads it. */
  identityAddress(user?: number): number {
    return user === undefined ? Register.magic : user * APERTURE_BYTES;
  }

  // -- what the slot tells --

  onDmaWrite(timePs: number, buffer: HostBuffer, offset: number, lengthBytes: number): void {
    if (buffer.watchedBy === 0 || lengthBytes > 64 || (offset & 63) !== 0) return;
    const seen = timePs + this.profile.poll.timePs + (this.jitter === undefined ? 0 : this.jitter.drawPs());
    this.agenda.push(seen, this.actor, Op.observe, buffer.watchedBy * 256 + (offset >>> 6));
  }

  onMmioData(timePs: number, tag: number, bytes: Uint8Array): void {
    this.loadData[tag] = bytes;
    const seen =
      timePs + this.profile.mmioReadReturn.timePs + (this.jitter === undefined ? 0 : this.jitter.drawPs());
    this.agenda.push(seen, this.actor, Op.loaded, tag);
  }

  onEvent(timePs: number, op: number, arg: number): void {
    switch (op as Op) {
      case Op.observe:
        this.users[arg >>> 8]?.observe(timePs, arg & 255);
        return;
      case Op.loaded: {
        const handler = this.loads[arg];
        const bytes = this.loadData[arg];
        this.loads[arg] = undefined;
        this.loadData[arg] = undefined;
        this.freeTags.push(arg);
        if (handler !== undefined && bytes !== undefined) handler(timePs, bytes);
        return;
      }
      case Op.resume:
        this.resume(arg, NOTHING);
        return;
    }
  }

  private resume(index: number, bytes: Uint8Array): void {
    const run = this.runs[index]!;
    if (run.isOver) {
      this.runs[index] = undefined;
      return;
    }
    let input = bytes;
    for (;;) {
      let step: IteratorResult<driver.Access, unknown>;
      try {
        step = run.routine.next(input);
      } catch (error) {
        this.runs[index] = undefined;
        run.failed(error);
        return;
      }
      if (step.done === true) {
        this.runs[index] = undefined;
        run.done(step.value);
        return;
      }
      const access = step.value;
      const now = this.agenda.nowPs;
      if (access.kind === 'read') {
        this.load(now, access.address, access.lengthBytes, (_timePs, data) => {
          this.resume(index, data);
        });
        return;
      }
      if (access.kind === 'wait') {
        this.agenda.push(now + access.timePs, this.actor, Op.resume, index);
        return;
      }
      this.slot.mmioWrite(now, access.address, access.bytes);
      input = NOTHING;
    }
  }

  private forget(opened: HostUser): void {
    for (const buffer of [opened.h2c, opened.c2h, opened.results]) this.memory.release(buffer);
    this.users[opened.user] = undefined;
  }
}

const NOTHING = new Uint8Array(0);
