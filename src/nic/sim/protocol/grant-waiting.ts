// SPDX-License-Identifier: Apache-2.0
import { IndexedHeap } from './indexed-heap.js';

/**
 * Messages that wait for a slot (docs/protocol.md#grants): each peer's own queue in rank order, and the peers in the
 * order in which they deserve the next free slot: fewest active messages first, then by their best waiting message.
 */
export class WaitingMessages {
  private readonly queues: IndexedHeap[] = [];
  private readonly peers: IndexedHeap;
  /** Active messages of each peer, kept here because it orders the peers. */
  private readonly active: number[] = [];

  constructor(
    private readonly peerOf: (message: number) => number,
    private readonly outranks: (a: number, b: number) => boolean,
    /** Makes a queue for a peer's messages. A message waits in one only: they may share the word of a message's place. */
    private readonly makeQueue: () => IndexedHeap,
  ) {
    this.peers = new IndexedHeap((a, b) => {
      const activeA = this.active[a]!;
      const activeB = this.active[b]!;
      if (activeA !== activeB) return activeA < activeB;
      return this.outranks(this.queues[a]!.top, this.queues[b]!.top);
    });
  }

  activeOf(peer: number): number {
    return this.active[peer] ?? 0;
  }
  /** Counts one active message of the peer more or less. */
  changeActive(peer: number, by: number): void {
    this.active[peer] = this.activeOf(peer) + by;
    if (this.peers.has(peer)) this.peers.update(peer);
  }

  /** Puts a message in, or moves it after its rank changed. */
  update(message: number): void {
    const peer = this.peerOf(message);
    this.active[peer] ??= 0;
    (this.queues[peer] ??= this.makeQueue()).update(message);
    this.peers.update(peer);
  }

  remove(message: number): void {
    const peer = this.peerOf(message);
    const queue = this.queues[peer]!;
    queue.remove(message);
    if (queue.count === 0) {
      // The peer's place is found by position, so comparing with its empty queue cannot happen.
      this.peers.remove(peer);
    } else this.peers.update(peer);
  }

  /** The message that gets the next free slot, -1 when none waits. */
  get best(): number {
    const peer = this.peers.top;
    return peer < 0 ? -1 : this.queues[peer]!.top;
  }
}
