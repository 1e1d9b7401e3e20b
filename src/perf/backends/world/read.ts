// SPDX-License-Identifier: Apache-2.0
import { CALL_BYTES, MAGIC } from '../../../nic/regs.js';
import { BENCH_USER, type BenchHost } from './bench-host.js';
import type { Instants } from './measured.js';

/** Closed loop of 64-byte loads of the identity block in the user's aperture. */
export class ReadLoop {
  private startPs = 0;
  private readonly address: number;

  constructor(
    private readonly bench: BenchHost,
    private readonly instants: Instants,
  ) {
    this.address = bench.host.identityAddress(BENCH_USER);
  }

  begin(): void {
    this.load(this.bench.world.nowPs);
  }

  private readonly onData = (timePs: number, bytes: Uint8Array): void => {
    const magic = bytes[0]! + bytes[1]! * 0x100 + bytes[2]! * 0x1_0000 + bytes[3]! * 0x100_0000;
    if (bytes.length !== CALL_BYTES || magic !== MAGIC)
      throw new Error('read: this is not the identity block');
    this.instants.add(this.startPs, timePs);
    if (!this.instants.complete) this.load(this.bench.nextStartPs(timePs));
  };

  private load(timePs: number): void {
    this.startPs = timePs;
    this.bench.host.load(timePs, this.address, CALL_BYTES, this.onData);
  }
}
