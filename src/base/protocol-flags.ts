// SPDX-License-Identifier: Apache-2.0
// The protocol's parameters as flags: a row for each, with the register (or registers) it sets. Ranges and defaults are
// those of the register table, so that they are written once.
import * as Flags from '@oclif/core/flags';
import type { Interfaces } from '@oclif/core';
import { UsageError } from '../errors/errors.js';
import { type RegisterInfo, RegisterTable } from '../nic/regs.js';
import { wholeNumber } from './flags.js';

/** A parameter that is one number, or one for each priority level. */
interface Parameter {
  text: string;
  helpValue: string;
  /** a name of the register table; a list has one for each number, or packs all of them into one */
  registers: readonly string[];
  /** a number for each priority level, lowest level first */
  list?: true;
  /** bits of each number where a list is packed into one register, level 0 lowest */
  packedBits?: number;
}

const LEVELS = 8;
/** A wire priority has three bits. */
const HIGHEST_PACKED = 7;

/** Every parameter the card has a register for, by flag. */
export const PROTOCOL_PARAMETERS = {
  mtu: { text: 'largest IP packet', helpValue: 'BYTES', registers: ['mtu'] },
  'unscheduled-bytes': {
    text: 'bytes of a message sent without a grant',
    helpValue: 'BYTES',
    registers: ['unscheduledBytes'],
  },
  'max-incoming': {
    text: 'bytes granted and not received, over all messages',
    helpValue: 'BYTES',
    registers: ['maxIncoming'],
  },
  'grant-window': {
    text: 'bytes granted and not received, of one message; 0, the default: --max-incoming / (active messages + 1)',
    helpValue: 'BYTES',
    registers: ['grantWindow'],
  },
  'max-overcommit': {
    text: 'messages granted to at once',
    helpValue: 'NUMBER',
    registers: ['maxOvercommit'],
  },
  'fifo-grant-increment': {
    text: 'step of a grant to the oldest message',
    helpValue: 'BYTES',
    registers: ['fifoGrantIncrement'],
  },
  'grant-fifo-fraction': {
    text: 'share of the link granted to the oldest message',
    helpValue: 'THOUSANDTHS',
    registers: ['grantFifoFraction'],
  },
  'pacer-fifo-fraction': {
    text: 'share of the sent bytes that goes to the oldest message',
    helpValue: 'THOUSANDTHS',
    registers: ['pacerFifoFraction'],
  },
  'num-priorities': { text: 'priority levels in use', helpValue: 'NUMBER', registers: ['numPriorities'] },
  'priority-map': {
    text: 'wire priority of each level, lowest level first',
    helpValue: 'P0,..,P7',
    registers: ['priorityMap'],
    list: true,
    packedBits: 4,
  },
  'link-mbps': {
    text: 'link rate that --grant-fifo-fraction is a share of',
    helpValue: 'MBPS',
    registers: ['linkMbps'],
  },
  cutoffs: {
    text: 'longest message of each priority level when sent without a grant, lowest level first, in bytes',
    helpValue: 'B0,..,B7',
    registers: Array.from({ length: LEVELS }, (_, level) => `cutoff${level}`),
    list: true,
  },
  'cutoff-version': {
    text: 'version sent with the cutoffs; a peer that knows another is sent them',
    helpValue: 'NUMBER',
    registers: ['cutoffVersion'],
  },
  'tick-us': { text: 'timer tick', helpValue: 'MICROSECONDS', registers: ['tick'] },
  'resend-ticks': { text: 'silence before the first RESEND', helpValue: 'TICKS', registers: ['resendTicks'] },
  'resend-interval': { text: 'between RESENDs', helpValue: 'TICKS', registers: ['resendInterval'] },
  'timeout-ticks': {
    text: 'silence before an RPC is given up',
    helpValue: 'TICKS',
    registers: ['timeoutTicks'],
  },
  'request-ack-ticks': {
    text: 'before the first NEED_ACK',
    helpValue: 'TICKS',
    registers: ['requestAckTicks'],
  },
  'need-ack-limit': {
    text: 'NEED_ACKs, one a tick, to a silent client before its RPC is forgotten',
    helpValue: 'NUMBER',
    registers: ['needAckLimit'],
  },
  'neighbour-ticks': {
    text: "time a peer's MAC address may take to be found",
    helpValue: 'TICKS',
    registers: ['neighbourTicks'],
  },
} as const satisfies Record<string, Parameter>;

type ParameterName = keyof typeof PROTOCOL_PARAMETERS;
const PARAMETERS: Readonly<Record<ParameterName, Parameter>> = PROTOCOL_PARAMETERS;

function registerOf(name: string): RegisterInfo {
  const info = RegisterTable.find((register) => register.name === name);
  if (info === undefined) throw new Error(`no register '${name}'`);
  return info;
}

/** A flag that takes a whole number for each priority level. */
const levelList = Flags.custom<number[], { max: number }>({
  parse: async (input, _context, { max }) => {
    const values = input
      .split(',')
      .map((part) => (/^\d[\d_]*$/.test(part) ? Number(part.replaceAll('_', '')) : NaN));
    if (values.length !== LEVELS || !values.every((value) => value <= max)) {
      throw new UsageError(
        `'${input}' is not ${LEVELS} whole numbers from 0 to ${max} with commas between them`,
      );
    }
    return values;
  },
});

/** A parameter's numbers as its registers hold them after reset. */
function defaultsOf({ registers, packedBits }: Parameter): number[] {
  const resets = registers.map((name) => registerOf(name).reset ?? 0);
  if (packedBits === undefined) return resets;
  return Array.from({ length: LEVELS }, (_, level) => (resets[0]! >>> (packedBits * level)) & HIGHEST_PACKED);
}

function flagOf(parameter: Parameter): Interfaces.OptionFlag<number> | Interfaces.OptionFlag<number[]> {
  const { text, helpValue, registers, list, packedBits } = parameter;
  const { min, max } = registerOf(registers[0]!);
  const shown = { description: text, helpValue, helpGroup: 'PROTOCOL' };
  const defaults = defaultsOf(parameter);
  if (list !== true) return wholeNumber({ ...shown, min, max, default: defaults[0]! });
  return levelList({ ...shown, max: packedBits === undefined ? max : HIGHEST_PACKED, default: defaults });
}

type ValueOf<P> = P extends { list: true } ? number[] : number;
type ProtocolFlags = {
  [Name in ParameterName]: Interfaces.OptionFlag<ValueOf<(typeof PROTOCOL_PARAMETERS)[Name]>>;
};

/** The flags of all parameters: spread them into `static flags`. */
export const protocolFlags = Object.fromEntries(
  Object.entries(PARAMETERS).map(([name, parameter]) => [name, flagOf(parameter)]),
) as ProtocolFlags;

/** What a card has to be told: the registers that the flags want otherwise than a reset leaves them, by name. */
export function protocolRegisters(
  flags: Readonly<Record<ParameterName, number | number[]>>,
): Record<string, number> {
  const out: Record<string, number> = {};
  for (const [name, { registers, packedBits = 0 }] of Object.entries(PARAMETERS)) {
    const wanted = [flags[name as ParameterName]].flat();
    const values =
      packedBits === 0
        ? wanted
        : [wanted.reduce((word, value, level) => (word | (value << (packedBits * level))) >>> 0, 0)];
    registers.forEach((register, i) => {
      if (values[i] !== registerOf(register).reset) out[register] = values[i]!;
    });
  }
  return out;
}
