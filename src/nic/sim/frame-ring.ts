// SPDX-License-Identifier: Apache-2.0
/** A queue of frames that grows and never copies them. */
const EMPTY = new Uint8Array(0);

export class FrameRing {
  private frames: Uint8Array[] = new Array<Uint8Array>(64).fill(EMPTY);
  private head = 0;
  length = 0;

  clear(): void {
    this.frames.fill(EMPTY);
    this.head = 0;
    this.length = 0;
  }

  push(frame: Uint8Array): void {
    if (this.length === this.frames.length) {
      const old = this.frames;
      this.frames = [...old.slice(this.head), ...old.slice(0, this.head), ...old.map(() => EMPTY)];
      this.head = 0;
    }
    this.frames[(this.head + this.length) & (this.frames.length - 1)] = frame;
    this.length++;
  }

  /** The oldest frame, or undefined. */
  shift(): Uint8Array | undefined {
    if (this.length === 0) return undefined;
    const frame = this.frames[this.head]!;
    this.frames[this.head] = EMPTY;
    this.head = (this.head + 1) & (this.frames.length - 1);
    this.length--;
    return frame;
  }
}
