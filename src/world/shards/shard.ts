// SPDX-License-Identifier: Apache-2.0
// One thread's share of a world.
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import {
  FramesHeld,
  passageMemory,
  PassageReader,
  PassageWriter,
  type FrameArrivals,
  type FrameExit,
} from './frame-passage.js';
import { Meeting } from './meeting.js';

/** How one shard and the one with the fabric reach each other; to be sent to the shard's thread, port and all. */
export interface ShardLink {
  toFabric: SharedArrayBuffer;
  fromFabric: SharedArrayBuffer;
  port: MessagePort;
}

/** What a shard's thread is given of the shards. */
export interface ShardSeat {
  index: number;
  count: number;
  meetings: SharedArrayBuffer;
  link: ShardLink;
}

/**
 * A world in shards is built as a whole in every thread, and each thread lets its share of the hosts live; the first also
 * has the fabric. Shards take hosts in the order in which they were added, so that who comes first is the same as in one
 * thread: a run gives the same frames and the same report however many threads it has.
 */
export class Shard {
  readonly meeting: Meeting;
  /** Where frames of this shard's hosts leave for the fabric. */
  readonly toFabric: FrameExit;
  private readonly held = new FramesHeld();
  private readonly readers: PassageReader[];
  private readonly writers: PassageWriter[];

  /** The first shard, and the seats of the others. */
  static first(count: number): { shard: Shard; seats: ShardSeat[] } {
    const meetings = Meeting.memory(count);
    const links: ShardLink[] = [];
    const seats: ShardSeat[] = [];
    for (let index = 1; index < count; index++) {
      const { port1, port2 } = new MessageChannel();
      const memory = { toFabric: passageMemory(), fromFabric: passageMemory() };
      links.push({ ...memory, port: port1 });
      seats.push({ index, count, meetings, link: { ...memory, port: port2 } });
    }
    return { shard: new Shard(0, count, meetings, links), seats };
  }

  /** Another shard, in its thread. */
  static seated({ index, count, meetings, link }: ShardSeat): Shard {
    return new Shard(index, count, meetings, [link]);
  }

  private constructor(
    readonly index: number,
    readonly count: number,
    meetings: SharedArrayBuffer,
    private readonly links: readonly ShardLink[],
  ) {
    this.meeting = new Meeting(meetings, index, count);
    const isFirst = index === 0;
    this.readers = links.map(
      ({ toFabric, fromFabric, port }) => new PassageReader(isFirst ? toFabric : fromFabric, port),
    );
    this.writers = links.map(
      ({ toFabric, fromFabric, port }) => new PassageWriter(isFirst ? fromFabric : toFabric, port),
    );
    this.toFabric = isFirst ? this.held : this.writers[0]!;
  }

  get hasFabric(): boolean {
    return this.index === 0;
  }

  /** The shard that has host number `host` of so many. */
  shardOf(host: number, hosts: number): number {
    return Math.floor((host * this.count) / hosts);
  }

  /** From the fabric's thread: where frames for hosts of another shard leave. */
  toHostsOf(shard: number): FrameExit {
    return this.writers[shard - 1]!;
  }

  /** Takes what hosts have sent to the fabric: shard after shard, in the order in which hosts had their turns. */
  takeForFabric(arrivals: FrameArrivals, fromTheEnd: boolean): void {
    if (!fromTheEnd) this.held.takeAll(arrivals);
    for (let i = 0; i < this.readers.length; i++) {
      this.readers[fromTheEnd ? this.readers.length - 1 - i : i]!.takeAll(arrivals);
    }
    if (fromTheEnd) this.held.takeAll(arrivals);
  }

  /** Takes what the fabric has sent to hosts of this shard. */
  takeForHosts(arrivals: FrameArrivals): void {
    if (!this.hasFabric) this.readers[0]!.takeAll(arrivals);
  }

  /** The run is over: what was opened for it is closed. */
  close(): void {
    for (const { port } of this.links) port.close();
  }
}
