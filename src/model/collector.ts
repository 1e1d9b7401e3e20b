// SPDX-License-Identifier: Apache-2.0

/** Occupancies above this share one bin. */
export const OCCUPANCY_BINS = 1025;
const CURVE_POINTS = 512;

/** One point of the backlog over time. */
export interface CurvePoint {
  readonly cycle: number;
  readonly sorted: number;
  readonly behind: number;
}

/** Counters of a run. They start anew when the warm-up ends. */
export class Collector {
  packets = 0;
  unitsOut = 0;
  /** Units sent since the very start, warm-up included. */
  unitsOutEver = 0;
  inversions = 0;
  /** Sum over inverted packets of remaining / smallest remaining. */
  violationSum = 0;
  worstViolation = 1;
  underflowCycles = 0;
  /** Not known before the warm-up ends. */
  startCycle = NaN;
  maxSize = 0;
  completions = 0;
  /** Cycles spent with exactly i sorted slots in use (the last bin: or more). */
  readonly occupancyCycles = new Float64Array(OCCUPANCY_BINS);
  private highestBin = 0;
  private curve: CurvePoint[] = [];
  private curveStep = 64;
  private nextSample = 0;

  /** Forgets everything: counting starts at `cycle`. The curve goes on. */
  restart(cycle: number): void {
    this.packets = 0;
    this.unitsOut = 0;
    this.inversions = 0;
    this.violationSum = 0;
    this.worstViolation = 1;
    this.underflowCycles = 0;
    this.startCycle = cycle;
    this.maxSize = 0;
    this.occupancyCycles.fill(0);
    this.highestBin = 0;
  }

  /** The state held from cycle `from` up to, not including, `to`. */
  held(from: number, to: number, sorted: number, behind: number): void {
    const bin = sorted < OCCUPANCY_BINS ? sorted : OCCUPANCY_BINS - 1;
    if (bin > this.highestBin) this.highestBin = bin;
    this.occupancyCycles[bin]! += to - from;
    const size = sorted + behind;
    if (size > this.maxSize) this.maxSize = size;
    if (this.nextSample < to) this.sample(to, sorted, behind);
  }

  /** `count` packets of one message, the first with `remaining` units to go, each `packetUnits` less than the last. */
  sent(count: number, remaining: number, packetUnits: number, smallestOther: number): void {
    this.packets += count;
    if (remaining <= smallestOther) return;
    const inverted = Math.min(count, Math.ceil((remaining - smallestOther) / packetUnits));
    this.inversions += inverted;
    this.violationSum +=
      (inverted * remaining - (packetUnits * inverted * (inverted - 1)) / 2) / smallestOther;
    if (remaining / smallestOther > this.worstViolation) this.worstViolation = remaining / smallestOther;
  }

  /** Share of the counted time in which slot i was in use, for each slot that ever was. */
  slotOccupancy(): number[] {
    let total = 0;
    for (let i = 0; i <= this.highestBin; i++) total += this.occupancyCycles[i]!;
    const shares: number[] = [];
    let above = total;
    for (let i = 0; i < this.highestBin; i++) {
      above -= this.occupancyCycles[i]!;
      shares.push(total === 0 ? 0 : above / total);
    }
    return shares;
  }

  /** The queue over time, thinned to a few hundred points. */
  backlogCurve(): readonly CurvePoint[] {
    return this.curve;
  }

  private sample(to: number, sorted: number, behind: number): void {
    while (this.nextSample < to) {
      if (this.curve.length === CURVE_POINTS) {
        this.thin();
        continue;
      }
      this.curve.push({ cycle: this.nextSample, sorted, behind });
      this.nextSample += this.curveStep;
    }
  }

  /** Every other point stays. By itself, because it is rare: what calls held() is then smaller, and compiled sooner. */
  private thin(): void {
    this.curve = this.curve.filter((_, i) => i % 2 === 0);
    this.curveStep *= 2;
    this.nextSample = this.curve.length * this.curveStep;
  }
}
