// SPDX-License-Identifier: Apache-2.0
/**
 * Result slots. A slot belongs to the application until a call names it, and again after the result that says `final`.
 *
 * Each result is one aligned 64-byte write of the slot's header; flags are ORed in and never cleared while the call
 * lasts. Results leave in the order they are posted, after every payload write issued before them.
 */
import { CALL_BYTES, Code, Counter, HeaderLayout, MAX_USERS, Region, ResultFlag, SLOTS } from '../regs.js';
import type { Agenda } from './agenda.js';
import { CardEvent } from './card-event.js';
import type { Counters } from './counters.js';
import { CYCLE_PS, type CycleTable } from './cycle-table.js';
import type { Dma } from './dma.js';
import type { Users } from './users.js';

/** Bytes of a bad call that the error slot repeats behind the status word. */
const ERROR_CALL_BYTES = 24;
const CALL_WORDS = CALL_BYTES / 4;
/** Places in a header, in 32-bit words. */
const OWN_ADDRESS_WORD = HeaderLayout.saddr.offset / 4;
const PEER_ADDRESS_WORD = HeaderLayout.daddr.offset / 4;
const PORTS_WORD = HeaderLayout.sport.offset / 4;
const ID_WORD = HeaderLayout.id.offset / 4;
const METADATA_WORD = HeaderLayout.metadata.offset / 4;
/** the size lies above the slot */
const SIZE_SHIFT = 12;
const BUFFER_WORD = HeaderLayout.buffAddr.offset / 4;
const COOKIE_WORD = HeaderLayout.cc.offset / 4;

/** In word 0 of a header: flags as in a status word, and whether the slot is a call's. */
const FLAGS = 0xff;
const IN_USE = 0x100;

/** A composed result that waits for its cycles, in words: whose it is, its slot, the user's epoch; then its 64 bytes. */
const USER = 0;
const SLOT = 1;
const EPOCH = 2;
const RESULT = 4;
const ENTRY_WORDS = RESULT + CALL_WORDS;
/** A power of two. */
const START_ENTRIES = 4;

/** A result on its way to the bus. Shared by all cards of the process: in use within one call only. */
const leaving = new Int32Array(CALL_WORDS);
const leavingBytes = new Uint8Array(leaving.buffer);

export class Results {
  /**
   * Headers of all slots. Word 0, where a result has its status, holds the flags of the call's results so far, and
   * IN_USE from the call that takes the slot to its final result.
   */
  private readonly headerWords = new Int32Array((MAX_USERS + 1) * SLOTS * CALL_WORDS);

  /** Composed results in the order they were posted. */
  private ring = new Int32Array(START_ENTRIES * ENTRY_WORDS);
  private entries = START_ENTRIES;
  private head = 0;
  private count = 0;
  private readonly delayPs: number;

  constructor(
    private readonly users: Users,
    private readonly dma: Dma,
    private readonly agenda: Agenda,
    private readonly counters: Counters,
    table: CycleTable,
  ) {
    this.delayPs = table.resultWrite * CYCLE_PS;
  }

  reset(): void {
    this.headerWords.fill(0);
    this.head = 0;
    this.count = 0;
  }

  /** Results composed and not yet written. */
  get pending(): number {
    return this.count;
  }

  /** A new owner: all slots are free. */
  openUser(user: number): void {
    this.headerWords.fill(0, user * SLOTS * CALL_WORDS, (user + 1) * SLOTS * CALL_WORDS);
  }

  isInUse(user: number, slot: number): boolean {
    return (this.headerWords[(user * SLOTS + slot) * CALL_WORDS]! & IN_USE) !== 0;
  }

  /** A call takes its slot: its 64 bytes, words of `call` from `at`, become the slot's header. */
  begin(user: number, slot: number, call: Int32Array, at: number): void {
    const to = (user * SLOTS + slot) * CALL_WORDS;
    this.headerWords[to] = IN_USE;
    for (let i = 1; i < CALL_WORDS; i++) this.headerWords[to + i] = call[at + i]!;
    this.users.countCall(user, 1);
  }

  /** Buffer of the recvmsg in a slot: what its header says until the call has its result. */
  bufferOffset(user: number, slot: number): number {
    return this.headerWords[(user * SLOTS + slot) * CALL_WORDS + BUFFER_WORD]!;
  }
  bufferSize(user: number, slot: number): number {
    return this.headerWords[(user * SLOTS + slot) * CALL_WORDS + METADATA_WORD]! >>> SIZE_SHIFT;
  }

  /** Sets a 32-bit field of a slot's header. */
  set32(user: number, slot: number, offset: number, value: number): void {
    this.headerWords[(user * SLOTS + slot) * CALL_WORDS + (offset >> 2)] = value;
  }

