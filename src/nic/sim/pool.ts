// SPDX-License-Identifier: Apache-2.0
/**
 * The receive pools: for each user the upper half of c2h_msgbuff in chunks. A message gets one contiguous run, first
 * fit. Offsets are offsets in the user's c2h_msgbuff, as results and release calls carry them.
 */
import { Counter, MAX_USERS, POOL_CHUNK_BYTES } from '../regs.js';
import type { Counters } from './counters.js';

/** Run states, kept at the first chunk of each run. */
const FREE = 0;
const FILLING = 1;
const LENT = 2;

interface UserPool {
  base: number;
  chunks: number;
  /** State of the run that begins here; FREE elsewhere. */
  state: Uint8Array;
  /** Chunks of the run that begins here. */
  run: Uint16Array;
  used: Uint8Array;
  usedCount: number;
  /** No chunk below it is free. */
  firstFree: number;
}

export class Pools {
  private readonly pools: (UserPool | undefined)[] = new Array<undefined>(MAX_USERS + 1).fill(undefined);
  private usedChunks = 0;

  constructor(private readonly counters: Counters) {}

  reset(): void {
    this.pools.fill(undefined);
    this.usedChunks = 0;
  }

  /** Bytes of the application's part of a c2h_msgbuff of this size: the lower half. */
  static applicationBytes(regionBytes: number): number {
    return Math.floor(regionBytes / 2);
  }

  /** A new map of this size (0: none): every former run is forgotten. */
  setRegion(user: number, regionBytes: number): void {
    this.usedChunks -= this.pools[user]?.usedCount ?? 0;
    const base = Math.ceil(regionBytes / 2 / POOL_CHUNK_BYTES) * POOL_CHUNK_BYTES;
    const chunks = Math.floor((regionBytes - base) / POOL_CHUNK_BYTES);
    this.pools[user] =
      chunks < 1
        ? undefined
        : {
            base,
            chunks,
            state: new Uint8Array(chunks),
            run: new Uint16Array(chunks),
            used: new Uint8Array(chunks),
            usedCount: 0,
            firstFree: 0,
          };
  }

  /** Offset of a run for a message of this length, -1 without room. */
  allocate(user: number, lengthBytes: number): number {
    const pool = this.pools[user];
    if (pool === undefined) return -1;
    const wanted = Math.max(1, Math.ceil(lengthBytes / POOL_CHUNK_BYTES));
    const at = findRun(pool, wanted);
    if (at < 0) return -1;
    pool.used.fill(1, at, at + wanted);
    pool.state[at] = FILLING;
    pool.run[at] = wanted;
    pool.usedCount += wanted;
    if (at === pool.firstFree) pool.firstFree = at + wanted;
    this.usedChunks += wanted;
    this.counters.raise(Counter.poolChunksMax, this.usedChunks);
    return pool.base + at * POOL_CHUNK_BYTES;
  }

  /** The message at this offset was handed to the application. */
  lend(user: number, offset: number): void {
    const pool = this.pools[user];
    if (pool !== undefined) pool.state[(offset - pool.base) / POOL_CHUNK_BYTES] = LENT;
  }

  /** The application gives a lent run back; false when none begins at the offset. */
  release(user: number, offset: number): boolean {
    return this.give(user, offset, LENT);
  }

  /** A message that was never handed out is dropped. */
  drop(user: number, offset: number): void {
    this.give(user, offset, FILLING);
  }

  /** Chunks in use, over all users. */
  get total(): number {
    return this.usedChunks;
  }

  private give(user: number, offset: number, state: number): boolean {
    const pool = this.pools[user];
    if (pool === undefined) return false;
    const at = (offset - pool.base) / POOL_CHUNK_BYTES;
    if (!Number.isInteger(at) || at < 0 || at >= pool.chunks || pool.state[at] !== state) return false;
    const chunks = pool.run[at]!;
    pool.state[at] = FREE;
    pool.used.fill(0, at, at + chunks);
    pool.usedCount -= chunks;
    this.usedChunks -= chunks;
    if (at < pool.firstFree) pool.firstFree = at;
    return true;
  }
}

function findRun(pool: UserPool, wanted: number): number {
  let length = 0;
  for (let at = pool.firstFree; at < pool.chunks; at++) {
    length = pool.used[at] === 0 ? length + 1 : 0;
    if (length === wanted) return at - wanted + 1;
  }
  return -1;
}
