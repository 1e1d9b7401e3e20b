// SPDX-License-Identifier: Apache-2.0
// Time traces as text, in the line format of Homa's user-level time-trace library (docs/parse.md#lines):
// "%9.3f us (+%8.3f us) [tag]  event". Written in blocks, so that a long trace never sits in memory twice.
import type { TraceEvent } from './backend.js';

const BLOCK_EVENTS = 4096;

/** Right-aligned microseconds with three decimals from whole nanoseconds, exactly. */
function microseconds(timeNs: number, width: number): string {
  const sign = timeNs < 0 ? '-' : '';
  const whole = Math.abs(timeNs);
  const fraction = String(whole % 1000).padStart(3, '0');
  return `${sign}${Math.floor(whole / 1000)}.${fraction}`.padStart(width);
}

/**
 * The lines of a trace. The first names the clock: `timestamp` ticks of a clock of `ghz` GHz at time 0 (a simulated
 * clock counts nanoseconds from 0 at 1 GHz). `tag` is the thread, without brackets.
 */
export function* traceText(
  events: Iterable<TraceEvent>,
  clock: { timestamp: number; ghz: number },
  tag = 'main',
): Generator<string> {
  const label = `[${tag}]`.padEnd(6);
  let block = `${microseconds(0, 9)} us (+${microseconds(0, 8)} us) [C0]   First event has timestamp ${clock.timestamp} (cpu_ghz ${clock.ghz.toFixed(15)})\n`;
  let previousNs = 0;
  let pending = 0;
  for (const { timeNs, name } of events) {
    block += `${microseconds(timeNs, 9)} us (+${microseconds(timeNs - previousNs, 8)} us) ${label} ${name}\n`;
    previousNs = timeNs;
    if (++pending === BLOCK_EVENTS) {
      yield block;
      block = '';
      pending = 0;
    }
  }
  if (block !== '') yield block;
}
