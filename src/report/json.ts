// SPDX-License-Identifier: Apache-2.0

function isPlain(value: unknown): boolean {
  return value === null || typeof value !== 'object';
}

/** Least characters of a part: few writes, and far from the longest string there can be. */
const PART_LENGTH = 0x10000;

/**
 * JSON for people and programs: objects indented by two, arrays of plain values on one line (a result holds
 * thousands of samples), a final newline never added. Undefined at the top becomes null; NaN and infinities become null.
 */
export function formatJson(value: unknown): string {
  return [...pieces(value, '')].join('');
}

/** The same in parts: millions of RPCs are more text than one string can hold. */
export function* jsonParts(value: unknown): Generator<string> {
  let part = '';
  for (const piece of pieces(value, '')) {
    part += piece;
    if (part.length < PART_LENGTH) continue;
    yield part;
    part = '';
  }
  if (part !== '') yield part;
}

function* pieces(value: unknown, indent: string): Generator<string> {
  const held = hasToJson(value) ? value.toJSON() : value;
  if (isPlain(held)) {
    yield plainText(held);
    return;
  }
  const inner = `${indent}  `;
  if (Array.isArray(held) || ArrayBuffer.isView(held)) {
    const items = Array.from(held as ArrayLike<unknown>);
    if (items.every(isPlain)) {
      yield `[${items.map(plainText).join(', ')}]`;
      return;
    }
    let before = '[\n';
    for (const item of items) {
      yield before + inner;
      yield* pieces(item, inner);
      before = ',\n';
    }
    yield `\n${indent}]`;
    return;
  }
  let before = '{\n';
  for (const [key, item] of Object.entries(held as object)) {
    if (item === undefined || typeof item === 'function') continue;
    const start = `${before}${inner}${JSON.stringify(key)}: `;
    before = ',\n';
    if (isPlain(item)) yield start + plainText(item);
    else {
      yield start;
      yield* pieces(item, inner);
    }
  }
  yield before === '{\n' ? '{}' : `\n${indent}}`;
}

function plainText(value: unknown): string {
  return JSON.stringify(value ?? null) ?? 'null';
}

function hasToJson(value: unknown): value is { toJSON(): unknown } {
  return (
    typeof value === 'object' && value !== null && 'toJSON' in value && typeof value.toJSON === 'function'
  );
}
