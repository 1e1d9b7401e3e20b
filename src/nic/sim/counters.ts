// SPDX-License-Identifier: Apache-2.0
/** The card's counters (`Counter` in regs.ts): 64 bits each on the bus, exact to 2^53 here. */
import { CounterNames, COUNTERS, type CounterName } from '../regs.js';

export class Counters {
  readonly values = new Float64Array(CounterNames.length);

  add(index: number, amount = 1): void {
    this.values[index]! += amount;
  }

  /** Keeps a high-water mark. */
  raise(index: number, value: number): void {
    if (value > this.values[index]!) this.values[index] = value;
  }

  clear(): void {
    this.values.fill(0);
  }

  /** The 32-bit word at a BAR offset in the counter block; 0 behind the last counter. */
  word(offset: number): number {
    const at = offset - COUNTERS;
    const value = this.values[at >> 3];
    if (value === undefined) return 0;
    return (at & 4) === 0 ? (value % 0x100000000) >>> 0 : Math.floor(value / 0x100000000) >>> 0;
  }

  /** All counters by name, for reports and tests. */
  snapshot(): Record<CounterName, number> {
    const out = {} as Record<CounterName, number>;
    CounterNames.forEach((name, index) => (out[name] = this.values[index]!));
    return out;
  }
}
