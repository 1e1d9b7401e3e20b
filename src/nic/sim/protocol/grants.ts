// SPDX-License-Identifier: Apache-2.0
/**
 * The receiver's grant scheduler (docs/protocol.md#grants).
 *
 * Messages are small integers of the caller's (RPC numbers), peers too. `add` a message when its first packet arrives
 * and its `incoming` is below its length; `progress` after each packet; `remove` when it ends early. A message without
 * buffer room is `block`ed until `unblock`. Grants come out through the callback, which must not call back in:
 * onGrant(message, offset, priority). Set `now` before a call, in the unit of `settings.fifoInterval`.
 *
 * At most eight messages are active at a time, so the active set is searched linearly; waiting ones sit in heaps. Where
 * HomaModule compares bytes left at activation, this compares bytes left now; a fully granted message gives its slot up
 * at once (both in docs/protocol.md#deviations). Its outstanding bytes still count against `maxIncoming`.
 */
import { IndexedHeap } from './indexed-heap.js';
import { WaitingMessages } from './grant-waiting.js';
import { Records } from './records.js';
import { grantPriority, type GrantSettings, grantWindow } from './grant-settings.js';

/** Where a message stands. Fresh, blocked and full messages have no slot and do not wait. */
const State = { unknown: 0, waiting: 1, active: 2, blocked: 3, full: 4, fresh: 5 } as const;

/** What is known of a message: a record of words. */
const RECORD_BITS = 4;
const STATE = 0;
const NEEDY = 1;
const PEER = 2;
const LENGTH = 3;
const RECEIVED = 4;
const GRANTED = 5;
/** Order of arrival, for ties: a count that wraps. */
const BIRTH = 6;
/** Its neighbours among the messages that may still be granted. */
const OLDER = 7;
const YOUNGER = 8;
/** Its place among the waiting ones. */
const PLACE = 9;

export class GrantScheduler {
  now = 0;
  /** Messages that may still be granted, in order of arrival: a doubly linked list (-1 ends it). */
  private youngest = -1;
  private oldest = -1;
  private readonly records = new Records(RECORD_BITS);

  private readonly active: number[] = [];
  private readonly waiting: WaitingMessages;
  private needyCount = 0;
  private incoming = 0;
  private births = 0;
  private nextFifo = 0;

  constructor(
    capacity: number,
    readonly settings: GrantSettings,
    private readonly onGrant: (message: number, offset: number, priority: number) => void,
  ) {
    const outranks = (a: number, b: number): boolean => this.outranks(a, b);
    this.waiting = new WaitingMessages(
      (message) => this.get(message, PEER),
      outranks,
      () => new IndexedHeap(outranks, this.records, RECORD_BITS, PLACE),
    );
    this.resize(capacity);
  }

  /** Makes room for message numbers below `capacity`, or gives back the room above, where no message may be. */
  resize(capacity: number): void {
    this.records.fit(capacity);
  }

  /** The caller's clock was moved back. */
  rebase(by: number): void {
    this.now -= by;
    this.nextFifo -= by;
  }

  /** Bytes granted and not yet received, over all messages that are not blocked. */
  get totalIncoming(): number {
    return this.incoming;
  }
  get activeCount(): number {
    return this.active.length;
  }
  /** Whether the message is one of ours now (added, not complete, not removed). */
  has(message: number): boolean {
    return this.get(message, STATE) !== State.unknown;
  }
  grantedBytes(message: number): number {
    return this.get(message, GRANTED);
  }

  /**
   * Starts a message of which `received` bytes are there and `granted` (its first packet's `incoming`) are allowed. A
   * message that is allowed whole from the start takes no part: nothing happens. With nothing received
   * yet the message is only entered, and the first `progress` grants. `blocked`: no buffer room yet.
   */
  add(
    message: number,
    peer: number,
    length: number,
    granted: number,
    received: number,
    blocked = false,
  ): void {
    if (granted >= length) return;
    this.set(message, PEER, peer);
    this.set(message, LENGTH, length);
    this.set(message, GRANTED, granted);
    this.set(message, RECEIVED, received);
    this.set(message, BIRTH, this.births);
    this.births = (this.births + 1) | 0;
    this.link(message);
    if (blocked || received === 0) {
      this.set(message, STATE, blocked ? State.blocked : State.fresh);
      return;
    }
    this.incoming += this.outstanding(message);
    this.findSlot(message);
    this.grantIfActive(message);
    this.serveNeedy();
  }

