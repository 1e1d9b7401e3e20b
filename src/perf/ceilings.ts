// SPDX-License-Identifier: Apache-2.0
// What the bus and the wire allow, so that a figure never stands alone. Sources are rows of docs/performance.md.
import type { Explanation } from './backend.js';
import type { Ceiling } from './result.js';

/** Line rate of the card's one port. */
export const WIRE_GBPS = 100;
/** 64-byte posted writes a second on PCIe Gen3 x16: 115.9 Gbit/s after link-layer traffic, 88 bytes each. */
export const BUS_WRITES_PER_S = 115.9e9 / (88 * 8);
/** Link bytes around an IPv6 DATA packet's payload: preamble 8, Ethernet 14, IPv6 40, Homa 56, FCS 4, gap 12. */
export const DATA_OVERHEAD_BYTES = 134;
/** Of those: what follows the payload (FCS), and the gap, for which no receiver waits. */
export const FCS_BYTES = 4;
export const GAP_BYTES = 12;
/** Payload of a full DATA packet over IPv6 at MTU 1500. */
export const DATA_PAYLOAD_BYTES = 1404;

const CARD_PART = /^card/;

/** Time the payload and its packets occupy the wire, ps. */
export function wireTimePs(sizeBytes: number): number {
  const packets = Math.ceil(sizeBytes / DATA_PAYLOAD_BYTES);
  return Math.round(((sizeBytes + packets * DATA_OVERHEAD_BYTES) * 8 * 1000) / WIRE_GBPS);
}

/** Goodput the wire allows for back-to-back messages of this size, Gbit/s. */
export function wireGoodputGbps(sizeBytes: number): number {
  return (sizeBytes * 8 * 1000) / wireTimePs(sizeBytes);
}

/** What the wire allows, as a limit beside a payload rate. */
export function wireCeiling(sizeBytes: number): Ceiling {
  return {
    what: 'wire goodput',
    value: wireGoodputGbps(sizeBytes),
    unit: 'Gbps',
    source: `${WIRE_GBPS} Gbit/s, ${DATA_OVERHEAD_BYTES} link bytes a packet of up to ${DATA_PAYLOAD_BYTES} (docs/protocol.md#wire-overhead)`,
  };
}

/** The part of an explained time that no card can save. */
function busPs(explanation: Explanation): number {
  return explanation.rows.reduce((sum, row) => (CARD_PART.test(row.part) ? sum : sum + row.timePs), 0);
}

/** The limits that belong beside the row of a test on one card: least time, and for payload the greatest rate. */
export function ceilingsFor(
  test: { name: string; sizeBytes: number; oneWay: boolean },
  explanation?: Explanation,
): Ceiling[] {
  const out: Ceiling[] = [];
  if (explanation) {
    out.push({
      what: test.oneWay ? 'bus and wire alone, no card logic' : 'bus alone, no card logic',
      value: busPs(explanation) / 1000,
      unit: 'ns',
      source: 'profile constants: --explain',
    });
  }
  if (test.oneWay) out.push(wireCeiling(test.sizeBytes));
  else if (test.name === 'echo') {
    out.push({
      what: '64-byte writes on the bus',
      value: BUS_WRITES_PER_S / 1e6,
      unit: 'million/s',
      source: 'PCIe Gen3 x16, 88 bytes a write after link-layer traffic (docs/performance.md)',
    });
  }
  return out;
}
