#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Writes every form of the host interface from regs/host-interface.json.
//   node regs/generate.mjs           writes the files
//   node regs/generate.mjs --check   fails (exit 1) when a committed file is not what would be written
import { readFileSync, writeFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadInterface } from './model.mjs';
import { emitTypeScript } from './emit-typescript.mjs';
import { emitC } from './emit-c.mjs';
import { emitSystemVerilog, emitSystemVerilogCheck } from './emit-systemverilog.mjs';
import { emitMarkdown } from './emit-markdown.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const model = loadInterface(JSON.parse(readFileSync(join(root, 'regs/host-interface.json'), 'utf8')));
const outputs = {
  'src/nic/regs.ts': emitTypeScript(model),
  'driver/uapi/homa_nic_regs.h': emitC(model),
  'hw/rtl/homa_nic_regs_pkg.sv': emitSystemVerilog(model),
  'hw/rtl/homa_nic_regs_check.sv': emitSystemVerilogCheck(model),
  'docs/registers.md': emitMarkdown(model),
};

let stale = 0;
for (const [path, text] of Object.entries(outputs)) {
  const target = join(root, path);
  if (process.argv.includes('--check')) {
    let committed = '';
    try {
      committed = readFileSync(target, 'utf8');
    } catch {
      // a missing file is a stale file
    }
    if (committed !== text) {
      console.error(`${path} is not current: run npm run generate`);
      stale++;
    }
  } else {
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
  }
}
if (stale === 0) console.log(`generated files: ${Object.keys(outputs).length} current`);
process.exitCode = stale === 0 ? 0 : 1;
