// SPDX-License-Identifier: Apache-2.0
// A world that lives in real time: it follows the wall clock when idle, and falls behind while there is work at hand, so
// that no timer of a card sees the time that simulating it took. It never runs ahead by more than setTimeout is coarse.
import type { World } from '../world/world.js';

/** Events closer together than this are one piece of work, run without waiting for the wall clock. */
const HORIZON_PS = 20_000_000;
const SLICE_MS = 10;
/** At most this much passes for a card in one turn: what a stalled process missed is not made up for. */
const MAX_CATCH_UP_PS = 2_000_000_000;
/** So far the world may be ahead of the wall clock: work that never ends (a poll) must not make time fly. */
const MAX_AHEAD_PS = 1_000_000_000;
const PS_PER_MS = 1_000_000_000;
const MAX_TIMER_MS = 2 ** 31 - 1;

export class PacedWorld {
  /** The world was at `anchorPs` when the wall clock stood at `anchorMs`. */
  private anchorPs: number;
  private anchorMs: number;
  private timer: NodeJS.Timeout | undefined;
  private immediate: NodeJS.Immediate | undefined;
  private stopped = false;

  constructor(
    private readonly world: World,
    private readonly wallMs: () => number = () => performance.now(),
  ) {
    this.anchorPs = world.nowPs;
    this.anchorMs = wallMs();
  }

  /**
   * Brings the world to its present and lets `act` change it; what follows happens afterwards. Inputs that come together
   * come at one instant: the time it takes to read them is not the world's.
   */
  input(act: (timePs: number) => void): void {
    if (this.stopped) return;
    if (this.immediate === undefined) this.follow();
    act(this.world.nowPs);
    this.soon();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    clearImmediate(this.immediate);
  }

  /** Where the wall clock says that the world should be. */
  private wallPs(): number {
    return this.anchorPs + Math.round(Math.max(0, this.wallMs() - this.anchorMs) * PS_PER_MS);
  }

  /** A world that is behind the wall clock stays behind: its time goes on from here. Epochs that are over are dropped. */
  private anchor(): void {
    this.anchorPs -= this.world.rebase();
    const { nowPs } = this.world;
    if (nowPs >= this.wallPs()) return;
    this.anchorPs = nowPs;
    this.anchorMs = this.wallMs();
  }

  /** Runs what is due by the wall clock, and not much more than a turn of the event loop may take. */
  private follow(): void {
    const { agenda } = this.world;
    const duePs = Math.min(this.wallPs(), Math.max(agenda.nextPs(), agenda.nowPs) + MAX_CATCH_UP_PS);
    const endMs = this.wallMs() + SLICE_MS;
    while (agenda.nextPs() <= duePs && this.wallMs() < endMs) agenda.step();
    if (agenda.nextPs() > duePs && duePs > agenda.nowPs) agenda.skipTo(duePs);
    this.anchor();
  }

  /** Runs the work at hand. */
  private run(): void {
    const { agenda } = this.world;
    const limitPs = this.wallPs() + MAX_AHEAD_PS;
    const endMs = this.wallMs() + SLICE_MS;
    const atHand = (): boolean => agenda.nextPs() - agenda.nowPs <= HORIZON_PS;
    while (atHand() && agenda.nextPs() <= limitPs && this.wallMs() < endMs) agenda.step();
    this.anchor();
    if (this.stopped || agenda.nextPs() === Infinity) return;
    if (atHand() && agenda.nextPs() <= limitPs) {
      this.soon();
      return;
    }
    const waitPs = Math.max(0, agenda.nextPs() - this.wallPs());
    clearTimeout(this.timer);
    this.timer = setTimeout(
      () => {
        this.follow();
        this.run();
      },
      Math.min(MAX_TIMER_MS, Math.ceil(waitPs / PS_PER_MS)),
    );
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
