// SPDX-License-Identifier: Apache-2.0
import { Field, type EventRecords } from './event.js';

/** Events of an agenda that are far away, as a binary heap; each knows its place in it. */
export class EventHeap {
  private readonly heap: number[] = [];

  constructor(private readonly records: EventRecords) {}

  get length(): number {
    return this.heap.length;
  }

  /** The earliest; there must be one. */
  get first(): number {
    return this.heap[0]!;
  }

  add(event: number): void {
    this.heap.push(event);
    this.siftUp(this.heap.length - 1);
  }

  /** Takes an event out; it must be in the heap. */
  remove(event: number): void {
    const place = this.records.words[event + Field.place]!;
    const last = this.heap.pop()!;
    if (place === this.heap.length) return;
    this.setPlace(place, last);
    this.siftUp(place);
    this.siftDown(this.records.words[last + Field.place]!);
  }

  private setPlace(place: number, event: number): void {
    this.heap[place] = event;
    this.records.words[event + Field.place] = place;
  }

  private siftUp(start: number): void {
    const { heap, records } = this;
    let place = start;
    const event = heap[place]!;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!records.isBefore(event, heap[parent]!)) break;
      this.setPlace(place, heap[parent]!);
      place = parent;
    }
    this.setPlace(place, event);
  }

  private siftDown(start: number): void {
    const { heap, records } = this;
    const { length } = heap;
    let place = start;
    const event = heap[place]!;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= length) break;
      if (child + 1 < length && records.isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!records.isBefore(heap[child]!, event)) break;
      this.setPlace(place, heap[child]!);
      place = child;
    }
    this.setPlace(place, event);
  }
}
