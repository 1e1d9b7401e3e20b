// SPDX-License-Identifier: Apache-2.0
/** The 32-bit registers of BAR 0: values, ranges and reset values all come from `RegisterTable`. */
import { KERNEL_REGISTERS, MAC_REGISTERS, RegisterTable } from '../regs.js';

const CORE_WORDS = 128;
const MAC_WORDS = 4;

/** Index of a register's word, or -1 when no register can be there. */
function wordIndex(offset: number): number {
  if (offset >= MAC_REGISTERS) {
    const word = (offset - MAC_REGISTERS) >> 2;
    return word < MAC_WORDS ? CORE_WORDS + word : -1;
  }
  const word = (offset - KERNEL_REGISTERS) >> 2;
  return word >= 0 && word < CORE_WORDS ? word : -1;
}

const writable = new Uint8Array(CORE_WORDS + MAC_WORDS);
const minima = new Uint32Array(CORE_WORDS + MAC_WORDS);
const maxima = new Uint32Array(CORE_WORDS + MAC_WORDS);
const resetValues = new Uint32Array(CORE_WORDS + MAC_WORDS);
for (const register of RegisterTable) {
  const index = wordIndex(register.offset);
  writable[index] = register.access === 'rw' ? 1 : 0;
  minima[index] = register.min;
  maxima[index] = register.max;
  resetValues[index] = register.reset ?? 0;
}

export class Registers {
  private readonly values = new Uint32Array(CORE_WORDS + MAC_WORDS);

  constructor() {
    this.reset();
  }

  /** Everything returns to its reset value; what the device itself knows (`set`) must be set again. */
  reset(): void {
    this.values.set(resetValues);
  }

  /** The value of a register, 0 where none is. */
  get(offset: number): number {
    const index = wordIndex(offset);
    return index < 0 ? 0 : this.values[index]!;
  }

  /** A write of the host: refused (false) for read-only registers, holes and values out of range, which change nothing. */
  write(offset: number, value: number): boolean {
    const index = wordIndex(offset);
    if (index < 0 || writable[index] === 0) return false;
    if (value < minima[index]! || value > maxima[index]!) return false;
    this.values[index] = value;
    return true;
  }

  /** The device's own writes: read-only registers too. */
  set(offset: number, value: number): void {
    const index = wordIndex(offset);
    if (index >= 0) this.values[index] = value;
  }
}
