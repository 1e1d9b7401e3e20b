// SPDX-License-Identifier: Apache-2.0
/**
 * The users' apertures: stores become calls in the FIFO.
 *
 * Whole aligned 8-byte words are taken, alone or in bursts; anything else is counted as misaligned. Cell n of an
 * aperture is call offset 64 n (eight sets of eight); the inline payload cells follow at INLINE_OFFSET. The bus is never
 * stalled: when the FIFO is full the call is answered `busy` at once.
 */
import {
  APERTURE_BYTES,
  CALL_BYTES,
  CALL_SET_BYTES,
  CALL_SETS,
  CallFlag,
  Code,
  Counter,
  HeaderLayout,
  INLINE_OFFSET,
  MAX_USERS,
  UserCall,
} from '../regs.js';
import type { Agenda } from './agenda.js';
import type { CallQueue } from './call-queue.js';
import { CardEvent } from './card-event.js';
import { Cells } from './cells.js';
import type { Counters } from './counters.js';
import { CYCLE_PS, type CycleTable } from './cycle-table.js';
import { getLe32 } from './little-endian.js';
import type { Results } from './results.js';
import type { Users } from './users.js';

const CALL_CELLS = (CALL_SETS * CALL_SET_BYTES) / CALL_BYTES;
const CELLS_PER_USER = 2 * CALL_CELLS;
const CALLS_END = CALL_SETS * CALL_SET_BYTES;
const WORD = 8;
const SLOT_MASK = 0xfff;

export class Aperture {
  private readonly cells = new Cells((MAX_USERS + 1) * CELLS_PER_USER);
  private nextTakePs = 0;
  private readonly takeUpPs: number;
  private readonly intervalPs: number;

  constructor(
    private readonly users: Users,
    private readonly queue: CallQueue,
    private readonly results: Results,
    private readonly agenda: Agenda,
    private readonly counters: Counters,
    table: CycleTable,
  ) {
    this.takeUpPs = (table.callTakeUp + table.callDecode) * CYCLE_PS;
    this.intervalPs = table.callInterval * CYCLE_PS;
  }

  reset(): void {
    for (let user = 1; user <= MAX_USERS; user++) this.clearUser(user);
    this.nextTakePs = 0;
  }

  /** The card's clock was moved back. */
  rebase(byPs: number): void {
    this.nextTakePs -= byPs;
  }

  /** Open and close clear a user's cells. */
  clearUser(user: number): void {
    this.cells.clear(user * CELLS_PER_USER, CELLS_PER_USER);
  }

  /** A store into the aperture of a user: `address` is a BAR offset inside the user apertures. */
  write(address: number, bytes: Uint8Array): void {
    const user = (address / APERTURE_BYTES) | 0;
    if (!this.users.isOpen(user)) {
      this.counters.add(Counter.callsClosed);
      return;
    }
    const offset = address % APERTURE_BYTES;
    const length = bytes.length;
    if (length === 0 || (offset | length) % WORD !== 0 || offset + length > INLINE_OFFSET + CALLS_END) {
      this.counters.add(Counter.callsMisaligned);
      return;
    }
    if (length === CALL_BYTES && offset % CALL_BYTES === 0) {
      if (offset < CALLS_END) this.wholeCall(user, offset, bytes);
      else this.cells.storeWhole(user * CELLS_PER_USER + offset / CALL_BYTES, bytes);
      return;
    }
    for (let at = 0; at < length; at += WORD) this.word(user, offset + at, bytes, at);
  }

  /** A whole call in one store: it needs no cell. */
  private wholeCall(user: number, offset: number, bytes: Uint8Array): void {
    const cell = user * CELLS_PER_USER + offset / CALL_BYTES;
    if (this.cells.isPartial(cell)) {
      this.counters.add(Counter.callsTorn);
      this.cells.discard(cell);
    }
    this.complete(user, offset, bytes, 0);
  }

  private word(user: number, offset: number, bytes: Uint8Array, at: number): void {
    const inUser = Math.floor(offset / CALL_BYTES);
    const cell = user * CELLS_PER_USER + inUser;
    const word = (offset % CALL_BYTES) / WORD;
    if (offset >= CALLS_END) {
      // Inline payload: the latest word counts, the call says when it is taken.
      if (this.cells.store(cell, word, bytes, at)) this.cells.discard(cell);
      return;
    }
    if (this.cells.has(cell, word)) {
      this.counters.add(Counter.callsTorn);
      this.cells.discard(cell);
    }
    if (this.cells.store(cell, word, bytes, at)) {
      this.complete(user, inUser * CALL_BYTES, this.cells.bytes, cell * CALL_BYTES);
    }
  }

  /** A call has all its words. */
  private complete(user: number, offset: number, call: Uint8Array, at: number): void {
    const kind = offset % CALL_SET_BYTES;
    if (this.queue.isFull) {
      const slot = getLe32(call, at + HeaderLayout.metadata.offset) & SLOT_MASK;
      this.results.refuse(user, slot, Code.busy, call, at);
      return;
    }
    const withInline = kind === UserCall.sendmsg && (call[at]! & CallFlag.inline) !== 0;
    const inlineAt = withInline ? (user * CELLS_PER_USER + CALL_CELLS) * CALL_BYTES + offset : -1;
    this.queue.push(user, kind, this.users.epoch(user), call, at, this.cells.words, inlineAt);
    const due = Math.max(this.agenda.nowPs + this.takeUpPs, this.nextTakePs);
    this.nextTakePs = due + this.intervalPs;
    this.agenda.schedule(due, CardEvent.takeCall);
  }
}
