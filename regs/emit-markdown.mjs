// SPDX-License-Identifier: Apache-2.0
import { camel, hex, literal } from './model.mjs';

/** docs/registers.md */
export function emitMarkdown(model) {
  const out = [
    '# The host interface, number by number',
    '',
    `Generated from \`regs/host-interface.json\` by \`npm run generate\`; interface version ${model.version.major}.${model.version.minor}.`,
    'How the numbers are used: `docs/api.md` (applications), `docs/driver.md` (driver).',
    '',
    '## Constants',
    '',
    '| name | value | meaning |',
    '|---|---|---|',
  ];
  for (const c of model.constants) out.push(`| ${c.name} | ${literal(c)} | ${c.text} |`);
  out.push('', '## Regions', '', '| number | device file | meaning |', '|---|---|---|');
  for (const r of model.regions) out.push(`| ${r.value} | /dev/${r.device} | ${r.text} |`);
  for (const s of model.structs) {
    out.push(
      '',
      `## ${s.name} (${s.bytes} bytes)`,
      '',
      s.text,
      '',
      '| offset | bytes | field | meaning |',
      '|---|---|---|---|',
    );
    for (const f of s.fields) out.push(`| ${f.offset} | ${f.bytes} | ${f.name} | ${f.text} |`);
  }
  for (const e of model.enums) {
    out.push('', `## ${e.name}`, '', `${e.text}.`, '', '| value | name | meaning |', '|---|---|---|');
    for (const v of e.values) out.push(`| ${v.value} | ${camel(v.name)} | ${v.text} |`);
  }
  const table = (title, list) => {
    out.push(
      '',
      `## ${title}`,
      '',
      '| offset | name | access | reset | range | meaning |',
      '|---|---|---|---|---|---|',
    );
    for (const r of list) {
      const range = r.access === 'rw' && (r.min !== 0 || r.max !== 0xffffffff) ? `${r.min}..${r.max}` : '';
      out.push(
        `| ${hex(r.offset, 4)} | ${camel(r.name)} | ${r.access} | ${r.reset ?? ''} | ${range}${r.unit ? ` ${r.unit}` : ''} | ${r.text} |`,
      );
    }
  };
  table('Registers (32 bits)', model.registers);
  table('MAC registers (32 bits)', model.macRegisters);
  out.push('', '## Counters (64 bits)', '', '| offset | name | counts |', '|---|---|---|');
  for (const c of model.counters) out.push(`| ${hex(c.offset, 4)} | ${camel(c.name)} | ${c.text} |`);
  out.push(
    '',
    '## User state block',
    '',
    'User u: 0x3000 + 16 x u.',
    '',
    '| offset | name | meaning |',
    '|---|---|---|',
  );
  for (const f of model.userState) out.push(`| ${f.offset} | ${camel(f.name)} | ${f.text} |`);
  out.push('');
  return out.join('\n');
}
