// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What the run that wrote a trace says about itself. */
export interface TraceSource {
  simulated?: boolean;
  profile?: string | null;
  seed?: number | null;
  /** the run was interrupted: the trace is what it had until then */
  interrupted?: true;
}

/**
 * Reads simulated, profile, seed and whether it was interrupted from the `result.json` beside a trace. Empty when there
 * is none; throws SyntaxError or TypeError when there is one that cannot be made sense of.
 */
export function traceSourceBeside(tracePath: string): TraceSource {
  let text: string;
  try {
    text = readFileSync(join(dirname(tracePath), 'result.json'), 'utf8');
  } catch {
    return {};
  }
  const found: unknown = JSON.parse(text);
  if (typeof found !== 'object' || found === null) throw new TypeError('it is no object');
  const { simulated, profile, seed, partial } = found as Record<string, unknown>;
  return {
    ...(typeof simulated === 'boolean' ? { simulated } : {}),
    ...(typeof profile === 'string' ? { profile } : {}),
    ...(typeof seed === 'number' ? { seed } : {}),
    ...(partial === true ? { interrupted: true } : {}),
  };
}
