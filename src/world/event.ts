// SPDX-License-Identifier: Apache-2.0
// What waits in an agenda.

/** Where an event is: a place in the heap, or one of these; from `inWheel` down it is a slice's number. */
export const enum Place {
  notQueued = -1,
  inRing = -2,
  inWheel = -3,
}

/** Numbers in the order of scheduling stay small integers: they wrap, long after both of a pair have happened. */
export const enum Order {
  bits = 30,
  mask = 0x3fffffff,
}

/** Something that waits, or an alarm. Events are used again and again: nothing is allocated once a run is warm. */
export class Event {
  /** made as a double, which it stays */
  timePs = 0.5;
  actor = 0;
  op = 0;
  arg = 0;
  place: number = Place.notQueued;
  order = 0;
  /** the next of the same slice, or of those out of use */
  next: Event | null = null;

  constructor(readonly isAlarm: boolean) {}
}

/** Whether `a` happens before `b`: earlier, or scheduled first for the same instant. */
export function isBefore(a: Event, b: Event): boolean {
  if (a.timePs !== b.timePs) return a.timePs < b.timePs;
  return (a.order - b.order) << (32 - Order.bits) < 0;
}
