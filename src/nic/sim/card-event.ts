// SPDX-License-Identifier: Apache-2.0
/** Kinds of events on the card's agenda; the arguments are named beside each. */
export const CardEvent = {
  /** the oldest call in the FIFO is taken up */
  takeCall: 0,
  /** the oldest composed result goes out */
  writeResult: 1,
  /** the oldest MMIO read is answered */
  answerRead: 2,
  /** the oldest frame in the receive pipeline reaches the protocol */
  ingress: 3,
  /** the send side looks for a packet to fetch */
  fetchPackets: 4,
  /** the wire may take the next frame */
  transmit: 5,
  /** a frame comes back through the MAC's loopback */
  loopback: 6,
  /** the protocol's timer ticks */
  tick: 7,
} as const;
export type CardEvent = (typeof CardEvent)[keyof typeof CardEvent];
