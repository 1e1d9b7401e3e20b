// SPDX-License-Identifier: Apache-2.0
// A tiny world for tests of the device: hosts with flat memory, a bus with one delay, a wire with a hook.
import { DmaStatus, type NicOutputs } from '#src/nic/device.js';
import {
  APERTURE_BYTES,
  C2H_MSGBUFF_MIN_BYTES,
  CALL_BYTES,
  H2C_MSGBUFF_BYTES,
  HeaderLayout,
  KernelCall,
  MacRegister,
  METADATA_BYTES,
  Region,
  Register,
  UserCall,
  UserOperation,
} from '#src/nic/regs.js';
import { createSimNic, type SimNic, type SimNicOptions } from '#src/nic/sim/device.js';

const REGION_BYTES = [H2C_MSGBUFF_BYTES, C2H_MSGBUFF_MIN_BYTES, METADATA_BYTES];
const USER_STRIDE = 0x400000;
const BUS_BASE = 0x100000000;
const REGION_AT = [0, 0x100000, 0x300000];
export const BUS_PS = 300_000;
export const WIRE_PS = 500_000;

export interface Result {
  flags: number;
  code: number;
  sequence: number;
  id: bigint;
  cookie: bigint;
  size: number;
  buffAddr: number;
  slot: number;
  peer: string;
  peerPort: number;
  ownPort: number;
  bytes: Uint8Array;
}

export interface CallFields {
  flags?: number;
  slot?: number;
  size?: number;
  buffAddr?: number;
  id?: bigint;
  cookie?: bigint;
  peer?: Uint8Array;
  peerPort?: number;
}

/** The bytes of a call. */
export function callBytes(fields: CallFields): Uint8Array {
  const bytes = new Uint8Array(CALL_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, fields.flags ?? 0, true);
  if (fields.peer) bytes.set(fields.peer, HeaderLayout.daddr.offset);
  view.setUint16(HeaderLayout.dport.offset, fields.peerPort ?? 0, true);
  view.setUint32(HeaderLayout.buffAddr.offset, fields.buffAddr ?? 0, true);
  view.setUint32(HeaderLayout.metadata.offset, (((fields.size ?? 0) << 12) | (fields.slot ?? 0)) >>> 0, true);
  view.setBigUint64(HeaderLayout.id.offset, fields.id ?? 0n, true);
  view.setBigUint64(HeaderLayout.cc.offset, fields.cookie ?? 0n, true);
  return bytes;
}

/** Bytes that differ from place to place and from seed to seed. */
export function pattern(length: number, seed = 1): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (Math.imul(i + 1, 2654435761) >>> 13) ^ (seed * 37) ^ i);
}

export function mapped(a: number, b: number, c: number, d: number): Uint8Array {
  return Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d);
}

export class Bench {
  nowPs = 0;
  readonly hosts: Host[] = [];
  /** Called for each frame that leaves a card; the default delivers it to every other host. */
  wire = (from: Host, frame: Uint8Array): void => {
    for (const host of this.hosts) if (host !== from) this.deliver(host, frame, WIRE_PS);
  };
  private pending: { timePs: number; order: number; run: () => void }[] = [];
  private order = 0;

  addHost(options: SimNicOptions = {}): Host {
    const host = new Host(this, options, this.hosts.length);
    this.hosts.push(host);
    return host;
  }

  deliver(host: Host, frame: Uint8Array, delayPs: number): void {
    const own = frame.slice(); // a card may write into what it is given
    this.later(delayPs, () => host.nic.frameIn(own));
  }

  later(delayPs: number, run: () => void): void {
    const timePs = this.nowPs + delayPs;
    let at = this.pending.length;
    while (at > 0 && this.pending[at - 1]!.timePs > timePs) at--;
    this.pending.splice(at, 0, { timePs, order: this.order++, run });
  }

  /** Runs everything up to an instant; with `until`, stops when it says so. Answers whether it did. */
  run(durationPs: number, until?: () => boolean): boolean {
    const end = this.nowPs + durationPs;
    for (;;) {
      if (until?.()) return true;
      let next = this.pending[0]?.timePs ?? Infinity;
      for (const host of this.hosts) next = Math.min(next, host.nic.nextEventPs());
      if (next > end) break;
      this.nowPs = Math.max(this.nowPs, next);
      for (const host of this.hosts)
        while (host.nic.nextEventPs() <= this.nowPs) host.nic.advance(this.nowPs);
      for (const host of this.hosts) host.nic.advance(this.nowPs);
      while (this.pending.length > 0 && this.pending[0]!.timePs <= this.nowPs) this.pending.shift()!.run();
    }
    this.nowPs = end;
    for (const host of this.hosts) host.nic.advance(end);
    return until?.() ?? false;
  }
}

