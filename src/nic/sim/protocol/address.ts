// SPDX-License-Identifier: Apache-2.0
/**
 * Network and Ethernet addresses as integers.
 *
 * An IP address is four 32-bit words in a `Uint32Array` (at any position of a larger one); an IPv4 address is held as
 * the mapped form ::ffff:a.b.c.d, so one kind of key serves both families. A MAC address is two numbers, the upper 16
 * and the lower 32 bits. Text is parsed and printed at the edges only.
 */

/** Third word of an IPv4-mapped address; the first two are zero. */
export const MAPPED_WORD = 0xffff;

/** Whether the four words at `at` are an IPv4 address in mapped form. */
export function isMapped(words: Uint32Array, at = 0): boolean {
  return words[at] === 0 && words[at + 1] === 0 && words[at + 2] === MAPPED_WORD;
}

/** Whether two addresses (each at a position of its array) are equal. */
export function sameAddress(a: Uint32Array, aAt: number, b: Uint32Array, bAt: number): boolean {
  return (
    a[aAt + 3] === b[bAt + 3] && a[aAt + 2] === b[bAt + 2] && a[aAt + 1] === b[bAt + 1] && a[aAt] === b[bAt]
  );
}

/** Copies an address without allocating. */
export function copyAddress(from: Uint32Array, fromAt: number, to: Uint32Array, toAt: number): void {
  to[toAt] = from[fromAt]!;
  to[toAt + 1] = from[fromAt + 1]!;
  to[toAt + 2] = from[fromAt + 2]!;
  to[toAt + 3] = from[fromAt + 3]!;
}

/** The mapped form of an IPv4 address given as one 32-bit number. */
export function mappedAddress(ipv4: number): Uint32Array {
  return Uint32Array.of(0, 0, MAPPED_WORD, ipv4 >>> 0);
}

function parseIpv4(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    value = value * 256 + Number(part);
  }
  return value;
}

/** Reads IPv4 or IPv6 text (`10.0.0.1`, `fd00::a`, `::ffff:10.0.0.1`). Answers undefined when it is neither. */
export function parseAddress(text: string): Uint32Array | undefined {
  if (!text.includes(':')) {
    const value = parseIpv4(text);
    return value === undefined ? undefined : mappedAddress(value);
  }
  let rest = text;
  const tail: number[] = [];
  if (text.includes('.')) {
    const cut = text.lastIndexOf(':') + 1;
    const value = parseIpv4(text.slice(cut));
    if (value === undefined) return undefined;
    tail.push(value >>> 16, value & 0xffff);
    rest = text.slice(0, cut);
    if (!rest.endsWith('::')) rest = rest.slice(0, -1);
  }
  const halves = rest.split('::');
  if (halves.length > 2) return undefined;
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const left = groups(halves[0]!);
  const right = halves.length === 2 ? groups(halves[1]!) : [];
  if (![...left, ...right].every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  const missing = 8 - left.length - right.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const parse = (group: string): number => Number.parseInt(group, 16);
  const all = [...left.map(parse), ...new Array<number>(missing).fill(0), ...right.map(parse), ...tail];
  return Uint32Array.from({ length: 4 }, (_, i) => ((all[2 * i]! << 16) | all[2 * i + 1]!) >>> 0);
}

/** Prints an address: dotted for mapped IPv4, otherwise the shortest IPv6 form (RFC 5952). */
export function formatAddress(words: Uint32Array, at = 0): string {
  if (isMapped(words, at)) {
    const value = words[at + 3]!;
    return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join('.');
  }
  const groups: number[] = [];
  for (let i = 0; i < 4; i++) groups.push(words[at + i]! >>> 16, words[at + i]! & 0xffff);
  let best = -1;
  let bestLength = 1;
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && groups[i + length] === 0) length++;
    if (length > bestLength) {
      best = i;
      bestLength = length;
    }
  }
  const hex = (part: number[]): string => part.map((group) => group.toString(16)).join(':');
  if (best < 0) return hex(groups);
  return `${hex(groups.slice(0, best))}::${hex(groups.slice(best + bestLength))}`;
}

/** Reads `02:00:00:00:00:0a` (or with dashes) as upper 16 and lower 32 bits; undefined when it is no MAC address. */
export function parseMac(text: string): { hi: number; lo: number } | undefined {
  if (!/^[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}$/.test(text)) return undefined;
  const digits = text.replace(/[:-]/g, '');
  return { hi: Number.parseInt(digits.slice(0, 4), 16), lo: Number.parseInt(digits.slice(4), 16) };
}

/** Prints a MAC address with colons. */
export function formatMac(hi: number, lo: number): string {
  const digits = hi.toString(16).padStart(4, '0') + lo.toString(16).padStart(8, '0');
  return digits.match(/../g)!.join(':');
}

/** Neither unspecified, nor multicast, nor the IPv4 broadcast address. */
export function isUnicast(words: Uint32Array): boolean {
  if (isMapped(words)) {
    const first = words[3]! >>> 24;
    return first !== 0 && first < 224;
  }
  const first = words[0]! >>> 24;
  return first !== 0xff && (words[0] !== 0 || words[1] !== 0 || words[2] !== 0 || words[3] !== 0);
}
