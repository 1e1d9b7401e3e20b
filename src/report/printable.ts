// SPDX-License-Identifier: Apache-2.0

/**
 * A text from outside (an event of a trace, a file name) as a terminal may have it: control characters, which could move
 * the cursor or repaint what stands there, are spelled out. Line breaks stay.
 */
export function printable(text: string): string {
  return text.replaceAll(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/g, (control) => {
    if (control === '\t') return '\\t';
    return `\\x${control.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}
