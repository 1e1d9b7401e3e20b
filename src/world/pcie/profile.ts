// SPDX-License-Identifier: Apache-2.0
// What the bus of a simulated host costs, as data: each figure with its source.

/** A time of the bus and where it comes from. */
export interface BusConstant {
  readonly timePs: number;
  readonly source: string;
}

/**
 * The variation of a round trip, drawn once where the host sees its end:
 * 1. a bell (the sum of twelve uniform bytes, so it ends at six deviations), cut at 0;
 * 2. with `tailChance`, an exponential on top;
 * 3. every `outlierInterval` round trips (uniform from half to one and a half of it) a stall of the host, log-uniform
 *    over five octaves up to `outlierMaxPs`.
 */
export interface JitterParameters {
  readonly bellMeanPs: number;
  readonly bellDeviationPs: number;
  readonly tailChance: number;
  readonly tailMeanPs: number;
  readonly outlierInterval: number;
  readonly outlierMaxPs: number;
}

/** A named set of bus parts. Profiles differ by the card's cycle table (`cycleTable`), never by the bus. */
export interface PcieProfile {
  readonly name: string;
  readonly text: string;
  /** which cycle table of the device belongs to it */
  readonly cycleTable: string;
  readonly lineMbps: number;
  readonly writeOverheadBytes: number;
  readonly completionOverheadBytes: number;
  readonly maxPayloadBytes: number;
  readonly maxReadRequestBytes: number;
  /** from the store instruction to the first bit on the bus, write-combining flush included */
  readonly hostStore: BusConstant;
  /** a core stores 64 bytes this often at best */
  readonly hostStoreInterval: BusConstant;
  /** root complex to card, without the time of the bytes on the line */
  readonly busDown: BusConstant;
  /** card to root complex (a posted write is then visible to the cores) */
  readonly busUp: BusConstant;
  /** a read request at the root complex to its data there */
  readonly hostMemory: BusConstant;
  /** from the load instruction to the bus and, later, from the bus to the register */
  readonly mmioReadIssue: BusConstant;
  readonly mmioReadReturn: BusConstant;
  /** from visible to seen by a core that spins on it */
  readonly poll: BusConstant;
  readonly jitter: JitterParameters;
  readonly jitterName: string;
  readonly jitterSource: string;
  /** from one seen result to the next store of a program that does nothing in between: least, and mean beyond that */
  readonly turnaroundMinPs: number;
  readonly turnaroundMeanPs: number;
}

const FITTED = "fitted to the real card's trace (64 B echo, n = 1000)";

const BUS = {
  lineMbps: 126_000, // 8 GT/s x 16 lanes x 128/130
  writeOverheadBytes: 24,
  completionOverheadBytes: 20,
  maxPayloadBytes: 256,
  maxReadRequestBytes: 512,
  hostStore: { timePs: 166_000, source: `${FITTED}; WC 64 B + barrier 233 ns elsewhere` },
  hostStoreInterval: { timePs: 25_600, source: 'write-combining stream of 2.5 GB/s (aws-fpga#711)' },
  busDown: { timePs: 230_000, source: 'half of a 64 B DMA read of about 550 ns (pcie-bench, NetFPGA-SUME)' },
  busUp: { timePs: 230_000, source: 'half of a 64 B DMA read of about 550 ns (pcie-bench, NetFPGA-SUME)' },
  hostMemory: { timePs: 80_000, source: 'the rest of that DMA read (cold cache adds about 70 ns)' },
  mmioReadIssue: { timePs: 96_000, source: 'uncached MMIO read of 741 ns (tt-kmd), less crossings and card' },
  mmioReadReturn: {
    timePs: 96_000,
    source: 'uncached MMIO read of 741 ns (tt-kmd), less crossings and card',
  },
  poll: { timePs: 92_000, source: `${FITTED}; one read of uncached memory and half a loop` },
  jitter: {
    bellMeanPs: 26_000,
    bellDeviationPs: 7_000,
    tailChance: 0.04,
    tailMeanPs: 11_000,
    outlierInterval: 400,
    outlierMaxPs: 14_000_000,
  },
  jitterName: 'bell of twelve bytes + rare exponential + stalls',
  jitterSource: FITTED,
  turnaroundMinPs: 55_000,
  turnaroundMeanPs: 11_000,
} as const;

const PROFILES: readonly PcieProfile[] = [
  {
    ...BUS,
    name: 'u250-original',
    text: 'the bus of the real U250 run with the original card logic: it must land on the real trace',
    cycleTable: 'u250-original',
  },
  {
    ...BUS,
    name: 'u250-gen3x16',
    text: "the same bus, PCIe Gen3 x16, with this project's card logic (default)",
    cycleTable: 'u250-gen3x16',
  },
];

export const DEFAULT_PCIE_PROFILE = 'u250-gen3x16';

/** The profiles there are. */
export function pcieProfiles(): readonly PcieProfile[] {
  return PROFILES;
}

/** The profile of that name; RangeError that names those there are. */
export function pcieProfile(name: string): PcieProfile {
  const found = PROFILES.find((profile) => profile.name === name);
  if (found === undefined) {
    throw new RangeError(`no PCIe profile '${name}'; there are ${PROFILES.map((p) => p.name).join(', ')}`);
  }
  return found;
}

/** Bytes of a posted write of `lengthBytes` on the line, split at the largest payload. */
export function writeLineBytes(profile: PcieProfile, lengthBytes: number): number {
  return lengthBytes + packets(lengthBytes, profile.maxPayloadBytes) * profile.writeOverheadBytes;
}

/** Bytes of the completions that carry `lengthBytes`. */
export function completionLineBytes(profile: PcieProfile, lengthBytes: number): number {
  return lengthBytes + packets(lengthBytes, profile.maxPayloadBytes) * profile.completionOverheadBytes;
}

/** Bytes of the requests that read `lengthBytes`. */
export function readRequestLineBytes(profile: PcieProfile, lengthBytes: number): number {
  return packets(lengthBytes, profile.maxReadRequestBytes) * profile.writeOverheadBytes;
}

/** TLPs for so many bytes; nearly always one. */
function packets(lengthBytes: number, mostBytes: number): number {
  return lengthBytes <= mostBytes ? 1 : Math.ceil(lengthBytes / mostBytes);
}
