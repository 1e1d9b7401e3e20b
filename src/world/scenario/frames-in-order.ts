// SPDX-License-Identifier: Apache-2.0
/**
 * Frames of many hosts in the order of time. Hosts run one after the other for a stretch (lockstep.ts), so frames are
 * kept, as copies, until everybody has come to the same instant.
 */
export class FramesInOrder {
  private kept: { timePs: number; frame: Uint8Array }[] = [];

  constructor(private readonly onFrame: (timePs: number, frame: Uint8Array) => void) {}

  add(timePs: number, frame: Uint8Array): void {
    this.kept.push({ timePs, frame: frame.slice() });
  }

  /** Hands out what was kept; to be called when no earlier frame can come. */
  flush(): void {
    const inOrder = this.kept.sort((a, b) => a.timePs - b.timePs);
    this.kept = [];
    for (const { timePs, frame } of inOrder) this.onFrame(timePs, frame);
  }
}
