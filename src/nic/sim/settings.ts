// SPDX-License-Identifier: Apache-2.0
/** The protocol's parameters, read from the registers once after each change instead of for every packet. */
import { Register } from '../regs.js';
import { MAPPED_WORD } from './protocol/address.js';
import { maxScheduledPriority } from './protocol/cutoffs.js';
import type { GrantSettings } from './protocol/grant-settings.js';
import { fifoIntervalPs } from './protocol/grant-settings.js';
import { Station } from './protocol/station.js';
import type { Registers } from './registers.js';

const MICROSECOND_PS = 1e6;

/** Turns a register that holds four bytes in bus order into a word in network order. */
function swap(value: number): number {
  return ((value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}

export class Settings {
  readonly station = new Station();
  /** Own addresses as peers see them; the IPv4 one in mapped form. */
  readonly ipv4 = new Uint32Array(4);
  readonly ipv6 = new Uint32Array(4);
  hasIpv4 = false;
  hasIpv6 = false;
  mtu = 1500;
  unscheduledBytes = 0;
  numPriorities = 8;
  /** Upper three bits of the traffic class for each level, four bits a level. */
  private priorityMap = 0;
  readonly cutoffs = new Uint32Array(8);
  cutoffVersion = 0;
  pacerFifoFraction = 0;
  tickPs = 0;
  resendTicks = 0;
  resendInterval = 0;
  timeoutTicks = 0;
  requestAckTicks = 0;
  needAckLimit = 0;
  neighbourTicks = 0;
  readonly grants: GrantSettings = {
    maxIncoming: 0,
    maxOvercommit: 1,
    window: 0,
    maxScheduledPriority: 0,
    fifoPriority: 0,
    fifoIncrement: 0,
    fifoInterval: Infinity,
  };

  /** Takes the registers' present values in. */
  load(registers: Registers): void {
    const get = (offset: number): number => registers.get(offset);
    this.loadAddresses(registers);
    this.mtu = get(Register.mtu);
    this.unscheduledBytes = get(Register.unscheduledBytes);
    this.numPriorities = get(Register.numPriorities);
    this.priorityMap = get(Register.priorityMap) | 0;
    for (let i = 0; i < 8; i++) this.cutoffs[i] = get(Register.cutoff0 + 4 * i);
    this.cutoffVersion = get(Register.cutoffVersion);
    this.pacerFifoFraction = get(Register.pacerFifoFraction);
    this.tickPs = get(Register.tick) * MICROSECOND_PS;
    this.resendTicks = get(Register.resendTicks);
    this.resendInterval = get(Register.resendInterval);
    this.timeoutTicks = get(Register.timeoutTicks);
    this.requestAckTicks = get(Register.requestAckTicks);
    this.needAckLimit = get(Register.needAckLimit);
    this.neighbourTicks = get(Register.neighbourTicks);
    const { grants } = this;
    grants.maxIncoming = get(Register.maxIncoming);
    grants.maxOvercommit = get(Register.maxOvercommit);
    grants.window = get(Register.grantWindow);
    grants.maxScheduledPriority = maxScheduledPriority(this.cutoffs);
    grants.fifoPriority = this.secondPriority;
    grants.fifoIncrement = get(Register.fifoGrantIncrement);
    grants.fifoInterval = fifoIntervalPs(
      grants.fifoIncrement,
      get(Register.linkMbps),
      get(Register.grantFifoFraction),
    );
  }

  /** Traffic class of packets at a level. */
  trafficClass(level: number): number {
    return ((this.priorityMap >>> (4 * level)) & 7) << 5;
  }

  /** Highest level, at which control packets travel (docs/protocol.md#priority-byte). */
  get controlPriority(): number {
    return this.numPriorities - 1;
  }

  /** One level below: for grants to the oldest message, and for what is asked for because room has come. */
  get secondPriority(): number {
    return Math.max(0, this.numPriorities - 2);
  }

  /** Whether we have an address of the peer's family. */
  canReach(ipv4: boolean): boolean {
    return ipv4 ? this.hasIpv4 : this.hasIpv6;
  }

  private loadAddresses(registers: Registers): void {
    const low = registers.get(Register.macAddressLow);
    const high = registers.get(Register.macAddressHigh);
    const { station, ipv4, ipv6 } = this;
    station.macHi = ((low & 0xff) << 8) | ((low >>> 8) & 0xff);
    station.macLo =
      (((low >>> 16) & 0xff) * 0x1000000 +
        ((low >>> 24) << 16) +
        ((high & 0xff) << 8) +
        ((high >>> 8) & 0xff)) >>>
      0;
    station.ipv4 = swap(registers.get(Register.ipv4Address));
    ipv4[2] = MAPPED_WORD;
    ipv4[3] = station.ipv4;
    for (let i = 0; i < 4; i++) ipv6[i] = swap(registers.get(Register.ipv6Address0 + 4 * i));
    this.hasIpv4 = station.ipv4 !== 0;
    this.hasIpv6 = ipv6.some((word) => word !== 0);
    station.ipv6 = this.hasIpv6 ? ipv6 : new Uint32Array(0);
  }
}
