// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../errors/errors.js';
import { systemErrorWords } from './classify.js';
import { CONFIG_KEYS, type ConfigKey, DEFAULTS, variableOfKey } from './config-keys.js';
import { showPath } from './shown-path.js';

/** A setting and where it comes from. */
export interface Setting {
  value: string | number | null;
  /** `environment`, `project file`, `user file` or `default`; a flag comes before them all. */
  source: 'environment' | 'project file' | 'user file' | 'default';
  /** The variable or the file, for people. */
  from: string;
}

export type Configuration = Record<ConfigKey, Setting>;

const PROJECT_FILE = 'homa-nic.json';

/** The user's configuration file (XDG). */
export function userFile(): string {
  const base = process.env['XDG_CONFIG_HOME'] || join(homedir(), '.config');
  return join(base, 'homa-nic', 'config.json');
}

/** The same as people read it: `~/.config/...`, or relative to the current folder. */
export function shownUserFile(): string {
  const file = userFile();
  const home = `${homedir()}/`;
  return file.startsWith(home) ? `~/${file.slice(home.length)}` : showPath(file);
}

function readJson(file: string, shown: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new UsageError(`${shown}: ${systemErrorWords(code)}`, { code: 'config', cause: error });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${shown}: this is not JSON: ${(error as Error).message}`, {
      code: 'config',
      cause: error,
    });
  }
}

async function check(
  values: unknown,
  shown: (sentence: string) => string,
): Promise<Record<string, string | number>> {
  const { validate } = await import('../schema/validate.js');
  const faults = await validate('config.v1', values);
  if (faults.length > 0) {
    throw new UsageError(faults.map(shown).join('\n'), {
      code: 'config',
      suggestions: ['homa-nic config --help'],
    });
  }
  return values as Record<string, string | number>;
}

async function fromFile(file: string, shown: string): Promise<Record<string, string | number>> {
  const values = readJson(file, shown);
  return values === undefined ? {} : check(values, (sentence) => `${shown}: ${sentence}`);
}

async function fromEnvironment(): Promise<Record<string, string | number>> {
  const values: Record<string, string | number> = {};
  for (const key of CONFIG_KEYS) {
    const text = process.env[variableOfKey(key)];
    if (text === undefined || text === '') continue;
    const isNumber = typeof DEFAULTS[key] === 'number' && /^[+-]?\d+$/.test(text);
    values[key] = isNumber ? Number(text) : text;
  }
  if (Object.keys(values).length === 0) return values;
  return check(values, (sentence) => {
    const key = sentence.split(':')[0]!;
    return sentence.replace(key, variableOfKey(key));
  });
}

/**
 * Resolves every configurable setting: environment, ./homa-nic.json, the user's file, default, in this order.
 * Throws a UsageError for a file that is not JSON, an unknown key or a value of the wrong kind.
 */
export async function loadConfiguration(): Promise<Configuration> {
  const environment = await fromEnvironment();
  const project = await fromFile(join(process.cwd(), PROJECT_FILE), `./${PROJECT_FILE}`);
  const user = await fromFile(userFile(), shownUserFile());
  const pick = (key: ConfigKey): Setting => {
    if (environment[key] !== undefined) {
      return { value: environment[key], source: 'environment', from: variableOfKey(key) };
    }
    if (project[key] !== undefined) {
      return { value: project[key], source: 'project file', from: `./${PROJECT_FILE}` };
    }
    if (user[key] !== undefined) return { value: user[key], source: 'user file', from: shownUserFile() };
    return { value: DEFAULTS[key], source: 'default', from: 'built in' };
  };
  return Object.fromEntries(CONFIG_KEYS.map((key) => [key, pick(key)])) as Configuration;
}

/** Variables that begin with HOMA_NIC_ and mean nothing: most likely slips of the finger. */
export function unknownVariables(environment: NodeJS.ProcessEnv = process.env): string[] {
  const known = new Set([
    ...CONFIG_KEYS.map(variableOfKey),
    'HOMA_NIC_DEBUG',
    'HOMA_NIC_LONG',
    'HOMA_NIC_CACHE_DIR',
  ]);
  return Object.keys(environment).filter((name) => name.startsWith('HOMA_NIC_') && !known.has(name));
}
