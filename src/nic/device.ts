// SPDX-License-Identifier: Apache-2.0
// The seam (design section 3): what a PCIe network card is, and nothing more.

/** PCIe completion status: 0 is success, anything else is an error (unsupported request, abort, poison). */
export const DmaStatus = { ok: 0, error: 1 } as const;
export type DmaStatus = (typeof DmaStatus)[keyof typeof DmaStatus];

/**
 * What a card does to the outside. Every call carries the instant it happens at, in integer picoseconds of simulated
 * time. Byte arrays belong to the card and are valid during the call only: whoever keeps them copies them.
 * Exception: `frameOut` hands the frame over for good.
 */
export interface NicOutputs {
  /** The card reads host memory; answer with `dmaReadDone(tag, ...)`. At most 4,096 bytes, never across a 4 KiB boundary. */
  dmaRead(timePs: number, tag: number, address: number, lengthBytes: number): void;
  /** The card writes host memory (posted); answer with `dmaWriteDone(tag, ...)`. At most 4,096 bytes, within a 4 KiB page. */
  dmaWrite(timePs: number, tag: number, address: number, bytes: Uint8Array): void;
  /** A frame begins to leave the MAC: Ethernet header to payload, without FCS. */
  frameOut(timePs: number, frame: Uint8Array): void;
  /** Answers `mmioRead(tag, ...)`. */
  mmioReadDone(timePs: number, tag: number, bytes: Uint8Array): void;
}

/**
 * Integer picoseconds are exact below 2^53, which is 2.5 hours. Whoever lets a card live longer rebases its clock by
 * whole epochs of this length, one hour.
 */
export const EPOCH_PS = 3_600_000_000_000_000;

/**
 * A network card behind a PCIe slot and a MAC. Synchronous: plain calls in, `NicOutputs` calls out, no promises.
 * Inputs happen at the card's present: `advance` to the instant first, then call. An input never calls an output from
 * within itself; outputs come from `advance` only.
 */
export interface NicDevice {
  /** A posted write to BAR 0: 1 to 64 bytes, any alignment the bus can produce. Never throws on guest-made input. */
  mmioWrite(address: number, bytes: Uint8Array): void;
  /** A read of BAR 0, answered later by `mmioReadDone(tag)`. Reads do not overtake earlier writes. */
  mmioRead(tag: number, address: number, lengthBytes: number): void;
  /** Data of an earlier `dmaRead`; `bytes` is copied before the call returns, and is empty on error. */
  dmaReadDone(tag: number, status: DmaStatus, bytes: Uint8Array): void;
  /** An earlier `dmaWrite` is visible in host memory (or has failed). */
  dmaWriteDone(tag: number, status: DmaStatus): void;
  /** A whole frame has arrived at the MAC, without FCS. The array is the card's from then on: it may write into it. */
  frameIn(frame: Uint8Array): void;
  /** The link came up or went down. */
  link(up: boolean): void;
  /** PCIe reset: everything returns to its power-on state. */
  reset(): void;
  /**
   * Runs until `untilPs`, or until the first instant at which something came out, whichever is earlier, and returns
   * the instant reached. All outputs of that instant have been delivered.
   */
  advance(untilPs: number): number;
  /** The next instant at which the card has work of its own; Infinity when only an input can wake it. */
  nextEventPs(): number;
  /** Moves the card's clock, and every instant it keeps, back by this many picoseconds; nothing else changes. */
  rebase(byPs: number): void;
}

/** Makes a card wired to `outputs`; how a kind of card is named to those who must not know kinds. */
export type NicDeviceFactory = (outputs: NicOutputs) => NicDevice;
