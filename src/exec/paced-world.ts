// SPDX-License-Identifier: Apache-2.0
// A world that lives in real time: it follows the wall clock when idle, and runs ahead through work at hand, so that no
// timer of a card sees the time that simulating it took.
import type { World } from '../world/world.js';

/** Events closer together than this are one piece of work, run without waiting for the wall clock. */
const HORIZON_PS = 20_000_000;
const SLICE_MS = 10;
/** At most this much passes for a card in one turn: what a stalled process missed is not made up for. */
const MAX_CATCH_UP_PS = 2_000_000_000;
const PS_PER_MS = 1_000_000_000;
const MAX_TIMER_MS = 2 ** 31 - 1;

export class PacedWorld {
  private anchorPs: number;
  private anchorMs: number;
  private timer: NodeJS.Timeout | undefined;
  private immediate: NodeJS.Immediate | undefined;
  private stopped = false;

  constructor(private readonly world: World) {
    this.anchorPs = world.nowPs;
    this.anchorMs = performance.now();
  }

  /** Brings the world to its present and lets `act` change it; what follows happens afterwards. */
  input(act: (timePs: number) => void): void {
    if (this.stopped) return;
    this.follow();
    act(this.world.nowPs);
    this.soon();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    clearImmediate(this.immediate);
  }

  /** Runs what is due by the wall clock, and not much more than a turn of the event loop may take. */
  private follow(): void {
    const { agenda } = this.world;
    const wallMs = performance.now();
    const passedMs = Math.max(0, wallMs - this.anchorMs);
    const wallPs = this.anchorPs + Math.round(passedMs * PS_PER_MS);
    const duePs = Math.min(wallPs, Math.max(agenda.nextPs(), agenda.nowPs) + MAX_CATCH_UP_PS);
    const endMs = wallMs + SLICE_MS;
    while (agenda.nextPs() <= duePs && performance.now() < endMs) agenda.step();
    if (agenda.nextPs() > duePs && duePs > agenda.nowPs) agenda.skipTo(duePs);
    this.anchorPs = agenda.nowPs;
    this.anchorMs = wallMs;
  }

  private run(): void {
    this.follow();
    const { agenda } = this.world;
    const endMs = performance.now() + SLICE_MS;
    while (agenda.nextPs() - agenda.nowPs <= HORIZON_PS && performance.now() < endMs) agenda.step();
    this.anchorPs = agenda.nowPs;
    this.anchorMs = performance.now();
    const waitPs = agenda.nextPs() - agenda.nowPs;
    if (this.stopped || waitPs === Infinity) return;
    if (waitPs <= HORIZON_PS) this.soon();
    else {
      clearTimeout(this.timer);
      this.timer = setTimeout(
        () => {
          this.run();
        },
        Math.min(MAX_TIMER_MS, Math.ceil(waitPs / PS_PER_MS)),
      );
    }
  }

  private soon(): void {
    if (this.immediate !== undefined || this.stopped) return;
    clearTimeout(this.timer);
    this.immediate = setImmediate(() => {
      this.immediate = undefined;
      this.run();
    });
  }
}
