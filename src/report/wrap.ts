// SPDX-License-Identifier: Apache-2.0

/** Breaks a text at blanks; the first line begins `firstColumn` columns in, the others at the indent. */
export function wrap(text: string, width: number, indent: string, firstColumn = 0): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const room = width - (lines.length === 0 ? firstColumn : indent.length);
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines.join(`\n${indent}`);
}
