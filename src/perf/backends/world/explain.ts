// SPDX-License-Identifier: Apache-2.0
// Where the time of a test goes on a simulated card: rows that add up to what the world does with jitter off.
import { INLINE_BYTES } from '../../../nic/regs.js';
import {
  cardRows,
  explainDmaRead,
  explainDmaWrite,
  explainEcho,
  explainMmioWrite,
  explainPoll,
  explainRead,
  sumPs,
  type LatencyRow,
} from '../../../world/pcie/explain.js';
import type { PcieProfile } from '../../../world/pcie/profile.js';
import type { Explanation, TestRequest } from '../../backend.js';
import { DATA_OVERHEAD_BYTES, DATA_PAYLOAD_BYTES, WIRE_GBPS } from '../../ceilings.js';
import type { CardKind, CardPart } from './card-kind.js';

/** Preamble, FCS and gap: they follow or precede the frame, and its next cannot begin before. */
const WIRE = `bytes on the wire at ${WIRE_GBPS} Gbit/s (docs/protocol.md#wire-overhead)`;

/**
 * The explanation of a test, or undefined when the kind of card has none. `measureBarePs` runs one iteration with
 * jitter off: what a message of many packets takes beyond the way of a single one is what it says, in a row of its own.
 */
export function explainTest(
  test: TestRequest,
  profile: PcieProfile,
  kind: CardKind,
  options: { inline: boolean; measureBarePs(): number },
): Explanation | undefined {
  const rows = rowsOf(test, profile, kind, options.inline);
  if (!rows) return undefined;
  if (test.name === 'loopback') {
    const restPs = options.measureBarePs() - sumPs(rows);
    if (restPs !== 0) {
      rows.push({
        part: 'rest of the message behind its first bytes',
        timePs: restPs,
        source: 'the simulation with jitter off, less the rows above: packets overlap on bus, card and wire',
      });
    }
  }
  return {
    test: test.name === 'loopback' ? `${test.name} ${test.sizeBytes} B` : test.name,
    rows,
    basePs: sumPs(rows),
    jitter: {
      distribution: profile.jitterName,
      parameters: { ...profile.jitter },
      source: profile.jitterSource,
    },
  };
}

function rowsOf(
  test: TestRequest,
  profile: PcieProfile,
  kind: CardKind,
  inline: boolean,
): LatencyRow[] | undefined {
  const card = (part: CardPart): LatencyRow[] => cardRows(kind.cardRows(profile.cycleTable, part) ?? []);
  if (kind.cardRows(profile.cycleTable, 'echo') === undefined) return undefined;
  switch (test.name) {
    case 'echo':
      return explainEcho(profile, card('echo'));
    case 'read':
      return explainRead(profile, card('read'));
    case 'loopback':
      return loopbackRows(Math.min(test.sizeBytes, DATA_PAYLOAD_BYTES), profile, card, inline);
    default:
      return undefined;
  }
}

/** The way of a message of one packet: call, payload, packet out, round the MAC, packet in, payload and result up. */
function loopbackRows(
  sizeBytes: number,
  profile: PcieProfile,
  card: (part: CardPart) => LatencyRow[],
  mayInline: boolean,
): LatencyRow[] {
  const inline = mayInline && sizeBytes <= INLINE_BYTES;
  const send = card('send');
  const untilStart = send.slice(0, 3);
  const build = send.slice(3);
  const payloadStore = { part: 'host store of the inline payload', ...profile.hostStoreInterval };
  const fetched = Math.min(sizeBytes, profile.maxReadRequestBytes);
  return [
    ...(inline ? [payloadStore] : []),
    ...explainMmioWrite(profile),
    ...untilStart,
    ...(inline ? [] : explainDmaRead(profile, fetched)),
    ...build,
    {
      part: `packet of ${sizeBytes} B on the wire`,
      timePs: Math.floor(((sizeBytes + DATA_OVERHEAD_BYTES) * 8000) / WIRE_GBPS),
      source: WIRE,
    },
    ...card('turn'),
    ...card('receive'),
    // The packet carries the acknowledgement of the answer before: that answer's result goes up first.
    { ...explainDmaWrite(profile)[0]!, part: 'bus up, result of the answer before, acknowledged' },
    ...explainDmaWrite(profile),
    ...explainPoll(profile),
  ];
}