/** One host: memory, card, and the few things a driver and a library do. */
export class Host implements NicOutputs {
  readonly nic: SimNic;
  readonly mac: Uint8Array;
  readonly ipv4: Uint8Array;
  readonly ipv6: Uint8Array;
  readonly memory = new Map<number, Uint8Array>();
  readonly violations: string[] = [];
  readonly mapped = new Set<string>();
  readonly reads = new Map<number, Uint8Array>();
  readonly frames: { timePs: number; frame: Uint8Array }[] = [];
  readonly writes: { timePs: number; address: number; length: number }[] = [];
  busStatus: DmaStatus = DmaStatus.ok;
  keepWrites = false;
  private readTag = 0;

  constructor(
    private readonly bench: Bench,
    options: SimNicOptions,
    readonly index: number,
  ) {
    this.nic = createSimNic(options, this);
    this.mac = Uint8Array.of(2, 0, 0, 0, 0, 0x0a + index);
    this.ipv4 = mapped(10, 0, 0, 10 + index);
    this.ipv6 = Uint8Array.of(0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0a + index);
    this.nic.advance(bench.nowPs);
  }

  /** Addresses, MAC on; `control` is MAC_CONTROL. */
  configure(control = 3): this {
    const word = (bytes: Uint8Array, at: number): number =>
      new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
    this.register(Register.macAddressLow, word(this.mac, 0));
    this.register(Register.macAddressHigh, this.mac[4]! | (this.mac[5]! << 8));
    this.register(Register.ipv4Address, word(this.ipv4, 12));
    for (let i = 0; i < 4; i++) this.register(Register.ipv6Address0 + 4 * i, word(this.ipv6, 4 * i));
    this.register(MacRegister.macControl, control);
    return this;
  }

