// SPDX-License-Identifier: Apache-2.0

/** Says why a line is no record of a time trace, in a few words that point at the part which is wrong. */
export function explainBadLine(line: string): string {
  if (/^cpu_khz: \d/.test(line) || /^\s*\d+ \[C\d+\] /.test(line)) {
    return 'cycle counts of the kernel, not microseconds: convert the trace with ttprint.py first';
  }
  if (/^ *[-0-9.]+ ns \(\+/.test(line)) return 'times in ns, not in us';
  if (!/^ *-?\d+(\.\d*)? us /.test(line)) return 'no time in us at its start';
  if (!/^ *\S+ us \(\+ *-?\d+(\.\d*)? us\)/.test(line)) return 'no `(+   0.100 us)` after the time';
  return 'no [tag] after the times';
}
