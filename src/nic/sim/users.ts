// SPDX-License-Identifier: Apache-2.0
/** The users of a card: state, port, sequence, counts, and the DMA map of each region. User 0 does not exist. */
import { CLIENT_PORT_BASE, MAX_USERS, UserState, UserStateField } from '../regs.js';

/** Regions that have DMA maps: 0 h2c_msgbuff, 1 c2h_msgbuff, 2 c2h_metadata. */
export const MAPPED_REGIONS = 3;

export class Users {
  readonly state = new Uint8Array(MAX_USERS + 1);
  /** Counts opens, so that a call stored before a close is not taken for the next owner's. */
  readonly epoch = new Uint32Array(MAX_USERS + 1);
  /** Calls that wait for their final result. */
  readonly outstanding = new Int32Array(MAX_USERS + 1);
  /** DMA requests not yet answered, and results composed but not yet written. */
  readonly dmaInFlight = new Int32Array(MAX_USERS + 1);
  readonly resultsQueued = new Int32Array(MAX_USERS + 1);
  private readonly sequence = new Uint16Array(MAX_USERS + 1);
  private readonly mapAddress = new Float64Array((MAX_USERS + 1) * MAPPED_REGIONS);
  private readonly mapLength = new Float64Array((MAX_USERS + 1) * MAPPED_REGIONS);

  /** Everybody is gone. DMA still under way stays counted: the bus will answer it. */
  reset(): void {
    this.state.fill(UserState.closed);
    this.outstanding.fill(0);
    this.resultsQueued.fill(0);
    this.sequence.fill(0);
    this.mapLength.fill(0);
  }

  isUser(user: number): boolean {
    return user >= 1 && user <= MAX_USERS;
  }

  open(user: number): void {
    this.state[user] = UserState.open;
    this.epoch[user]!++;
    this.sequence[user] = 0;
    this.outstanding[user] = 0;
  }

  close(user: number): void {
    this.state[user] = UserState.closed;
    for (let region = 0; region < MAPPED_REGIONS; region++) this.setMap(user, region, 0, 0);
  }

  isOpen(user: number): boolean {
    return this.state[user] === UserState.open;
  }

  clientPort(user: number): number {
    return this.state[user] === UserState.closed ? 0 : CLIENT_PORT_BASE + user;
  }

  /** Quiescing ends when no DMA is under way and no result waits. */
  settle(user: number): void {
    if (
      this.state[user] === UserState.quiescing &&
      this.dmaInFlight[user] === 0 &&
      this.resultsQueued[user] === 0
    ) {
      this.state[user] = UserState.quiesced;
    }
  }

  /** The next 16-bit sequence of a user's results; never 0. */
  nextSequence(user: number): number {
    this.sequence[user]!++;
    if (this.sequence[user] === 0) this.sequence[user] = 1;
    return this.sequence[user]!;
  }

  setMap(user: number, region: number, address: number, lengthBytes: number): void {
    this.mapAddress[user * MAPPED_REGIONS + region] = address;
    this.mapLength[user * MAPPED_REGIONS + region] = lengthBytes;
  }

  /** Bytes of a user's region; 0 without a map. */
  mapBytes(user: number, region: number): number {
    return this.mapLength[user * MAPPED_REGIONS + region]!;
  }

  /** Bus address of region[offset, offset + length), or -1 when any byte of it lies outside the map. */
  busAddress(user: number, region: number, offset: number, lengthBytes: number): number {
    const index = user * MAPPED_REGIONS + region;
    if (offset < 0 || lengthBytes < 1 || offset + lengthBytes > this.mapLength[index]!) return -1;
    return this.mapAddress[index]! + offset;
  }

  /** A word of the user state block. */
  stateWord(user: number, field: number): number {
    if (!this.isUser(user)) return 0;
    if (field === UserStateField.state) return this.state[user]!;
    if (field === UserStateField.outstanding) return this.outstanding[user]!;
    if (field === UserStateField.dmaInFlight) return this.dmaInFlight[user]!;
    return this.clientPort(user);
  }
}
