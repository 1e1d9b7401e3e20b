// SPDX-License-Identifier: Apache-2.0
/**
 * Where a message is cut into packets (docs/protocol.md#segments).
 *
 * The cut depends only on the message's length, its unscheduled limit and the largest payload, all fixed when it is
 * queued, so a retransmission finds the original boundaries by arithmetic and nothing is stored per packet.
 */
import { DATA_HEADER } from './homa-header.js';
import { IPV4_HEADER } from './ipv4.js';
import { IPV6_HEADER } from './ipv6.js';

/** Most message bytes in one packet for an IP MTU: what is left beside the IP and DATA headers. */
export function maxSegmentData(mtu: number, ipv4: boolean): number {
  return mtu - (ipv4 ? IPV4_HEADER : IPV6_HEADER) - DATA_HEADER;
}

/** First byte of the segment that holds `offset`. A segment never crosses the unscheduled limit. */
export function segmentStart(offset: number, unscheduled: number, maxData: number): number {
  const base = offset < unscheduled ? 0 : unscheduled;
  return offset - ((offset - base) % maxData);
}

/** End of the segment that begins at `start`. */
export function segmentEnd(start: number, length: number, unscheduled: number, maxData: number): number {
  return Math.min(start + maxData, start < unscheduled ? unscheduled : length);
}