  /** Takes in that `received` bytes of the message are there now, and grants what that allows. */
  progress(message: number, received: number): void {
    const state = this.get(message, STATE);
    if (state === State.unknown) return;
    if (this.counts(message)) this.incoming -= this.outstanding(message);
    this.set(message, RECEIVED, received);
    if (received >= this.get(message, LENGTH)) {
      this.drop(message);
      return;
    }
    if (state === State.blocked) return;
    this.incoming += this.outstanding(message);
    if (state === State.waiting) this.waiting.update(message);
    if (state === State.waiting || state === State.fresh) this.findSlot(message);
    this.grantIfActive(message);
    this.serveNeedy();
  }

  /** Ends a message before it is complete. */
  remove(message: number): void {
    // Mostly there is none at all, which can be seen without a look at the message's state.
    if (this.youngest < 0 || this.get(message, STATE) === State.unknown) return;
    if (this.counts(message)) this.incoming -= this.outstanding(message);
    this.drop(message);
  }

  /** The message has no buffer room: it keeps its place in age, but is not granted and counts for nothing. */
  block(message: number): void {
    const state = this.get(message, STATE);
    if (state === State.unknown || state === State.blocked) return;
    if (this.counts(message)) this.incoming -= this.outstanding(message);
    this.leave(message);
    this.set(message, STATE, State.blocked);
    this.serveNeedy();
  }

  /** The message has room again. */
  unblock(message: number): void {
    if (this.get(message, STATE) !== State.blocked) return;
    this.incoming += this.outstanding(message);
    if (this.get(message, GRANTED) >= this.get(message, LENGTH)) this.set(message, STATE, State.full);
    else {
      this.findSlot(message);
      this.grantIfActive(message);
    }
    this.serveNeedy();
  }

  private outranks(a: number, b: number): boolean {
    const left = this.get(a, LENGTH) - this.get(a, RECEIVED) - (this.get(b, LENGTH) - this.get(b, RECEIVED));
    return left !== 0 ? left < 0 : ((this.get(a, BIRTH) - this.get(b, BIRTH)) | 0) < 0;
  }
  /** Whether the message's outstanding bytes are part of `incoming`. */
  private counts(message: number): boolean {
    return this.get(message, STATE) !== State.blocked && this.get(message, STATE) !== State.fresh;
  }
  private outstanding(message: number): number {
    return Math.max(0, this.get(message, GRANTED) - this.get(message, RECEIVED));
  }
  private setNeedy(message: number, needy: 0 | 1): void {
    this.needyCount += needy - this.get(message, NEEDY);
    this.set(message, NEEDY, needy);
  }

  private activate(message: number): void {
    this.set(message, STATE, State.active);
    this.active.push(message);
    this.waiting.changeActive(this.get(message, PEER), 1);
  }
  private deactivate(message: number): void {
    this.active.splice(this.active.indexOf(message), 1);
    this.setNeedy(message, 0);
    this.waiting.changeActive(this.get(message, PEER), -1);
  }

  /** Step 2 and 3: gives the message (new, or waiting) an empty slot or a worse message's, or lets it wait. */
  private findSlot(message: number): void {
    const waits = this.get(message, STATE) === State.waiting;
    if (this.active.length >= this.settings.maxOvercommit) {
      const victim = this.chooseVictim(message);
      if (victim < 0) {
        if (!waits) {
          this.set(message, STATE, State.waiting);
          this.waiting.update(message);
        }
        return;
      }
      if (waits) this.waiting.remove(message);
      this.deactivate(victim);
      this.set(victim, STATE, State.waiting);
      this.waiting.update(victim);
    } else if (waits) this.waiting.remove(message);
    this.activate(message);
  }

  /**
   * The active message that must yield to the candidate, -1 if none: it is looked for among the peers with most active
   * messages (the candidate's own counted one higher), the one with most bytes left, then the youngest.
   */
  private chooseVictim(candidate: number): number {
    const own = this.get(candidate, PEER);
    const count = (message: number): number =>
      this.waiting.activeOf(this.get(message, PEER)) + (this.get(message, PEER) === own ? 1 : 0);
    let victim = -1;
    for (const message of this.active) {
      const more = victim < 0 ? 1 : count(message) - count(victim);
      if (more > 0 || (more === 0 && this.outranks(victim, message))) victim = message;
    }
    if (victim < 0) return -1;
    const unfair = this.waiting.activeOf(this.get(victim, PEER)) > this.waiting.activeOf(own) + 1;
    return unfair || this.outranks(candidate, victim) ? victim : -1;
  }

