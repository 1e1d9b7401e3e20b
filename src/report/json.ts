// SPDX-License-Identifier: Apache-2.0

function isPlain(value: unknown): boolean {
  return value === null || typeof value !== 'object';
}

/**
 * JSON for people and programs: objects indented by two, arrays of plain values on one line (a result holds
 * thousands of samples), a final newline never added. Undefined at the top becomes null; NaN and infinities become null.
 */
export function formatJson(value: unknown, indent = ''): string {
  const held = hasToJson(value) ? value.toJSON() : value;
  if (isPlain(held)) return JSON.stringify(held ?? null) ?? 'null';
  const inner = `${indent}  `;
  if (Array.isArray(held) || ArrayBuffer.isView(held)) {
    const items = Array.from(held as ArrayLike<unknown>);
    if (items.length === 0) return '[]';
    if (items.every(isPlain)) return `[${items.map((item) => formatJson(item)).join(', ')}]`;
    return `[\n${items.map((item) => inner + formatJson(item, inner)).join(',\n')}\n${indent}]`;
  }
  const lines: string[] = [];
  for (const [key, item] of Object.entries(held as object)) {
    if (item === undefined || typeof item === 'function') continue;
    lines.push(`${inner}${JSON.stringify(key)}: ${formatJson(item, inner)}`);
  }
  return lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n${indent}}`;
}

function hasToJson(value: unknown): value is { toJSON(): unknown } {
  return (
    typeof value === 'object' && value !== null && 'toJSON' in value && typeof value.toJSON === 'function'
  );
}