  register(offset: number, value: number): void {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value, true);
    this.nic.mmioWrite(offset, bytes);
  }

  /** Reads a 32-bit word of the BAR. */
  read32(offset: number): number {
    const tag = this.readTag++;
    this.nic.mmioRead(tag, offset, 4);
    this.bench.run(1e9, () => this.reads.has(tag));
    return new DataView(this.reads.get(tag)!.buffer).getUint32(0, true);
  }

  readBytes(offset: number, length: number): Uint8Array {
    const tag = this.readTag++;
    this.nic.mmioRead(tag, offset, length);
    this.bench.run(1e9, () => this.reads.has(tag));
    return this.reads.get(tag)!;
  }

  kernelCall(offset: number, fill: (view: DataView) => void): number {
    const bytes = new Uint8Array(CALL_BYTES);
    fill(new DataView(bytes.buffer));
    for (let at = 0; at < CALL_BYTES; at += 8) this.nic.mmioWrite(offset + at, bytes.slice(at, at + 8));
    return this.read32(Register.kernelCallStatus) & 0xff;
  }

  userCall(user: number, operation: UserOperation): number {
    return this.kernelCall(KernelCall.user, (view) => {
      view.setUint16(0, user, true);
      view.setUint8(2, operation);
    });
  }

  map(user: number, region: number, valid = 1, length = REGION_BYTES[region]!): number {
    const address = BUS_BASE + user * USER_STRIDE + REGION_AT[region]!;
    if (valid === 1) this.mapped.add(`${String(user)}/${String(region)}`);
    return this.kernelCall(KernelCall.dmaMap, (view) => {
      view.setBigUint64(0, BigInt(address), true);
      view.setUint16(8, user, true);
      view.setUint8(10, region);
      view.setUint8(11, valid);
      view.setUint32(12, length, true);
    });
  }

  bind(user: number, port: number, valid = 1): number {
    return this.kernelCall(KernelCall.portMap, (view) => {
      view.setUint16(0, user, true);
      view.setUint16(2, port, true);
      view.setUint8(4, valid);
    });
  }

  /** Opens a user with all its maps. */
  open(user: number, port?: number): this {
    this.memory.set(user, new Uint8Array(USER_STRIDE));
    this.userCall(user, UserOperation.open);
    for (const region of [Region.h2cMsgbuff, Region.c2hMsgbuff, Region.c2hMetadata]) this.map(user, region);
    if (port !== undefined) this.bind(user, port);
    return this;
  }

  /** A static neighbour for both of another host's addresses. */
  knows(other: Host): this {
    for (const address of [other.ipv4, other.ipv6]) {
      this.kernelCall(KernelCall.neighbour, (view) => {
        address.forEach((byte, i) => view.setUint8(i, byte));
        other.mac.forEach((byte, i) => view.setUint8(16 + i, byte));
        view.setUint8(22, 1);
      });
    }
    return this;
  }

  /** Puts a message into h2c_msgbuff. */
  load(user: number, offset: number, message: Uint8Array): void {
    this.region(user, Region.h2cMsgbuff).set(message, offset);
  }

  /** Bytes of the c2h_msgbuff. */
  received(user: number, offset: number, length: number): Uint8Array {
    return this.region(user, Region.c2hMsgbuff).slice(offset, offset + length);
  }

  region(user: number, region: number): Uint8Array {
    const at = REGION_AT[region]!;
    return this.memory.get(user)!.subarray(at, at + REGION_BYTES[region]!);
  }

  /** Stores a call at once, as one 64-byte write. */
  call(user: number, kind: UserCall, fields: CallFields, set = 0): void {
    this.nic.mmioWrite(user * APERTURE_BYTES + set * 512 + kind, callBytes(fields));
  }

  result(user: number, slot: number): Result {
    const bytes = this.region(user, Region.c2hMetadata).slice(slot * CALL_BYTES, (slot + 1) * CALL_BYTES);
    const view = new DataView(bytes.buffer);
    const status = view.getUint32(0, true);
    const metadata = view.getUint32(HeaderLayout.metadata.offset, true);
    return {
      flags: status & 0xff,
      code: (status >>> 8) & 0xff,
      sequence: status >>> 16,
      id: view.getBigUint64(HeaderLayout.id.offset, true),
      cookie: view.getBigUint64(HeaderLayout.cc.offset, true),
      size: metadata >>> 12,
      slot: metadata & 0xfff,
      buffAddr: view.getUint32(HeaderLayout.buffAddr.offset, true),
      peer: Buffer.from(bytes.subarray(20, 36)).toString('hex'),
      peerPort: view.getUint16(HeaderLayout.dport.offset, true),
      ownPort: view.getUint16(HeaderLayout.sport.offset, true),
      bytes,
    };
  }

  /** Waits until the slot's result has all these flags. */
  wait(user: number, slot: number, flags: number, limitPs = 1e12): Result {
    this.bench.run(limitPs, () => (this.result(user, slot).flags & flags) === flags);
    return this.result(user, slot);
  }

  /** The application has read a result and will use the slot again. */
  clearSlot(user: number, slot: number): void {
    this.region(user, Region.c2hMetadata).fill(0, slot * CALL_BYTES, (slot + 1) * CALL_BYTES);
  }

  dmaRead(_timePs: number, tag: number, address: number, length: number): void {
    const at = this.place(address, length, [Region.h2cMsgbuff]);
    this.bench.later(2 * BUS_PS, () => {
      const bytes = at ? at.slice() : new Uint8Array(0);
      const status = at ? this.busStatus : DmaStatus.error;
      this.nic.dmaReadDone(tag, status, status === DmaStatus.ok ? bytes : new Uint8Array(0));
    });
  }

  dmaWrite(timePs: number, tag: number, address: number, bytes: Uint8Array): void {
    if (this.keepWrites) this.writes.push({ timePs, address, length: bytes.length });
    const at = this.place(address, bytes.length, [Region.c2hMsgbuff, Region.c2hMetadata]);
    const copy = bytes.slice();
    this.bench.later(BUS_PS, () => {
      at?.set(copy);
      this.nic.dmaWriteDone(tag, at ? this.busStatus : DmaStatus.error);
    });
  }

  frameOut(timePs: number, frame: Uint8Array): void {
    this.frames.push({ timePs, frame: frame.slice() });
    this.bench.wire(this, frame);
  }

  mmioReadDone(_timePs: number, tag: number, bytes: Uint8Array): void {
    this.reads.set(tag, bytes.slice());
  }

  /** The memory behind a bus address; anything outside a map is written down as a violation. */
  private place(address: number, length: number, allowed: number[]): Uint8Array | undefined {
    const user = Math.floor((address - BUS_BASE) / USER_STRIDE);
    const within = (address - BUS_BASE) % USER_STRIDE;
    const memory = this.memory.get(user);
    const region = within >= REGION_AT[2]! ? 2 : within >= REGION_AT[1]! ? 1 : 0;
    const fits =
      memory !== undefined &&
      length >= 1 &&
      length <= 4096 &&
      Math.floor(address / 4096) === Math.floor((address + length - 1) / 4096) &&
      allowed.includes(region) &&
      this.mapped.has(`${String(user)}/${String(region)}`) &&
      within + length <= REGION_AT[region]! + REGION_BYTES[region]!;
    if (!fits) {
      this.violations.push(`${address.toString(16)}+${String(length)}`);
      return undefined;
    }
    return memory.subarray(within, within + length);
  }
}
