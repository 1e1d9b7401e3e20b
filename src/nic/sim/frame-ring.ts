// SPDX-License-Identifier: Apache-2.0
/** A queue of frames; with times, each has the instant it is ready at. It grows and never copies a frame. */
const EMPTY = new Uint8Array(0);
const NO_TIMES = new Float64Array(0);
const START_FRAMES = 16;

export class FrameRing {
  private frames: Uint8Array[] = new Array<Uint8Array>(START_FRAMES).fill(EMPTY);
  private times: Float64Array;
  private head = 0;
  length = 0;

  constructor(private readonly timed: boolean) {
    this.times = timed ? new Float64Array(START_FRAMES) : NO_TIMES;
  }

  clear(): void {
    this.frames.fill(EMPTY);
    this.head = 0;
    this.length = 0;
  }

  push(frame: Uint8Array, readyPs = 0): void {
    if (this.length === this.frames.length) this.grow();
    const at = (this.head + this.length) & (this.frames.length - 1);
    this.frames[at] = frame;
    if (this.timed) this.times[at] = readyPs;
    this.length++;
  }

  /** The card's clock was moved back. */
  rebase(byPs: number): void {
    for (let i = 0; i < this.times.length; i++) this.times[i]! -= byPs;
  }

  /** When the oldest frame is ready; Infinity without one. */
  get headReadyPs(): number {
    return this.length === 0 ? Infinity : this.times[this.head]!;
  }

  /** The oldest frame, or undefined. */
  shift(): Uint8Array | undefined {
    if (this.length === 0) return undefined;
    const frame = this.frames[this.head]!;
    this.frames[this.head] = EMPTY;
    // An empty queue begins at its start again, which the processor has at hand.
    this.head = --this.length === 0 ? 0 : (this.head + 1) & (this.frames.length - 1);
    return frame;
  }

  private grow(): void {
    const old = this.frames;
    const times = this.timed ? new Float64Array(old.length * 2) : NO_TIMES;
    if (this.timed) for (let i = 0; i < old.length; i++) times[i] = this.times[(this.head + i) % old.length]!;
    this.frames = [...old.slice(this.head), ...old.slice(0, this.head), ...old.map(() => EMPTY)];
    this.times = times;
    this.head = 0;
  }
}