  /** Step 4 with the needy test. */
  private grantIfActive(message: number): void {
    if (this.get(message, STATE) !== State.active) return;
    if (this.wanted(message) <= 0) return;
    if (this.incoming >= this.settings.maxIncoming || this.needyCount > 0) this.setNeedy(message, 1);
    else this.grant(message);
  }

  /** Bytes the window lets the message be granted now. */
  private wanted(message: number): number {
    const ahead =
      this.get(message, RECEIVED) +
      grantWindow(this.settings, this.active.length) -
      this.get(message, GRANTED);
    return Math.min(ahead, this.get(message, LENGTH) - this.get(message, GRANTED));
  }

  /** The rest of step 4: grants up to the headroom, which must be there. */
  private grant(message: number): void {
    let delta = this.wanted(message);
    if (delta <= 0) return;
    const headroom = this.settings.maxIncoming - this.incoming;
    if (delta > headroom) {
      delta = headroom;
      this.setNeedy(message, 1);
    }
    let rank = 0;
    for (const other of this.active) if (other !== message && this.outranks(other, message)) rank++;
    this.raise(message, delta, grantPriority(this.settings.maxScheduledPriority, rank, this.active.length));
    this.fifoGrant();
  }

  private raise(message: number, delta: number, priority: number): void {
    const before = this.outstanding(message);
    const offset = this.get(message, GRANTED) + delta;
    this.set(message, GRANTED, offset);
    this.incoming += this.outstanding(message) - before;
    this.onGrant(message, offset, priority);
    if (offset < this.get(message, LENGTH)) return;
    this.leave(message);
    this.set(message, STATE, State.full);
  }

  /** Step 5: while there is headroom, the needy message that ranks first gets its turn. */
  private serveNeedy(): void {
    while (this.needyCount > 0 && this.incoming < this.settings.maxIncoming) {
      let first = -1;
      for (const message of this.active) {
        if (this.get(message, NEEDY) === 1 && (first < 0 || this.outranks(message, first))) first = message;
      }
      this.setNeedy(first, 0);
      this.grant(first);
    }
  }

  /** A share for the oldest message, active or not, that is not far ahead already (docs/protocol.md#fifo-grants). */
  private fifoGrant(): void {
    const { fifoIncrement, fifoInterval, fifoPriority } = this.settings;
    if (fifoIncrement === 0 || fifoInterval === Infinity || this.now < this.nextFifo) return;
    this.nextFifo = this.now + fifoInterval;
    const enough = grantWindow(this.settings, this.active.length) + 2 * fifoIncrement;
    for (let message = this.oldest; message >= 0; message = this.get(message, YOUNGER)) {
      const state = this.get(message, STATE);
      if (state !== State.active && state !== State.waiting) continue;
      if (this.get(message, GRANTED) - this.get(message, RECEIVED) >= enough) continue;
      const delta = Math.min(fifoIncrement, this.get(message, LENGTH) - this.get(message, GRANTED));
      this.raise(message, delta, fifoPriority);
      return;
    }
  }

  /** Takes the message out of the active or waiting ones; a free slot goes to the best waiting message, marked needy. */
  private leave(message: number): void {
    const state = this.get(message, STATE);
    if (state === State.waiting) this.waiting.remove(message);
    if (state !== State.active) return;
    this.deactivate(message);
    const next = this.active.length < this.settings.maxOvercommit ? this.waiting.best : -1;
    if (next < 0) return;
    this.waiting.remove(next);
    this.activate(next);
    this.setNeedy(next, 1);
  }

  private drop(message: number): void {
    this.leave(message);
    this.unlink(message);
    this.set(message, STATE, State.unknown);
    this.serveNeedy();
  }

  private link(message: number): void {
    this.set(message, OLDER, this.youngest);
    this.set(message, YOUNGER, -1);
    if (this.youngest < 0) this.oldest = message;
    else this.set(this.youngest, YOUNGER, message);
    this.youngest = message;
  }
  private unlink(message: number): void {
    const older = this.get(message, OLDER);
    const younger = this.get(message, YOUNGER);
    if (older < 0) this.oldest = younger;
    else this.set(older, YOUNGER, younger);
    if (younger < 0) this.youngest = older;
    else this.set(younger, OLDER, older);
  }

  private get(message: number, word: number): number {
    return this.records.words[(message << RECORD_BITS) + word]!;
  }
  private set(message: number, word: number, value: number): void {
    this.records.words[(message << RECORD_BITS) + word] = value;
  }
}
