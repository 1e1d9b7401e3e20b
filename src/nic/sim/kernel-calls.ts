// SPDX-License-Identifier: Apache-2.0
/**
 * The kernel's calls: DMA maps, configuration, ports, users, neighbours. They are done as soon as their last word
 * arrives, in order, so a read of KERNEL_CALL_STATUS that follows sees them.
 */
import {
  C2H_MSGBUFF_MAX_BYTES,
  C2H_MSGBUFF_MIN_BYTES,
  CALL_BYTES,
  Code,
  ConfigCallLayout,
  Counter,
  DMA_ADDRESS_BITS,
  DmaMapCallLayout,
  H2C_MSGBUFF_BYTES,
  KernelCall,
  METADATA_BYTES,
  NeighbourCallLayout,
  PortMapCallLayout,
  Region,
  Register,
  UserCallLayout,
  UserOperation,
  UserState,
} from '../regs.js';
import { Cells } from './cells.js';
import type { Counters } from './counters.js';
import type { Dma } from './dma.js';
import { getLe16, getLe32 } from './little-endian.js';
import type { Ports } from './ports.js';
import type { Registers } from './registers.js';
import type { Users } from './users.js';

const CALLS = KernelCall.neighbour / CALL_BYTES + 1;
const WORD = 8;
const PAGE = 4096;

/** What other parts of the card do when the kernel opens, closes or remaps a user. */
export interface UserLifecycle {
  opened(user: number): void;
  /** Ends everything the user has under way; waiting calls get `code`. */
  abort(user: number, code: Code): void;
  closed(user: number): void;
  /** The user's c2h_msgbuff map changed: length 0 when removed. */
  receiveMapChanged(user: number, lengthBytes: number): void;
}

/** Static neighbours: adds, replaces or removes; false when the table is full. */
export interface NeighbourSetter {
  setStatic(address: Uint8Array, mac: Uint8Array, valid: boolean): boolean;
}

export class KernelCalls {
  private readonly cells = new Cells(CALLS);
  private taken = 0;

  constructor(
    private readonly users: Users,
    private readonly ports: Ports,
    private readonly dma: Dma,
    private readonly registers: Registers,
    private readonly counters: Counters,
    private readonly lifecycle: UserLifecycle,
    private readonly neighbours: NeighbourSetter,
  ) {}

  reset(): void {
    this.cells.clear(0, CALLS);
    this.taken = 0;
  }

  /** A store below the registers. */
  write(address: number, bytes: Uint8Array): void {
    const length = bytes.length;
    if (length === 0 || (address | length) % WORD !== 0 || address + length > CALLS * CALL_BYTES) {
      this.counters.add(Counter.callsMisaligned);
      return;
    }
    for (let at = 0; at < length; at += WORD) {
      const cell = Math.floor((address + at) / CALL_BYTES);
      const word = ((address + at) % CALL_BYTES) / WORD;
      if (this.cells.has(cell, word)) {
        this.counters.add(Counter.callsTorn);
        this.cells.discard(cell);
      }
      if (this.cells.store(cell, word, bytes, at)) this.take(cell * CALL_BYTES);
    }
  }

  private take(call: number): void {
    const code = this.run(call, this.cells.bytes, call);
    this.counters.add(Counter.kernelCalls);
    if (code !== Code.ok) this.counters.add(Counter.kernelCallsFailed);
    this.taken = (this.taken + 1) & 0xffff;
    this.registers.set(Register.kernelCallStatus, ((this.taken << 16) | code) >>> 0);
  }

  private run(call: number, bytes: Uint8Array, at: number): Code {
    switch (call) {
      case KernelCall.dmaMap:
        return this.dmaMap(bytes, at);
      case KernelCall.config:
        return this.config(bytes, at);
      case KernelCall.portMap:
        return this.portMap(bytes, at);
      case KernelCall.user:
        return this.userCall(bytes, at);
      default:
        return this.neighbour(bytes, at);
    }
  }

