// SPDX-License-Identifier: Apache-2.0
// The checked form of host-interface.json that the emitters read.

/** Resolves names to numbers, checks the layout and returns the interface; throws on any contradiction. */
export function loadInterface(source) {
  const number = (text) => (typeof text === 'number' ? text : Number(text));
  const constants = source.constants.map((c) => ({ ...c, number: number(c.value) }));
  const byName = new Map(constants.map((c) => [c.name, c.number]));
  byName.set('VERSION', source.version.major * 65536 + source.version.minor);
  const resolve = (value) => {
    if (value === undefined) return undefined;
    if (byName.has(value)) return byName.get(value);
    const n = number(value);
    if (!Number.isInteger(n))
      throw new Error(`host-interface.json: ${value} is neither a number nor a constant`);
    return n;
  };
  const register = (r) => {
    const out = {
      ...r,
      offset: number(r.offset),
      reset: resolve(r.reset),
      min: r.min ?? 0,
      max: r.max ?? 0xffffffff,
    };
    if (out.offset % 4 !== 0) throw new Error(`register ${r.name}: offset is not a multiple of 4`);
    if (r.access === 'rw' && (out.reset === undefined || out.reset < out.min || out.reset > out.max)) {
      throw new Error(`register ${r.name}: its reset value is outside its range`);
    }
    return out;
  };
  const registers = source.registers.map(register);
  const macRegisters = source.macRegisters.map(register);
  const counters = source.counters.map((c, index) => ({
    ...c,
    index,
    offset: byName.get('COUNTERS') + 8 * index,
  }));
  for (const s of source.structs) {
    let end = 0;
    for (const f of s.fields) {
      if (f.offset !== end) throw new Error(`struct ${s.name}: hole or overlap before ${f.name}`);
      end = f.offset + f.bytes;
    }
    if (end !== s.bytes) throw new Error(`struct ${s.name}: fields end at ${end}, size is ${s.bytes}`);
  }
  unique(
    'register offset',
    [...registers, ...macRegisters].map((r) => r.offset),
  );
  unique(
    'name',
    [...constants, ...source.enums].map((x) => x.name),
  );
  unique(
    'register name',
    [...registers, ...macRegisters].map((r) => r.name),
  );
  unique(
    'counter',
    counters.map((c) => c.name),
  );
  for (const e of source.enums) {
    unique(
      `value of ${e.name}`,
      e.values.map((v) => v.value),
    );
    unique(
      `name of ${e.name}`,
      e.values.map((v) => v.name),
    );
  }
  if (registers.at(-1).offset >= byName.get('COUNTERS')) throw new Error('registers run into the counters');
  if (counters.at(-1).offset >= byName.get('USER_STATES'))
    throw new Error('counters run into the user states');
  return { ...source, constants, registers, macRegisters, counters, version: source.version };
}

function unique(what, values) {
  const seen = new Set();
  for (const v of values) {
    if (seen.has(v)) throw new Error(`host-interface.json: ${what} ${v} occurs twice`);
    seen.add(v);
  }
}

/** A number as written in the source: hexadecimal stays hexadecimal. */
export function literal(item) {
  return typeof item.value === 'string' ? item.value : String(item.value);
}

export const hex = (n, digits = 1) => `0x${n.toString(16).padStart(digits, '0')}`;
export const camel = (name) => name.toLowerCase().replace(/_([a-z0-9])/g, (_, c) => c.toUpperCase());
export const pascal = (name) => camel(name).replace(/^./, (c) => c.toUpperCase());
