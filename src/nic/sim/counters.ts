// SPDX-License-Identifier: Apache-2.0
/**
 * The card's counters (`Counter` in regs.ts), 64 bits each. All low halves lie together, because they are counted for
 * every packet; high halves come behind.
 */
import { CounterNames, COUNTERS, type CounterName } from '../regs.js';

const COUNT = CounterNames.length;
const HALF = 0x100000000;

export class Counters {
  private readonly halves = new Uint32Array(2 * COUNT);

  /** Adds less than 2^32. */
  add(index: number, amount = 1): void {
    const sum = this.halves[index]! + amount;
    this.halves[index] = sum;
    if (sum >= HALF) this.halves[COUNT + index]!++;
  }

  /** Keeps a high-water mark, below 2^32. */
  raise(index: number, value: number): void {
    if (value > this.halves[index]!) this.halves[index] = value;
  }

  clear(): void {
    this.halves.fill(0);
  }

  /** The 32-bit word at a BAR offset in the counter block; 0 behind the last counter. */
  word(offset: number): number {
    const at = offset - COUNTERS;
    const index = at >> 3;
    if (index < 0 || index >= COUNT) return 0;
    return this.halves[(at & 4) === 0 ? index : COUNT + index]!;
  }

  /** All counters by name, for reports and tests. */
  snapshot(): Record<CounterName, number> {
    const out = {} as Record<CounterName, number>;
    CounterNames.forEach(
      (name, index) => (out[name] = this.halves[index]! + HALF * this.halves[COUNT + index]!),
    );
    return out;
  }
}
