// SPDX-License-Identifier: Apache-2.0
// Frames from one thread to another.
import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import { doneWithFrame, newFrame } from '../../nic/frame-slab.js';

/** Takes frames that arrive at the end of a cable later: `direction` is the cable's number in its world. */
export interface FrameArrivals {
  frameArrives(timePs: number, direction: number, frame: Uint8Array): void;
}

/** Room for a frame on its way over a cable that ends elsewhere. The frame is the passage's from then on. */
export interface FrameExit {
  put(timePs: number, direction: number, frame: Uint8Array): void;
}

/** Words at the beginning: bytes in use behind them, and whether the frames have moved to a larger memory. */
const USED = 0;
const MOVED = 1;
const HEADER_BYTES = 16;
/** Before the bytes of a frame: when it arrives (a double), the number of its cable, its length. */
const FRAME_HEADER_BYTES = 16;
/**
 * Frames begin 2 bytes after a multiple of 8 here as everywhere (frame-slab.ts): shared memory is copied byte by byte, ten
 * times as slowly, between places that are not alike.
 */
const ALIGN_BYTES = 2;

const FIRST_BYTES = 1 << 20;

/** Memory for a passage. */
export function passageMemory(bytes = FIRST_BYTES): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADER_BYTES + bytes);
}

/**
 * One end of a passage through shared memory. One thread writes between two meetings (meeting.ts), the other reads after
 * the second one and leaves the memory empty; so nothing needs a lock. When there is no room the writer makes a memory of
 * twice the size and sends it through the port.
 */
class PassageEnd {
  protected words: Int32Array;
  protected doubles: Float64Array;
  protected bytes: Uint8Array;

  constructor(
    memory: SharedArrayBuffer,
    protected readonly port: MessagePort,
  ) {
    this.words = new Int32Array(memory);
    this.doubles = new Float64Array(memory);
    this.bytes = new Uint8Array(memory);
  }

  protected moveTo(memory: SharedArrayBuffer): void {
    this.words = new Int32Array(memory);
    this.doubles = new Float64Array(memory);
    this.bytes = new Uint8Array(memory);
  }
}

export class PassageWriter extends PassageEnd implements FrameExit {
  put(timePs: number, direction: number, frame: Uint8Array): void {
    const at = HEADER_BYTES + this.words[USED]!;
    const next = at + FRAME_HEADER_BYTES + ((ALIGN_BYTES + frame.length + 7) & ~7);
    if (next > this.bytes.length) this.grow(next);
    this.doubles[at >> 3] = timePs;
    this.words[(at >> 2) + 2] = direction;
    this.words[(at >> 2) + 3] = frame.length;
    this.bytes.set(frame, at + FRAME_HEADER_BYTES + ALIGN_BYTES);
    this.words[USED] = next - HEADER_BYTES;
    doneWithFrame(frame);
  }

  private grow(bytes: number): void {
    const { words, bytes: old, port } = this;
    const memory = new SharedArrayBuffer(2 * Math.max(bytes, old.length));
    new Uint8Array(memory).set(old);
    words[MOVED] = 1;
    port.postMessage(memory);
    this.moveTo(memory);
  }
}

export class PassageReader extends PassageEnd {
  /** Hands over what has been put in, in that order. */
  takeAll(arrivals: FrameArrivals): void {
    while (this.words[MOVED] !== 0) {
      const sent = receiveMessageOnPort(this.port) as { message: SharedArrayBuffer } | undefined;
      if (sent === undefined) throw new Error('a passage has moved to a memory that was not sent');
      this.moveTo(sent.message);
    }
    const { words, doubles, bytes } = this;
    const end = HEADER_BYTES + words[USED]!;
    for (let at = HEADER_BYTES; at < end;) {
      const length = words[(at >> 2) + 3]!;
      const from = at + FRAME_HEADER_BYTES + ALIGN_BYTES;
      const frame = newFrame(length);
      frame.set(bytes.subarray(from, from + length));
      arrivals.frameArrives(doubles[at >> 3]!, words[(at >> 2) + 2]!, frame);
      at += FRAME_HEADER_BYTES + ((ALIGN_BYTES + length + 7) & ~7);
    }
    words[USED] = 0;
  }
}

/** Frames that stay in their thread, kept until those of other threads that come before them have been taken. */
export class FramesHeld implements FrameExit {
  private readonly times: number[] = [];
  private readonly directions: number[] = [];
  private readonly frames: Uint8Array[] = [];

  put(timePs: number, direction: number, frame: Uint8Array): void {
    this.times.push(timePs);
    this.directions.push(direction);
    this.frames.push(frame);
  }

  takeAll(arrivals: FrameArrivals): void {
    const { times, directions, frames } = this;
    for (let i = 0; i < frames.length; i++) arrivals.frameArrives(times[i]!, directions[i]!, frames[i]!);
    times.length = directions.length = frames.length = 0;
  }
}
