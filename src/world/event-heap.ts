// SPDX-License-Identifier: Apache-2.0
import { type Event, isBefore } from './event.js';

/** Events of an agenda that are far away, as a binary heap; each knows its place in it. */
export class EventHeap {
  private readonly heap: Event[] = [];

  get length(): number {
    return this.heap.length;
  }

  /** The earliest; there must be one. */
  get first(): Event {
    return this.heap[0]!;
  }

  /** Moves all events back. */
  rebase(byPs: number): void {
    for (const event of this.heap) event.timePs -= byPs;
  }

  add(event: Event): void {
    this.heap.push(event);
    this.siftUp(this.heap.length - 1);
  }

  /** Takes an event out; it must be in the heap. */
  remove({ place }: Event): void {
    const last = this.heap.pop()!;
    if (place === this.heap.length) return;
    this.setPlace(place, last);
    this.siftUp(place);
    this.siftDown(last.place);
  }

  private setPlace(place: number, event: Event): void {
    this.heap[place] = event;
    event.place = place;
  }

  private siftUp(start: number): void {
    const { heap } = this;
    let place = start;
    const event = heap[place]!;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!isBefore(event, heap[parent]!)) break;
      this.setPlace(place, heap[parent]!);
      place = parent;
    }
    this.setPlace(place, event);
  }

  private siftDown(start: number): void {
    const { heap } = this;
    const { length } = heap;
    let place = start;
    const event = heap[place]!;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= length) break;
      if (child + 1 < length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, event)) break;
      this.setPlace(place, heap[child]!);
      place = child;
    }
    this.setPlace(place, event);
  }
}
