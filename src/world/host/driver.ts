// SPDX-License-Identifier: Apache-2.0
// What a driver does with a card, as routines of simulated time: each `yield` is one access over the bus.
import {
  ALL_ONES,
  BAR0_BYTES,
  COUNTERS,
  CodeText,
  CounterNames,
  DmaMapCallLayout,
  INTERFACE_VERSION,
  KernelCall,
  MAGIC,
  MacRegister,
  NeighbourCallLayout,
  PortMapCallLayout,
  Region,
  Register,
  RegisterTable,
  USER_STATES,
  USER_STATE_BYTES,
  UserCallLayout,
  UserOperation,
  UserState,
  UserStateField,
  type CounterName,
} from '../../nic/regs.js';
import type { HostBuffer } from '../host-buffer.js';

/** One access of a routine: a posted write, a read whose bytes come back, or time that passes. */
export type Access =
  | { kind: 'write'; address: number; bytes: Uint8Array }
  | { kind: 'read'; address: number; lengthBytes: number }
  | { kind: 'wait'; timePs: number };

/** A routine over the bus: yields accesses, is resumed with the bytes of its reads, returns T. */
export type Routine<T> = Generator<Access, T, Uint8Array>;

/** What a card refused or is not. */
export class DriverError extends Error {
  override readonly name = 'DriverError';
}

/** How a host wants its card. Register values by name of `Register` or `MacRegister`. */
export interface CardSettings {
  mac: Uint8Array;
  ipv4?: Uint8Array;
  ipv6?: Uint8Array;
  loopback?: boolean;
  registers?: Readonly<Record<string, number>>;
}

const REGISTERS: Readonly<Record<string, number>> = { ...Register, ...MacRegister };
const IDLE_TRIES = 100;
const IDLE_WAIT_PS = 1_000_000;
const QUIESCE_TRIES = 1000;
const QUIESCE_WAIT_PS = 100_000_000;

function word(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

/** Reads a 32-bit register. */
export function* readRegister(address: number): Routine<number> {
  const bytes = yield { kind: 'read', address, lengthBytes: 4 };
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
}

/** Writes a 32-bit register. */
export function* writeRegister(address: number, value: number): Routine<void> {
  yield { kind: 'write', address, bytes: word(value) };
}

/** Makes a kernel call and checks its code; DriverError says what the card refused. */
export function* kernelCall(call: number, bytes: Uint8Array, what: string): Routine<void> {
  yield { kind: 'write', address: call, bytes };
  const status = yield* readRegister(Register.kernelCallStatus);
  const code = status & 0xff;
  if (code !== 0) throw new DriverError(`${what}: ${CodeText[code] ?? `code ${code}`}`);
}

/**
 * Probe: is it there, is it ours, is its interface ours; then core reset, idle, addresses, registers, MAC on.
 * DriverError with the cause otherwise.
 */
export function* probe(settings: CardSettings): Routine<void> {
  const identity = yield { kind: 'read', address: Register.magic, lengthBytes: 64 };
  const view = new DataView(identity.buffer, identity.byteOffset);
  const magic = view.getUint32(0, true);
  if (magic === ALL_ONES) throw new DriverError('the card is absent or its PCIe link is down');
  if (magic !== MAGIC) throw new DriverError(`not a homa-nic card: magic 0x${magic.toString(16)}`);
  const version = view.getUint32(4, true);
  if (version >>> 16 !== INTERFACE_VERSION >>> 16) {
    const old = version < INTERFACE_VERSION ? 'the card' : 'this driver';
    const dotted = (v: number): string => `${v >>> 16}.${v & 0xffff}`;
    throw new DriverError(
      `the card has interface ${dotted(version)}, this driver ${dotted(INTERFACE_VERSION)}: ${old} is old`,
    );
  }
  yield* writeRegister(Register.control, 1);
  yield* waitForIdle();
  yield* configure(settings);
}

/** Waits until no DMA and no call is under way. */
export function* waitForIdle(): Routine<void> {
  for (let i = 0; i < IDLE_TRIES; i++) {
    const status = yield* readRegister(Register.status);
    if ((status & 1) === 1 && (status & 4) === 0) return;
    yield { kind: 'wait', timePs: IDLE_WAIT_PS };
  }
  throw new DriverError('the card did not become idle');
}

function* configure(settings: CardSettings): Routine<void> {
  const { mac } = settings;
  const low = new DataView(mac.buffer, mac.byteOffset).getUint32(0, true);
  yield* writeRegister(Register.macAddressLow, low);
  yield* writeRegister(Register.macAddressHigh, mac[4]! | (mac[5]! << 8));
  if (settings.ipv4 !== undefined) {
    const bytes = settings.ipv4;
    yield* writeRegister(
      Register.ipv4Address,
      new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true),
    );
  }
  if (settings.ipv6 !== undefined) {
    const view = new DataView(settings.ipv6.buffer, settings.ipv6.byteOffset);
    for (let i = 0; i < 4; i++)
      yield* writeRegister(Register.ipv6Address0 + 4 * i, view.getUint32(4 * i, true));
  }
  for (const [name, value] of Object.entries(settings.registers ?? {})) {
    const address = REGISTERS[name];
    const info = RegisterTable.find((r) => r.name === name);
    if (address === undefined || info === undefined) throw new DriverError(`no register '${name}'`);
    if (info.access !== 'rw') throw new DriverError(`register ${name} is read-only`);
    if (value < info.min || value > info.max) {
      throw new DriverError(`register ${name} takes ${info.min} to ${info.max}, not ${value}`);
    }
    yield* writeRegister(address, value);
  }
  yield* writeRegister(MacRegister.macControl, settings.loopback === true ? 7 : 3);
}

