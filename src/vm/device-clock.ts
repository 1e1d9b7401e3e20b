// SPDX-License-Identifier: Apache-2.0
// Time of a card that lives beside a real guest. Idle, it follows the wall clock; with work at hand, it runs ahead (or
// falls behind, when the card is simulated slowly) and goes on from there, so that no timer of the card ever sees the
// time that simulating it took. It never runs faster than the wall clock but for work at hand, and slower when this
// process gets too little of the processor.
import { EPOCH_PS, type NicDevice } from '../nic/device.js';

/** Events closer together than this are one piece of work and are run without waiting for the wall clock. */
const HORIZON_PS = 20_000_000;
/** Longest run without giving way to the event loop. */
const SLICE_MS = 10;
const PS_PER_MS = 1_000_000_000;
/** Longest leap past a running timer: well below the least time-out of the protocol (5 ticks of 1 ms). */
const MAX_LEAP_MS = 1;
/** setTimeout takes no more than 31 bits. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Drives one device. Call `input` around everything that goes into it. */
export class DeviceClock {
  #nowPs = 0;
  #anchorPs = 0;
  #anchorMs: number;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #running = false;
  #stopped = false;
  readonly #answers: (() => void)[] = [];

  constructor(
    private readonly device: NicDevice,
    private readonly wallMs: () => number = () => performance.now(),
    startPs = 0,
  ) {
    this.#nowPs = startPs;
    this.#anchorPs = startPs;
    this.#anchorMs = wallMs();
  }

  /** The card's present. */
  get nowPs(): number {
    return this.#nowPs;
  }

  /** Brings the card to its present and makes `act`'s calls into it; what follows from them runs afterwards. */
  input(act: () => void): void {
    if (this.#running) {
      // An answer given from within an output of the card; the card takes inputs only from outside.
      this.#answers.push(act);
      return;
    }
    if (this.#stopped) return;
    this.#runTo(this.#wallPs(), this.wallMs() + SLICE_MS);
    act();
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
  }

  /**
   * Where the wall clock says that the card should be. While the card has a timer running, it goes there in small
   * leaps with the event loop in between: when this process was held up, frames and answers that wait to be read must
   * come before the timers that would declare them lost.
   */
  #wallPs(): number {
    const passedMs = Math.max(0, this.wallMs() - this.#anchorMs);
    const leapMs = this.device.nextEventPs() === Infinity ? passedMs : Math.min(passedMs, MAX_LEAP_MS);
    return this.#anchorPs + Math.round(leapMs * PS_PER_MS);
  }

  /** Runs to `targetPs`, or until the slice is over. */
  #runTo(targetPs: number, sliceEndMs: number): void {
    this.#running = true;
    while (this.#nowPs < targetPs && this.wallMs() < sliceEndMs) this.#advance(targetPs);
    this.#running = false;
    this.#rebase();
  }

  /** Drops epochs that are over, so that the card's clock stays exact for as long as it lives. */
  #rebase(): void {
    if (this.#nowPs < EPOCH_PS) return;
    const byPs = Math.floor(this.#nowPs / EPOCH_PS) * EPOCH_PS;
    this.device.rebase(byPs);
    this.#nowPs -= byPs;
    this.#anchorPs -= byPs;
  }

  /** Asks for a run in this turn of the event loop, after the inputs that came together. */
  #schedule(): void {
    if (this.#immediate || this.#stopped) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#immediate = setImmediate(() => {
      this.#immediate = undefined;
      this.#run();
    });
  }

  #advance(untilPs: number): void {
    this.#nowPs = this.device.advance(untilPs);
    for (let i = 0; i < this.#answers.length; i++) this.#answers[i]!();
    this.#answers.length = 0;
  }

  #run(): void {
    const sliceEndMs = this.wallMs() + SLICE_MS;
    this.#runTo(this.#wallPs(), sliceEndMs);
    this.#running = true;
    let nextPs = this.device.nextEventPs();
    while (nextPs - this.#nowPs <= HORIZON_PS && this.wallMs() < sliceEndMs) {
      this.#advance(Math.max(nextPs, this.#nowPs));
      nextPs = this.device.nextEventPs();
    }
    this.#running = false;
    this.#anchorPs = this.#nowPs;
    this.#anchorMs = this.wallMs();
    if (this.#stopped || nextPs === Infinity) return;
    if (nextPs - this.#nowPs <= HORIZON_PS) {
      this.#schedule();
      return;
    }
    const waitMs = Math.min(MAX_TIMER_MS, Math.ceil((nextPs - this.#nowPs) / PS_PER_MS));
    this.#timer = setTimeout(() => this.#run(), waitMs);
  }
}
