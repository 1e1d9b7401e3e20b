// SPDX-License-Identifier: Apache-2.0
import { readFile, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WorkloadError, parseWorkloadTable, type WorkloadTable } from '../workload/workload-table.js';

const FOLDER = fileURLToPath(new URL('../../data/workloads/', import.meta.url));

/** Names of the workloads shipped with the package, in order: w1 to w5. */
export async function listWorkloads(): Promise<string[]> {
  const files = await readdir(FOLDER);
  return files
    .filter((file) => file.endsWith('.json'))
    .map((file) => basename(file, '.json'))
    .sort();
}

/**
 * Loads a workload by name (w1 to w5, upper or lower case) or from a file whose name ends in `.json`.
 * Throws WorkloadError: unknown name (with the names that exist), unreadable file, not JSON, or a bad table.
 */
export async function loadWorkload(nameOrFile: string): Promise<WorkloadTable> {
  if (!nameOrFile.endsWith('.json')) {
    const names = await listWorkloads();
    const name = nameOrFile.toLowerCase();
    if (!names.includes(name)) {
      throw new WorkloadError(
        `unknown workload "${nameOrFile}": use one of ${names.join(', ')}, or a file that ends in .json`,
        'missing',
      );
    }
    return parse(await readFile(join(FOLDER, `${name}.json`), 'utf8'), name);
  }
  let text: string;
  try {
    text = await readFile(nameOrFile, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new WorkloadError(`cannot read the workload file ${nameOrFile} (${code})`, 'missing');
  }
  return parse(text, basename(nameOrFile, '.json'));
}

function parse(text: string, name: string): WorkloadTable {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new WorkloadError(`workload ${name}: the file is not JSON`);
  }
  return parseWorkloadTable(json, name);
}
