// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import * as regs from '#src/nic/regs.js';

interface Field {
  name: string;
  offset: number;
  bytes: number;
}
interface Source {
  structs: { name: string; bytes: number; fields: Field[] }[];
  enums: { name: string; values: { name: string; value: number; text: string }[] }[];
  registers: { name: string; offset: string; min?: number; max?: number }[];
}
const source = JSON.parse(readFileSync('regs/host-interface.json', 'utf8')) as Source;

interface Model {
  registers: { name: string; offset: number }[];
}
const { loadInterface } = (await import(join(process.cwd(), 'regs/model.mjs'))) as {
  loadInterface(source: unknown): Model;
};
const clone = (): Source & Record<string, unknown> =>
  structuredClone(source) as Source & Record<string, unknown>;

describe('host interface', () => {
  it('keeps the header of the original, field for field', () => {
    const at = (name: keyof typeof regs.HeaderLayout): number[] => {
      const field = regs.HeaderLayout[name];
      return typeof field === 'number' ? [] : [field.offset, field.bytes];
    };
    expect(regs.HeaderLayout.bytes).to.equal(64);
    expect(at('status')).to.deep.equal([0, 4]);
    expect(at('saddr')).to.deep.equal([4, 16]);
    expect(at('daddr')).to.deep.equal([20, 16]);
    expect(at('sport')).to.deep.equal([36, 2]);
    expect(at('dport')).to.deep.equal([38, 2]);
    expect(at('buffAddr')).to.deep.equal([40, 4]);
    expect(at('metadata')).to.deep.equal([44, 4]);
    expect(at('id')).to.deep.equal([48, 8]);
    expect(at('cc')).to.deep.equal([56, 8]);
  });

  it('gives every code a number, a name and a sentence', () => {
    for (const { value, text } of source.enums.find((e) => e.name === 'CODE')!.values) {
      expect(value).to.be.within(0, 255);
      expect(regs.CodeText[value]).to.equal(text);
      expect(regs.CodeName[value]).to.be.a('string');
    }
  });

  it('puts every register in the page of its kind and every reset value in its range', () => {
    for (const register of regs.RegisterTable) {
      expect(register.offset % 4, register.name).to.equal(0);
      if (register.reset !== undefined && register.access === 'rw') {
        expect(register.reset, register.name).to.be.within(register.min, register.max);
      }
      const inKernel = register.offset >= regs.KERNEL_REGISTERS && register.offset < regs.COUNTERS;
      expect(inKernel || register.offset >= regs.MAC_REGISTERS, register.name).to.equal(true);
    }
    expect(regs.COUNTERS + 8 * regs.CounterNames.length).to.be.at.most(regs.USER_STATES);
    expect((regs.MAX_USERS + 1) * regs.APERTURE_BYTES).to.be.at.most(regs.MAC_REGISTERS);
  });

  it('refuses a layout with a hole, an overlap or a register that is met twice', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.nat(),
        fc.integer({ min: -8, max: 8 }).filter((d) => d !== 0),
        (s, f, shift) => {
          const broken = clone();
          const struct = broken.structs[s % broken.structs.length]!;
          struct.fields[f % struct.fields.length]!.offset += shift;
          expect(() => loadInterface(broken)).to.throw(/hole or overlap|fields end/);
        },
      ),
    );
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (a, b) => {
        const broken = clone();
        const n = broken.registers.length;
        fc.pre(a % n !== b % n);
        broken.registers[a % n]!.offset = broken.registers[b % n]!.offset;
        expect(() => loadInterface(broken)).to.throw(/occurs twice|run into/);
      }),
    );
  });

  it('is current in every language', () => {
    const said = execFileSync(process.execPath, ['regs/generate.mjs', '--check'], { encoding: 'utf8' });
    expect(said).to.match(/generated files: 5 current/);
  });

  it('compiles as C and as C++, where the sizes and offsets are asserted', () => {
    const folder = mkdtempSync(join(tmpdir(), 'homa-nic-regs-'));
    try {
      const header = join(process.cwd(), 'driver/uapi/homa_nic_regs.h');
      writeFileSync(
        join(folder, 'a.c'),
        `#include "${header}"\nint main(void) { return HOMA_NIC_CODE_OK; }\n`,
      );
      const strict = ['-Wall', '-Wextra', '-Werror', '-o', join(folder, 'a'), join(folder, 'a.c')];
      execFileSync('gcc', ['-std=c11', '-pedantic', ...strict]);
      execFileSync('g++', ['-x', 'c++', '-std=c++17', ...strict]);
      execFileSync(join(folder, 'a'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