  /** Setting or removing the map of a user who has work under way ends that work first. */
  private dmaMap(bytes: Uint8Array, at: number): Code {
    const user = getLe16(bytes, at + DmaMapCallLayout.user.offset);
    const region = bytes[at + DmaMapCallLayout.region.offset]!;
    const valid = bytes[at + DmaMapCallLayout.valid.offset]!;
    if (!this.users.isUser(user)) return Code.badUser;
    if (region > Region.c2hMetadata) return Code.badRegion;
    if (valid > 1) return Code.badOperation;
    const length = valid === 1 ? getLe32(bytes, at + DmaMapCallLayout.length.offset) : 0;
    const low = getLe32(bytes, at + DmaMapCallLayout.address.offset);
    const high = getLe32(bytes, at + DmaMapCallLayout.address.offset + 4);
    const address = high * 0x100000000 + low;
    if (valid === 1) {
      if (!lengthFits(region, length)) return Code.badLength;
      if (low % PAGE !== 0 || address + length > 2 ** DMA_ADDRESS_BITS) return Code.badAddress;
    }
    if (this.users.mapBytes(user, region) !== 0) this.lifecycle.abort(user, Code.noMap);
    this.users.setMap(user, region, address, length);
    if (region === Region.c2hMsgbuff) this.lifecycle.receiveMapChanged(user, length);
    return Code.ok;
  }

  private config(bytes: Uint8Array, at: number): Code {
    const write = bytes[at + ConfigCallLayout.log2DmaWrite.offset]!;
    const read = bytes[at + ConfigCallLayout.log2DmaRead.offset]!;
    if (write < 6 || write > 12 || read < 6 || read > 12) return Code.badOperation;
    this.dma.configure(write, read);
    return Code.ok;
  }

  private portMap(bytes: Uint8Array, at: number): Code {
    const user = getLe16(bytes, at + PortMapCallLayout.user.offset);
    const port = getLe16(bytes, at + PortMapCallLayout.port.offset);
    const valid = bytes[at + PortMapCallLayout.valid.offset]!;
    if (!this.users.isUser(user)) return Code.badUser;
    if (valid > 1) return Code.badOperation;
    if (!this.users.isOpen(user)) return Code.userNotOpen;
    return valid === 1 ? this.ports.bind(user, port) : this.ports.unbind(user, port);
  }

  private userCall(bytes: Uint8Array, at: number): Code {
    const user = getLe16(bytes, at + UserCallLayout.user.offset);
    const operation = bytes[at + UserCallLayout.operation.offset]!;
    if (!this.users.isUser(user)) return Code.badUser;
    const state = this.users.state(user);
    switch (operation) {
      case UserOperation.open:
        if (state !== UserState.closed) return Code.userOpen;
        this.users.open(user);
        this.ports.openUser(user);
        this.lifecycle.opened(user);
        return Code.ok;
      case UserOperation.quiesce:
        if (state === UserState.closed) return Code.userNotOpen;
        if (state === UserState.open) {
          this.lifecycle.abort(user, Code.closed);
          this.users.setState(user, UserState.quiescing);
          this.users.settle(user);
        }
        return Code.ok;
      case UserOperation.close:
        if (state === UserState.closed) return Code.userNotOpen;
        if (state !== UserState.quiesced) return Code.notQuiesced;
        this.ports.closeUser(user);
        this.users.close(user);
        this.lifecycle.closed(user);
        return Code.ok;
      default:
        return Code.badOperation;
    }
  }

  private neighbour(bytes: Uint8Array, at: number): Code {
    const { address, mac, valid } = NeighbourCallLayout;
    if (bytes[at + valid.offset]! > 1) return Code.badOperation;
    const part = (field: { offset: number; bytes: number }): Uint8Array =>
      bytes.subarray(at + field.offset, at + field.offset + field.bytes);
    const set = this.neighbours.setStatic(part(address), part(mac), bytes[at + valid.offset] === 1);
    return set ? Code.ok : Code.neighboursFull;
  }
}

function lengthFits(region: number, length: number): boolean {
  if (region === Region.h2cMsgbuff) return length >= 1 && length <= H2C_MSGBUFF_BYTES;
  if (region === Region.c2hMsgbuff) return length >= C2H_MSGBUFF_MIN_BYTES && length <= C2H_MSGBUFF_MAX_BYTES;
  return length === METADATA_BYTES;
}
