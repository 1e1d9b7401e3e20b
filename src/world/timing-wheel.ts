// SPDX-License-Identifier: Apache-2.0
import { Field, NONE, Place, type EventRecords } from './event.js';

/** The near future is cut into slices of 2^13 ps; the wheel has one list of events for each of the next 256. */
const SLICE_BITS = 13;
const SLICES = 256;
/** What is less than this away lies within the wheel, wherever in its slice the present is. */
export const NEAR_PS = (SLICES - 1) * 2 ** SLICE_BITS;
const WHEEL_PS = SLICES * 2 ** SLICE_BITS;
/** Instants are counted from a base that follows the present, so that differences are small integers. */
const BASE_MOVES_AFTER_PS = 2 ** 30;

/** The wheel's words: the base, a double; a bit for each slice that has an event; its first one. */
const OCCUPIED = 2;
const OCCUPIED_WORDS = SLICES / 32;
const SLICE_FIRST = OCCUPIED + OCCUPIED_WORDS;
/** A multiple of 8, as the owner's words of records are. */
export const WHEEL_WORDS = (SLICE_FIRST + SLICES + 7) & ~7;

/** Events of an agenda that are near, by time: queueing and taking cost the same however many there are. */
export class TimingWheel {
  length = 0;

  /** The wheel's own words begin at `at`, a multiple of 2, among those of the records' owner. */
  constructor(
    private readonly records: EventRecords,
    private readonly at: number,
  ) {}

  /** Moves the base back; slices keep their events, whose instants are the records' to move. */
  rebase(byPs: number): void {
    this.records.doubles[this.at >> 1]! -= byPs;
  }

  /** The next event; there must be one. */
  first(nowPs: number): number {
    const { words } = this.records;
    const occupied = this.at + OCCUPIED;
    const slice = this.sliceOf(nowPs);
    let word = slice >> 5;
    let bits = words[occupied + word]! & (-1 << (slice & 31));
    while (bits === 0) {
      word = (word + 1) & (OCCUPIED_WORDS - 1);
      bits = words[occupied + word]!;
    }
    return words[this.at + SLICE_FIRST + (word << 5) + 31 - Math.clz32(bits & -bits)]!;
  }

  /** Adds an event whose instant is less than NEAR_PS away. */
  add(event: number, timePs: number, nowPs: number): void {
    const { records, at } = this;
    const { words, doubles } = records;
    const base = doubles[at >> 1]!;
    if (timePs - base >= BASE_MOVES_AFTER_PS) {
      doubles[at >> 1] = base + Math.floor((nowPs - base) / WHEEL_PS) * WHEEL_PS;
    }
    const slice = this.sliceOf(timePs);
    const first = at + SLICE_FIRST + slice;
    words[event + Field.place] = Place.inWheel - slice;
    this.length++;
    let before = words[first]!;
    if (before === NONE) words[at + OCCUPIED + (slice >> 5)]! |= 1 << (slice & 31);
    if (before === NONE || records.isBefore(event, before)) {
      words[event + Field.next] = before;
      words[first] = event;
      return;
    }
    let next = words[before + Field.next]!;
    while (next !== NONE && !records.isBefore(event, next)) {
      before = next;
      next = words[before + Field.next]!;
    }
    words[before + Field.next] = event;
    words[event + Field.next] = next;
  }

  /** Takes an event out; it must be in the wheel. */
  remove(event: number): void {
    const { at } = this;
    const { words } = this.records;
    const slice = Place.inWheel - words[event + Field.place]!;
    const first = at + SLICE_FIRST + slice;
    const next = words[event + Field.next]!;
    this.length--;
    let before = words[first]!;
    if (before === event) {
      words[first] = next;
      if (next === NONE) words[at + OCCUPIED + (slice >> 5)]! &= ~(1 << (slice & 31));
      return;
    }
    while (words[before + Field.next] !== event) before = words[before + Field.next]!;
    words[before + Field.next] = next;
  }

  /** Slice of an instant that is at most the wheel's length away. */
  private sliceOf(timePs: number): number {
    const basePs = this.records.doubles[this.at >> 1]!;
    return ((timePs - basePs) >> SLICE_BITS) & (SLICES - 1);
  }
}
