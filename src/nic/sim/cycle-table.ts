// SPDX-License-Identifier: Apache-2.0
/**
 * How many card cycles each step takes, in named tables.
 *
 * The bus core hands the card its 250 MHz clock, so a call's cycles count from the instant it arrives; what lies below a
 * cycle belongs to the PCIe profile. Counts are exact for the model; nanoseconds from them are "at 250 MHz, if it closes
 * timing".
 */
import { CLOCK_HZ } from '../regs.js';

/** Picoseconds of a card cycle, exact at 250 MHz. */
export const CYCLE_PS = 1e12 / CLOCK_HZ;

/** Cycles of each step. */
export interface CycleTable {
  readonly name: string;
  readonly source: string;
  /** a stored word arrives, the cell is complete, the call leaves the FIFO */
  readonly callTakeUp: number;
  /** between two calls of the FIFO */
  readonly callInterval: number;
  /** header checked */
  readonly callDecode: number;
  /** result composed and on the bus */
  readonly resultWrite: number;
  /** MMIO read taken and answered */
  readonly mmioRead: number;
  /** sendmsg: RPC entered, send queue asked, first DMA read on the bus */
  readonly sendStart: number;
  /** payload in the card, headers built, first byte at the MAC */
  readonly packetBuild: number;
  /** MAC and PCS, transmit side */
  readonly macTransmit: number;
  /** MAC and PCS, receive side */
  readonly macReceive: number;
  /** headers parsed, RPC found, first payload write on the bus */
  readonly ingressParse: number;
  /** core reset */
  readonly reset: number;
}

export type CycleTableName = 'u250-gen3x16' | 'u250-original';

export const cycleTables: Readonly<Record<CycleTableName, CycleTable>> = {
  'u250-gen3x16': {
    name: 'u250-gen3x16',
    source: "design budget of this card's RTL, unproven until the RTL counts its own cycles",
    callTakeUp: 6,
    callInterval: 1,
    callDecode: 4,
    resultWrite: 14,
    mmioRead: 10,
    sendStart: 8,
    packetBuild: 12,
    macTransmit: 12,
    macReceive: 12,
    ingressParse: 12,
    reset: 64,
  },
  'u250-original': {
    name: 'u250-original',
    source:
      "the original card's logic: 46 to 85 cycles of its echo are its own, inferred from its trace and PCIe floors (docs/performance.md)",
    callTakeUp: 18,
    callInterval: 4,
    callDecode: 12,
    resultWrite: 40,
    mmioRead: 28,
    sendStart: 20,
    packetBuild: 30,
    macTransmit: 12,
    macReceive: 12,
    ingressParse: 30,
    reset: 64,
  },
};

/** One row of a path: a step and its cycles. */
export interface CyclePart {
  readonly part: string;
  readonly cycles: number;
}

/** The steps of an echo (nop call in, result out), in order; their sum is `echoCycles`. */
export function echoParts(table: CycleTable): CyclePart[] {
  return [
    { part: 'call take-up', cycles: table.callTakeUp },
    { part: 'call decode', cycles: table.callDecode },
    { part: 'result write', cycles: table.resultWrite },
  ];
}

/** Cycles from the last word of a nop call to its result on the bus. */
export function echoCycles(table: CycleTable): number {
  return table.callTakeUp + table.callDecode + table.resultWrite;
}

/** Cycles from a read request to its answer. */
export function readCycles(table: CycleTable): number {
  return table.mmioRead;
}

/** Steps of a message on the sending card: the last call word to the first DMA read, and payload to MAC. */
export function sendParts(table: CycleTable): CyclePart[] {
  return [
    { part: 'call take-up', cycles: table.callTakeUp },
    { part: 'call decode', cycles: table.callDecode },
    { part: 'send start', cycles: table.sendStart },
    { part: 'packet build', cycles: table.packetBuild },
    { part: 'MAC transmit', cycles: table.macTransmit },
  ];
}

/** Steps of a message on the receiving card: last byte of the frame to its result on the bus. */
export function receiveParts(table: CycleTable): CyclePart[] {
  return [
    { part: 'MAC receive', cycles: table.macReceive },
    { part: 'ingress parse', cycles: table.ingressParse },
    { part: 'result write', cycles: table.resultWrite },
  ];
}
