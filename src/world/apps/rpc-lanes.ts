// SPDX-License-Identifier: Apache-2.0
import { SLOTS } from '../../nic/regs.js';
import type { BuddyArena } from '../host/buddy.js';
import type { Peer } from '../host/call.js';
import { takeRoom } from '../number-room.js';
import { responseBytesOf, type PlannedRpc, type RpcOutcome } from './rpc-plan.js';

/**
 * A lane is one RPC under way, and the buffers and slots it holds: words, named by the place of the first, because objects
 * of hundreds of hosts do not fit the processor's cache. Where each thing is in them:
 */
export const enum Field {
  /** when it was to begin and when it did, in doubles */
  intendedPs = 0,
  startPs = 1,
  index = 4,
  key = 5,
  requestBytes = 6,
  responseBytes = 7,
  /** a State */
  state = 8,
  /** 0 without one */
  sendSlot = 9,
  /** NONE without one */
  sendOffset = 10,
  /** room kept for the response, until a recvmsg is posted with it; NONE without */
  receiveOffset = 11,
  /** what a recvmsg was posted with, NONE when none is */
  postedOffset = 12,
  /** of an idle lane the one idle before it, NONE without one */
  nextIdle = 13,
}
const LANE_BITS = 4;
export const LANE_WORDS = 1 << LANE_BITS;
export const NONE = -1;

/** Bits of a lane's state. */
export const enum State {
  idle = 0,
  active = 1,
  /** the request still has to be given to the card */
  unsent = 2,
  /** the RPC has its outcome; the lane may still wait for slots */
  ended = 4,
}

/** What a slot is in use for: its lower six bits, over which there is an offset (a multiple of 64) or a lane's number. */
export const enum Use {
  nothing,
  /** a lane's sendmsg */
  send,
  /** a recvmsg for any response, with the buffer at this offset */
  receive,
  /** a recvmsg for a lane's response */
  receiveFor,
}
export const USE_BITS = 63;
export const LANE_SHIFT = 6;

/** The lanes of a client, and what its slots are in use for. */
export class Lanes {
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  readonly first: number;
  /** behind the last lane; the uses of the slots begin here */
  readonly end: number;
  /** the lane that the next RPC gets, which is the one that was the last to end; NONE without one */
  idle = NONE;
  /** by lane the RPC's peer */
  private readonly peers: (Peer | undefined)[];

  constructor(count: number) {
    const { words, doubles, at } = takeRoom(count * LANE_WORDS + SLOTS);
    this.words = words;
    this.doubles = doubles;
    this.first = at;
    this.end = at + count * LANE_WORDS;
    this.peers = new Array<Peer | undefined>(count);
    for (let lane = at; lane < this.end; lane += LANE_WORDS) {
      words[lane + Field.sendOffset] =
        words[lane + Field.receiveOffset] =
        words[lane + Field.postedOffset] =
          NONE;
      this.rest(lane);
    }
  }

  /** An RPC begins in an idle lane, of which there has to be one. */
  begin(index: number, rpc: PlannedRpc, key: number, intendedPs: number): number {
    const { words } = this;
    const lane = this.idle;
    this.idle = words[lane + Field.nextIdle]!;
    words[lane + Field.state] = State.active | State.unsent;
    words[lane + Field.index] = index;
    words[lane + Field.key] = key;
    words[lane + Field.requestBytes] = rpc.requestBytes;
    words[lane + Field.responseBytes] = responseBytesOf(rpc);
    this.doubles[(lane >> 1) + Field.intendedPs] = intendedPs;
    this.peers[this.numberOf(lane)] = rpc.peer;
    return lane;
  }

  /** What there is to say about a lane's RPC before its outcome is known. */
  tell(lane: number, into: RpcOutcome): void {
    const { words, doubles } = this;
    into.index = words[lane + Field.index]!;
    into.requestBytes = words[lane + Field.requestBytes]!;
    into.responseBytes = words[lane + Field.responseBytes]!;
    into.intendedPs = doubles[(lane >> 1) + Field.intendedPs]!;
    into.startPs = doubles[(lane >> 1) + Field.startPs]!;
  }

  /** The world's clock was moved back. */
  rebase(byPs: number): void {
    for (let lane = this.first; lane < this.end; lane += LANE_WORDS) {
      this.doubles[(lane >> 1) + Field.startPs]! -= byPs;
      this.doubles[(lane >> 1) + Field.intendedPs]! -= byPs;
    }
  }

  /** The lane is idle now. */
  rest(lane: number): void {
    this.words[lane + Field.nextIdle] = this.idle;
    this.idle = lane;
  }

  peer(lane: number): Peer {
    return this.peers[this.numberOf(lane)]!;
  }

  /** The lane with this number, 0 for the first. */
  laneOf(number: number): number {
    return this.first + (number << LANE_BITS);
  }

  numberOf(lane: number): number {
    return (lane - this.first) >> LANE_BITS;
  }

  /** What the lane's calls carry, so that a response names it. */
  cookieOf(lane: number): number {
    return ((this.words[lane + Field.index]! << 8) | this.numberOf(lane)) >>> 0;
  }

  /** A slot is in use for a lane. */
  useFor(lane: number, slot: number, use: Use): void {
    this.words[this.end + slot] = (this.numberOf(lane) << LANE_SHIFT) | use;
  }

  /** Gives the room back whose offset is in this field, if there is one. */
  giveRoom(lane: number, field: number, arena: BuddyArena): void {
    const offset = this.words[lane + field]!;
    if (offset >= 0) arena.give(offset);
    this.words[lane + field] = NONE;
  }
}
