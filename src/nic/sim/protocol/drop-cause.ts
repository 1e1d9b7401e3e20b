// SPDX-License-Identifier: Apache-2.0
/**
 * Why a received frame is not a Homa packet for this card: one number each, for counting. The order is the order of the
 * checks (docs/protocol.md#receive-checks). `otherEtherType` and `otherProtocol` are not faults: ARP, neighbour
 * discovery and ICMP come that way and belong to `neighbour.ts`.
 */
export const DropCause = {
  ok: 0,
  shortFrame: 1,
  notOurs: 2,
  otherEtherType: 3,
  badIpHeader: 4,
  badIpv4Checksum: 5,
  ipLength: 6,
  fragment: 7,
  otherProtocol: 8,
  shortHoma: 9,
  unknownType: 10,
  shortForType: 11,
  dataBounds: 12,
} as const;
export type DropCause = (typeof DropCause)[keyof typeof DropCause];

/** Names of the causes, indexed by number. */
export const dropCauseNames: readonly string[] = Object.keys(DropCause);
