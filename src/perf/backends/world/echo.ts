// SPDX-License-Identifier: Apache-2.0
import type { CallResult } from '../../../world/host/call.js';
import type { BenchHost } from './bench-host.js';
import type { Instants } from './measured.js';

/** Closed loop of nop calls: from the store of the call to sight of its result. Call `begin`, then run the world. */
export class EchoLoop {
  private startPs = 0;

  constructor(
    private readonly bench: BenchHost,
    private readonly instants: Instants,
  ) {
    bench.user.listen(this);
  }

  begin(): void {
    this.send(this.bench.world.nowPs);
  }

  onResult(timePs: number, result: CallResult): void {
    if (!result.final || result.failed) throw new Error(`echo: ${result.text}`);
    if (result.cookie !== this.instants.done % 0x1_0000_0000) throw new Error('echo: another call came back');
    this.instants.add(this.startPs, timePs);
    if (!this.instants.complete) this.send(this.bench.nextStartPs(timePs));
  }

  private send(timePs: number): void {
    const { user } = this.bench;
    this.startPs = user.nop(timePs, user.takeSlot(), this.instants.done);
  }
}