/** Adds a static neighbour: `address` has 16 bytes. */
export function* addNeighbour(address: Uint8Array, mac: Uint8Array): Routine<void> {
  const call = new Uint8Array(64);
  call.set(address, NeighbourCallLayout.address.offset);
  call.set(mac, NeighbourCallLayout.mac.offset);
  call[NeighbourCallLayout.valid.offset] = 1;
  yield* kernelCall(KernelCall.neighbour, call, 'neighbour');
}

/** The three DMA regions of a user. */
export interface UserBuffers {
  h2c: HostBuffer;
  c2h: HostBuffer;
  results: HostBuffer;
}

function* userOperation(user: number, operation: number, what: string): Routine<void> {
  const call = new Uint8Array(64);
  new DataView(call.buffer).setUint16(UserCallLayout.user.offset, user, true);
  call[UserCallLayout.operation.offset] = operation;
  yield* kernelCall(KernelCall.user, call, `${what} user ${user}`);
}

/** Opens a user: the open call, then its three DMA maps. */
export function* openUser(user: number, buffers: UserBuffers): Routine<void> {
  yield* userOperation(user, UserOperation.open, 'open');
  const maps: [number, HostBuffer][] = [
    [Region.h2cMsgbuff, buffers.h2c],
    [Region.c2hMsgbuff, buffers.c2h],
    [Region.c2hMetadata, buffers.results],
  ];
  for (const [region, buffer] of maps) {
    const call = new Uint8Array(64);
    const view = new DataView(call.buffer);
    view.setBigUint64(DmaMapCallLayout.address.offset, BigInt(buffer.address), true);
    view.setUint16(DmaMapCallLayout.user.offset, user, true);
    call[DmaMapCallLayout.region.offset] = region;
    call[DmaMapCallLayout.valid.offset] = 1;
    view.setUint32(DmaMapCallLayout.length.offset, buffer.lengthBytes, true);
    yield* kernelCall(KernelCall.dmaMap, call, `DMA map of user ${user}, region ${region}`);
  }
}

/** Quiesces and closes a user; DriverError when the card still has DMA after 100 ms: the memory must then be kept. */
export function* closeUser(user: number): Routine<void> {
  yield* userOperation(user, UserOperation.quiesce, 'quiesce');
  const address = USER_STATES + user * USER_STATE_BYTES + UserStateField.state;
  for (let i = 0; ; i++) {
    const state = yield* readRegister(address);
    if (state === UserState.quiesced) break;
    if (i === QUIESCE_TRIES) throw new DriverError(`user ${user} did not quiesce within 100 ms`);
    yield { kind: 'wait', timePs: QUIESCE_WAIT_PS };
  }
  yield* userOperation(user, UserOperation.close, 'close');
}

/** Binds a server port to a user. */
export function* bindPort(user: number, port: number): Routine<void> {
  const call = new Uint8Array(64);
  const view = new DataView(call.buffer);
  view.setUint16(PortMapCallLayout.user.offset, user, true);
  view.setUint16(PortMapCallLayout.port.offset, port, true);
  call[PortMapCallLayout.valid.offset] = 1;
  yield* kernelCall(KernelCall.portMap, call, `port ${port} of user ${user}`);
}

/** All counters by name. */
export function* readCounters(): Routine<Record<CounterName, number>> {
  const counters = {} as Record<CounterName, number>;
  for (let i = 0; i < CounterNames.length; i++) {
    const bytes = yield { kind: 'read', address: COUNTERS + 8 * i, lengthBytes: 8 };
    counters[CounterNames[i]!] = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  }
  return counters;
}

/** A user's state, calls without a final result, DMA without an answer, client port. */
export function* readUserState(
  user: number,
): Routine<{ state: number; outstanding: number; dmaInFlight: number; clientPort: number }> {
  const address = USER_STATES + user * USER_STATE_BYTES;
  const state = yield* readRegister(address + UserStateField.state);
  const outstanding = yield* readRegister(address + UserStateField.outstanding);
  const dmaInFlight = yield* readRegister(address + UserStateField.dmaInFlight);
  const clientPort = yield* readRegister(address + UserStateField.clientPort);
  return { state, outstanding, dmaInFlight, clientPort };
}

/** Size of the BAR a card decodes. */
export const BAR_BYTES = BAR0_BYTES;
