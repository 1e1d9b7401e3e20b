// SPDX-License-Identifier: Apache-2.0
import { isAbsolute, relative, resolve } from 'node:path';

/** A path as it is printed: relative to the current folder, never absolute (except in /dev, /sys and /proc). */
export function showPath(path: string): string {
  const full = resolve(path);
  if (/^\/(dev|sys|proc)\//.test(full)) return full;
  const shown = relative(process.cwd(), full);
  if (shown === '') return '.';
  return shown.startsWith('..') || isAbsolute(shown) ? shown : `./${shown}`;
}