  /** Sets our own address, the peer's (four words at `at`) and both ports. */
  setPeer(
    user: number,
    slot: number,
    own: Uint32Array,
    addresses: Uint32Array,
    at: number,
    peerPort: number,
    ownPort: number,
  ): void {
    const words = this.headerWords;
    const header = (user * SLOTS + slot) * CALL_WORDS;
    putAddress(words, header + OWN_ADDRESS_WORD, own, 0);
    putAddress(words, header + PEER_ADDRESS_WORD, addresses, at);
    words[header + PORTS_WORD] = ownPort | (peerPort << 16);
  }

  setId(user: number, slot: number, hi: number, lo: number): void {
    const at = (user * SLOTS + slot) * CALL_WORDS + ID_WORD;
    this.headerWords[at] = lo;
    this.headerWords[at + 1] = hi;
  }

  setCookie(user: number, slot: number, hi: number, lo: number): void {
    const at = (user * SLOTS + slot) * CALL_WORDS + COOKIE_WORD;
    this.headerWords[at] = lo;
    this.headerWords[at + 1] = hi;
  }

  /** Posts a result for a call that has its slot. With `final` the slot is the application's again. */
  post(user: number, slot: number, newFlags: number, code: number = Code.ok): void {
    const { headerWords } = this;
    const from = (user * SLOTS + slot) * CALL_WORDS;
    let state = headerWords[from]! | newFlags;
    if ((newFlags & ResultFlag.final) !== 0 && (state & IN_USE) !== 0) {
      state &= ~IN_USE;
      this.users.countCall(user, -1);
    }
    headerWords[from] = state;
    const to = this.nextEntry(user, slot);
    const { ring } = this;
    ring[to] = this.statusWord(user, state & FLAGS, code);
    for (let i = 1; i < CALL_WORDS; i++) ring[to + i] = headerWords[from + i]!;
  }

  /** Refuses a call. A slot that is bad or in use cannot be written: the error slot tells of it instead. */
  refuse(user: number, slot: number, code: number, call: Uint8Array, at: number): void {
    this.counters.add(code === Code.busy ? Counter.callsBusy : Counter.callsRejected);
    const usable = slot >= 1 && slot < SLOTS && !this.isInUse(user, slot);
    const to = this.nextEntry(user, usable ? slot : 0);
    this.ring[to] = this.statusWord(user, ResultFlag.failed | ResultFlag.final, code);
    const entry = new Uint8Array(this.ring.buffer, to * 4, CALL_BYTES);
    if (usable) {
      for (let i = 4; i < CALL_BYTES; i++) entry[i] = call[at + i]!;
    } else {
      for (let i = 0; i < ERROR_CALL_BYTES; i++) entry[4 + i] = call[at + i]!;
      entry.fill(0, 4 + ERROR_CALL_BYTES);
    }
  }

  /** The oldest composed result goes to the bus. */
  writeNext(): void {
    if (this.count === 0) return;
    const { ring } = this;
    const entry = this.head * ENTRY_WORDS;
    // An empty ring begins at its start again, which the processor has at hand.
    this.head = --this.count === 0 ? 0 : (this.head + 1) & (this.entries - 1);
    const user = ring[entry + USER]!;
    if (ring[entry + EPOCH] === this.users.epoch(user)) {
      this.users.countResult(user, -1);
      for (let i = 0; i < CALL_WORDS; i++) leaving[i] = ring[entry + RESULT + i]!;
      const offset = ring[entry + SLOT]! * CALL_BYTES;
      if (this.dma.write(user, Region.c2hMetadata, offset, leavingBytes, 0, CALL_BYTES)) {
        this.counters.add(Counter.results);
      }
      this.users.settle(user);
    }
  }

  private statusWord(user: number, flags: number, code: number): number {
    return (this.users.nextSequence(user) << 16) | (code << 8) | flags;
  }

  /** Place in the ring for the words of a result, which will leave when its cycles have passed. */
  private nextEntry(user: number, slot: number): number {
    if (this.count === this.entries) this.growRing();
    const { ring } = this;
    const entry = ((this.head + this.count++) & (this.entries - 1)) * ENTRY_WORDS;
    ring[entry + USER] = user;
    ring[entry + SLOT] = slot;
    ring[entry + EPOCH] = this.users.epoch(user);
    this.users.countResult(user, 1);
    this.agenda.schedule(this.agenda.nowPs + this.delayPs, CardEvent.writeResult);
    return entry + RESULT;
  }

  private growRing(): void {
    const { ring, head } = this;
    this.ring = new Int32Array(ring.length * 2);
    this.ring.set(ring.subarray(head * ENTRY_WORDS));
    this.ring.set(ring.subarray(0, head * ENTRY_WORDS), ring.length - head * ENTRY_WORDS);
    this.entries *= 2;
    this.head = 0;
  }
}

/** Writes four words in network order into words of a little-endian machine, as all that Node runs on are. */
function putAddress(to: Int32Array, at: number, words: Uint32Array, from: number): void {
  for (let i = 0; i < 4; i++) {
    const word = words[from + i]!;
    to[at + i] = (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
  }
}
