// SPDX-License-Identifier: Apache-2.0
// A world of one host with its card in MAC loopback and one open user: what the single-card tests run on.
import type { NicDeviceFactory } from '../../../nic/device.js';
import type { Random } from '../../../random/random.js';
import { addNeighbour, bindPort } from '../../../world/host/driver.js';
import type { Host } from '../../../world/host/host.js';
import type { HostUser } from '../../../world/host/host-user.js';
import { drawTurnaroundPs } from '../../../world/pcie/jitter.js';
import { pcieProfile, type PcieProfile } from '../../../world/pcie/profile.js';
import { World } from '../../../world/world.js';

/** The user that measures, its server port, and who it is on the wire. */
export const BENCH_USER = 1;
export const BENCH_PORT = 4000;
const MAC = Uint8Array.of(2, 0x48, 0x4f, 0x4d, 0x41, 1);
/** fd77::1 */
export const BENCH_ADDRESS = Uint8Array.of(0xfd, 0x77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);

/** A ready host: probed, one user open, its port bound, its own MAC address known. */
export class BenchHost {
  readonly world: World;
  readonly host: Host;
  readonly user: HostUser;
  readonly profile: PcieProfile;
  private readonly turnaround: Random;

  constructor(profileName: string, seed: number, factory: NicDeviceFactory, jitter = true) {
    this.profile = pcieProfile(profileName);
    this.world = new World({ seed, profile: this.profile, jitter });
    this.host = this.world.addHost('a', { mac: MAC, ipv6: BENCH_ADDRESS, loopback: true }, factory);
    this.world.complete(this.host, this.host.probe());
    this.world.complete(this.host, addNeighbour(BENCH_ADDRESS, MAC));
    this.user = this.world.complete(this.host, this.host.openUser(BENCH_USER));
    this.world.complete(this.host, bindPort(BENCH_USER, BENCH_PORT));
    this.turnaround = this.world.random.stream('turnaround');
  }

  /** When a program that saw its result at `timePs` begins its next iteration. */
  nextStartPs(timePs: number): number {
    return timePs + drawTurnaroundPs(this.profile, this.turnaround);
  }
}
