// SPDX-License-Identifier: Apache-2.0
import { parse } from '@oclif/core/parser';
import { expect } from 'chai';
import fc from 'fast-check';
import { PROTOCOL_PARAMETERS, protocolFlags, protocolRegisters } from '#src/base/protocol-flags.js';
import { Register, RegisterTable } from '#src/nic/regs.js';
import { createSimNic } from '#src/nic/sim/device.js';
import { parseIpv4, parseMac } from '#src/world/addresses.js';
import { AttachedHost } from '#src/world/attached-host.js';
import { readRegister } from '#src/world/host/driver.js';

/** Registers that can be written and are no parameters of the protocol: control, addresses, the MAC. */
const OTHERS = /^(control|scratch|macAddress\w+|ipv4Address|ipv6Address\d|macControl|macScratch)$/;
const PARAMETER_REGISTERS = RegisterTable.filter(({ access, name }) => access === 'rw' && !OTHERS.test(name));
const NAMES = Object.keys(PROTOCOL_PARAMETERS) as (keyof typeof PROTOCOL_PARAMETERS)[];
const LEVELS = 8;

const registersOf = async (...argv: string[]): Promise<Record<string, number>> =>
  protocolRegisters((await parse(argv, { flags: protocolFlags })).flags);

async function refusal(...argv: string[]): Promise<string> {
  try {
    await registersOf(...argv);
  } catch (error) {
    return String(error);
  }
  throw new Error(`${argv.join(' ')} was taken`);
}

describe('flags of the protocol parameters', () => {
  it('there is one, and one only, for every parameter register', () => {
    const set = NAMES.flatMap((name): readonly string[] => PROTOCOL_PARAMETERS[name].registers);
    expect([...set].sort()).to.deep.equal(PARAMETER_REGISTERS.map(({ name }) => name).sort());
  });

  it('have the values after reset as defaults, and then tell the card nothing', async () => {
    expect(await registersOf()).to.deep.equal({});
    const list = '0,0,0,0,1000000,15000,2800,200';
    expect(await registersOf('--mtu', '1500', '--cutoffs', list, '--tick-us', '1_000')).to.deep.equal({});
    expect(await registersOf('--priority-map', '0,1,2,3,4,5,6,7')).to.deep.equal({});
  });

  it('take what their register takes, and no more', async () => {
    for (const name of NAMES) {
      const { registers } = PROTOCOL_PARAMETERS[name];
      if (registers.length > 1 || name === 'priority-map') continue;
      const { min, max, reset } = PARAMETER_REGISTERS.find((register) => register.name === registers[0])!;
      for (const value of [min, max]) {
        const expected = value === reset ? {} : { [registers[0]!]: value };
        expect(await registersOf(`--${name}=${value}`), name).to.deep.equal(expected);
      }
      const range = `from ${min} to ${max}`;
      expect(await refusal(`--${name}=${max + 1}`), name).to.contain(range);
      expect(await refusal(`--${name}=${min - 1}`), name).to.contain(range);
      expect(await refusal(`--${name}=1.5`), name).to.contain(range);
    }
  });

  it('a list has a number for each level, and sets only what differs', async () => {
    expect(await registersOf('--cutoffs', '0,0,0,1,1_000_000,15000,2800,4294967295')).to.deep.equal({
      cutoff3: 1,
      cutoff7: 4_294_967_295,
    });
    expect(await registersOf('--priority-map', '7,6,5,4,3,2,1,0')).to.deep.equal({ priorityMap: 0x01234567 });
    expect(await registersOf('--priority-map', '0,0,0,0,0,0,0,7')).to.deep.equal({ priorityMap: 0x70000000 });
    for (const text of [
      '1,2,3',
      '0,1,2,3,4,5,6,7,8',
      '0,1,2,3,4,5,6,8',
      '0,1,2,3,4,5,6,',
      '0,1,2,3,4,5,6,-1',
    ]) {
      expect(await refusal('--priority-map', text)).to.contain('8 whole numbers from 0 to 7 with commas');
    }
    expect(await refusal('--cutoffs', '0,0,0,0,0,0,0,4294967296')).to.contain('from 0 to 4294967295');
  });

  it('property: a list comes back from the registers it sets', async () => {
    const levels = fc.array(fc.nat(7), { minLength: LEVELS, maxLength: LEVELS });
    await fc.assert(
      fc.asyncProperty(levels, async (wanted) => {
        const { priorityMap = 0x76543210 } = await registersOf('--priority-map', wanted.join());
        expect(wanted.map((_, level) => (priorityMap >>> (4 * level)) & 15)).to.deep.equal(wanted);
      }),
    );
  });

  it('reach the registers of an attached card', async () => {
    const registers = await registersOf(
      '--need-ack-limit=7',
      '--grant-window',
      '9000',
      '--cutoffs',
      '1,2,3,4,5,6,7,8',
    );
    const attached = new AttachedHost(
      {
        settings: { mac: parseMac('02:00:00:00:00:01'), ipv4: parseIpv4('10.0.0.1'), registers },
        neighbours: [],
        echoPorts: [],
        seed: 1,
      },
      (outputs) => createSimNic({}, outputs),
      () => undefined,
    );
    const read = (offset: number) => attached.world.complete(attached.host, readRegister(offset));
    expect(read(Register.needAckLimit)).to.equal(7);
    expect(read(Register.grantWindow)).to.equal(9000);
    expect(read(Register.maxOvercommit)).to.equal(8);
    for (let level = 0; level < LEVELS; level++)
      expect(read(Register.cutoff0 + 4 * level)).to.equal(level + 1);
  });
});
