// SPDX-License-Identifier: Apache-2.0
/** Decodes BAR 0: which part of the card a store goes to, and what a load gives. */
import {
  APERTURE_BYTES,
  COUNTERS,
  KERNEL_BYTES,
  KERNEL_REGISTERS,
  MAC_REGISTERS,
  MacRegister,
  MAX_USERS,
  Register,
  USER_STATE_BYTES,
  USER_STATES,
} from '../regs.js';
import type { Aperture } from './aperture.js';
import type { Counters } from './counters.js';
import type { KernelCalls } from './kernel-calls.js';
import { getLe32 } from './little-endian.js';
import type { Registers } from './registers.js';
import type { Users } from './users.js';

const APERTURES_END = (MAX_USERS + 1) * APERTURE_BYTES;
const IDENTITY_BYTES = 64;

/** What the device does when certain registers are touched. */
export interface RegisterEffects {
  coreReset(): void;
  macControlChanged(): void;
  parameterChanged(): void;
  statusWord(): number;
}

export class Bar {
  constructor(
    private readonly registers: Registers,
    private readonly counters: Counters,
    private readonly users: Users,
    private readonly aperture: Aperture,
    private readonly kernelCalls: KernelCalls,
    private readonly effects: RegisterEffects,
  ) {}

  /** A posted write. Stores that fit nothing are counted or ignored; nothing throws. */
  write(address: number, bytes: Uint8Array): void {
    // BAR offsets have 26 bits: as a small integer, so that the decoding below divides integers.
    if (address >= KERNEL_BYTES && address < APERTURES_END) this.aperture.write(address | 0, bytes);
    else if (address >= 0 && address < KERNEL_REGISTERS) this.kernelCalls.write(address, bytes);
    else this.writeRegisters(address, bytes);
  }

  /** Registers take aligned 4-byte words, alone or several in a store. */
  private writeRegisters(address: number, bytes: Uint8Array): void {
    if (address % 4 !== 0 || bytes.length % 4 !== 0) return;
    for (let at = 0; at < bytes.length; at += 4) this.writeRegister(address + at, getLe32(bytes, at));
  }

  private writeRegister(offset: number, value: number): void {
    if (!this.registers.write(offset, value)) return;
    if (offset === Register.control) {
      this.registers.set(Register.control, 0);
      if ((value & 1) !== 0) this.effects.coreReset();
    } else if (offset === MacRegister.macControl) this.effects.macControlChanged();
    else this.effects.parameterChanged();
  }

  /** Fills `out` with what a load of these bytes gives. Loads have no side effects. */
  read(address: number, out: Uint8Array): void {
    let word = 0;
    let wordAt = -1;
    for (let i = 0; i < out.length; i++) {
      const at = address + i;
      const aligned = at - (at % 4);
      if (aligned !== wordAt) {
        word = this.word(aligned);
        wordAt = aligned;
      }
      out[i] = word >>> (8 * (at % 4));
    }
  }

  private word(offset: number): number {
    if (offset >= KERNEL_BYTES && offset < APERTURES_END) {
      return this.registers.get(Register.magic + (offset % IDENTITY_BYTES));
    }
    if (offset >= MAC_REGISTERS) return this.registers.get(offset);
    if (offset < KERNEL_REGISTERS || offset >= KERNEL_BYTES) return 0;
    if (offset >= USER_STATES) {
      const at = offset - USER_STATES;
      return this.users.stateWord(Math.floor(at / USER_STATE_BYTES), at % USER_STATE_BYTES);
    }
    if (offset >= COUNTERS) return this.counters.word(offset);
    if (offset === Register.status) return this.effects.statusWord();
    return this.registers.get(offset);
  }
}
