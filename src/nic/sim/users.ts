// SPDX-License-Identifier: Apache-2.0
/** The users of a card: state, port, sequence, counts, and the DMA map of each region. User 0 does not exist. */
import { CLIENT_PORT_BASE, MAX_USERS, UserState, UserStateField } from '../regs.js';

/** Regions that have DMA maps: 0 h2c_msgbuff, 1 c2h_msgbuff, 2 c2h_metadata. */
export const MAPPED_REGIONS = 3;

/** A user's record, two lines of a cache: six words, then address and length of each region's map as doubles. */
const RECORD_WORDS = 32;
const STATE = 0;
const EPOCH = 1;
const OUTSTANDING = 2;
const DMA_IN_FLIGHT = 3;
const RESULTS_QUEUED = 4;
const SEQUENCE = 5;
const RECORD_DOUBLES = RECORD_WORDS / 2;
const MAPS = 4;
const LAST_SEQUENCE = 0xffff;

/** Place of a region's map in a user's record. */
function mapOf(user: number, region: number): number {
  return user * RECORD_DOUBLES + MAPS + 2 * region;
}

export class Users {
  private readonly words = new Int32Array((MAX_USERS + 1) * RECORD_WORDS);
  private readonly doubles = new Float64Array(this.words.buffer);

  /** Everybody is gone. DMA still under way stays counted: the bus will answer it. */
  reset(): void {
    for (let user = 0; user <= MAX_USERS; user++) {
      this.setState(user, UserState.closed);
      this.set(user, OUTSTANDING, 0);
      this.set(user, RESULTS_QUEUED, 0);
      this.set(user, SEQUENCE, 0);
      for (let region = 0; region < MAPPED_REGIONS; region++) this.setMap(user, region, 0, 0);
    }
  }

  isUser(user: number): boolean {
    return user >= 1 && user <= MAX_USERS;
  }

  open(user: number): void {
    this.setState(user, UserState.open);
    this.change(user, EPOCH, 1);
    this.set(user, SEQUENCE, 0);
    this.set(user, OUTSTANDING, 0);
  }

  close(user: number): void {
    this.setState(user, UserState.closed);
    for (let region = 0; region < MAPPED_REGIONS; region++) this.setMap(user, region, 0, 0);
  }

  state(user: number): number {
    return this.get(user, STATE);
  }

  setState(user: number, state: UserState): void {
    this.set(user, STATE, state);
  }

  isOpen(user: number): boolean {
    return this.get(user, STATE) === UserState.open;
  }

  /** Counts opens, so that a call stored before a close is not taken for the next owner's. */
  epoch(user: number): number {
    return this.get(user, EPOCH);
  }

  /** Calls that wait for their final result. */
  outstanding(user: number): number {
    return this.get(user, OUTSTANDING);
  }

  /** A call began (1) or got its final result (-1). */
  countCall(user: number, by: number): void {
    this.change(user, OUTSTANDING, by);
  }

  /** DMA requests that the bus has not answered. */
  dmaInFlight(user: number): number {
    return this.get(user, DMA_IN_FLIGHT);
  }

  /** A DMA request began (1) or was answered (-1). */
  countDma(user: number, by: number): void {
    this.change(user, DMA_IN_FLIGHT, by);
  }

  /** The bus was reset: it answers nothing any more. */
  forgetDma(): void {
    for (let user = 0; user <= MAX_USERS; user++) this.set(user, DMA_IN_FLIGHT, 0);
  }

  /** A result was composed (1) or written (-1). */
  countResult(user: number, by: number): void {
    this.change(user, RESULTS_QUEUED, by);
  }

  clientPort(user: number): number {
    return this.get(user, STATE) === UserState.closed ? 0 : CLIENT_PORT_BASE + user;
  }

  /** Quiescing ends when no DMA is under way and no composed result waits to be written. */
  settle(user: number): void {
    if (
      this.get(user, STATE) === UserState.quiescing &&
      this.get(user, DMA_IN_FLIGHT) === 0 &&
      this.get(user, RESULTS_QUEUED) === 0
    ) {
      this.setState(user, UserState.quiesced);
    }
  }

  /** The next 16-bit sequence of a user's results; never 0. */
  nextSequence(user: number): number {
    const last = this.get(user, SEQUENCE);
    const next = last === LAST_SEQUENCE ? 1 : last + 1;
    this.set(user, SEQUENCE, next);
    return next;
  }

  setMap(user: number, region: number, address: number, lengthBytes: number): void {
    const at = mapOf(user, region);
    this.doubles[at] = address;
    this.doubles[at + 1] = lengthBytes;
  }

  /** Bytes of a user's region; 0 without a map. */
  mapBytes(user: number, region: number): number {
    return this.doubles[mapOf(user, region) + 1]!;
  }

  /** Bus address of region[offset, offset + length), or -1 when any byte of it lies outside the map. */
  busAddress(user: number, region: number, offset: number, lengthBytes: number): number {
    const at = mapOf(user, region);
    if (offset < 0 || lengthBytes < 1 || offset + lengthBytes > this.doubles[at + 1]!) return -1;
    return this.doubles[at]! + offset;
  }

  /** A word of the user state block. */
  stateWord(user: number, field: number): number {
    if (!this.isUser(user)) return 0;
    if (field === UserStateField.state) return this.get(user, STATE);
    if (field === UserStateField.outstanding) return this.get(user, OUTSTANDING);
    if (field === UserStateField.dmaInFlight) return this.get(user, DMA_IN_FLIGHT);
    return this.clientPort(user);
  }

  private get(user: number, field: number): number {
    return this.words[user * RECORD_WORDS + field]!;
  }

  private set(user: number, field: number, value: number): void {
    this.words[user * RECORD_WORDS + field] = value;
  }

  private change(user: number, field: number, by: number): void {
    this.words[user * RECORD_WORDS + field]! += by;
  }
}
