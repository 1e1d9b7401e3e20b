// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from 'node:fs';
import { expect } from 'chai';
import { CONFIG_KEYS, DEFAULTS } from '#src/base/config-keys.js';
import { placeOf, readSchema, type SchemaName, validate } from '#src/schema/validate.js';

describe('schema validation', () => {
  it('compiles every schema of the package', async () => {
    const names = readdirSync('schemas').filter((file) => file.endsWith('.json'));
    expect(names).to.include('config.v1.json');
    for (const file of names) await validate(file.replace(/\.json$/, '') as SchemaName, {});
  });

  it('configuration has the keys of the code, and its defaults are valid', async () => {
    const keys = Object.keys(readSchema('config.v1').properties ?? {}).filter((key) => key !== '$schema');
    expect(keys).to.deep.equal(CONFIG_KEYS);
    const set = Object.fromEntries(Object.entries(DEFAULTS).filter(([, value]) => value !== null));
    expect(await validate('config.v1', set)).to.deep.equal([]);
  });

  it('an unknown key comes with the nearest one and the allowed ones', async () => {
    expect(await validate('config.v1', { warmpu: 1 })).to.deep.equal([
      "unknown key 'warmpu'; did you mean 'warmup'? (allowed: nic, device, target, pcieProfile, seed, count, warmup, resultsFolder)",
    ]);
    const [fault] = await validate('scenario.v1', { schemaVersion: 1, name: 'x', hosts: [{ nmae: 'a' }] });
    expect(fault).to.match(/^hosts\[0\]: /);
  });

  it('all faults are told, each with its place', async () => {
    const faults = await validate('config.v1', { seed: -1, count: 1.5, target: 'vn', nic: 3 });
    expect(faults).to.have.members([
      'seed: -1 must be >= 0',
      'count: 1.5 must be an integer',
      'target: "vn" is none of local, vm; did you mean vm?',
      'nic: 3 must be a string',
    ]);
    expect(await validate('config.v1', [])).to.deep.equal(['[] must be an object']);
  });

  it('of two alternatives that are both missing, both are named', async () => {
    const summary = {
      count: 0,
      min: null,
      p50: null,
      p90: null,
      p99: null,
      p999: null,
      max: null,
      mean: null,
      deviation: null,
    };
    const test = {
      name: 'echo',
      sizeBytes: 64,
      unit: 'ns',
      clock: 'simulated',
      span: 'x',
      count: 0,
      summary,
      warnings: [],
    };
    const faults = await validate('result.v1', { tests: [test] });
    expect(faults).to.include('tests[0]: exactly one of samplesNs, histogram is needed');
  });

  it('places are written as people write them', () => {
    expect(placeOf('/hosts/0/name')).to.equal('hosts[0].name');
    expect(placeOf('/a~1b/c~0d')).to.equal('a/b.c~d');
    expect(placeOf('')).to.equal('');
  });
});
