// SPDX-License-Identifier: Apache-2.0
// Addresses as text and as bytes.

/** An address that cannot be read; the message says what one looks like. */
export class AddressError extends Error {
  override readonly name = 'AddressError';
}

/** Six bytes of `02:00:00:00:00:01`. */
export function parseMac(text: string): Uint8Array {
  const parts = text.split(':');
  if (parts.length !== 6 || !parts.every((part) => /^[0-9a-f]{1,2}$/i.test(part))) {
    throw new AddressError(`'${text}' is not a MAC address like 02:00:00:00:00:01`);
  }
  return Uint8Array.from(parts, (part) => parseInt(part, 16));
}

/** Four bytes of `10.0.0.1`. */
export function parseIpv4(text: string): Uint8Array {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)) {
    throw new AddressError(`'${text}' is not an IPv4 address like 10.0.0.1`);
  }
  return Uint8Array.from(parts, Number);
}

/** Sixteen bytes of `fd00::1` (an IPv4 tail is accepted too). */
export function parseIpv6(text: string): Uint8Array {
  const fail = (): never => {
    throw new AddressError(`'${text}' is not an IPv6 address like fd00::1`);
  };
  const halves = text.split('::');
  if (halves.length > 2) fail();
  const bytesOf = (half: string): number[] => {
    if (half === '') return [];
    return half.split(':').flatMap((group, i, all) => {
      if (i === all.length - 1 && group.includes('.')) return [...parseIpv4(group)];
      if (!/^[0-9a-f]{1,4}$/i.test(group)) fail();
      const value = parseInt(group, 16);
      return [value >>> 8, value & 255];
    });
  };
  const head = bytesOf(halves[0]!);
  const tail = halves.length === 2 ? bytesOf(halves[1]!) : [];
  const missing = 16 - head.length - tail.length;
  if (halves.length === 2 ? missing < 2 : missing !== 0) fail();
  return Uint8Array.from([...head, ...new Array<number>(missing).fill(0), ...tail]);
}

/** IPv4 as the sixteen bytes a call carries: ::ffff:a.b.c.d. */
export function mapIpv4(ipv4: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes[10] = bytes[11] = 0xff;
  bytes.set(ipv4, 12);
  return bytes;
}

/** Sixteen bytes of an address of either family. */
export function parseAddress(text: string): Uint8Array {
  return text.includes(':') ? parseIpv6(text) : mapIpv4(parseIpv4(text));
}

/** Six bytes as `02:00:00:00:00:01`. */
export function formatMac(mac: Uint8Array): string {
  return Array.from(mac, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** Sixteen bytes as text; an IPv4-mapped address as IPv4. */
export function formatAddress(bytes: Uint8Array): string {
  const mapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
  if (mapped) return bytes.subarray(12).join('.');
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((bytes[i]! << 8) | bytes[i + 1]!);
  let best = { at: -1, length: 1 };
  for (let at = 0; at < 8; at++) {
    let length = 0;
    while (at + length < 8 && groups[at + length] === 0) length++;
    if (length > best.length) best = { at, length };
  }
  const text = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':');
  return best.at < 0 ? text(0, 8) : `${text(0, best.at)}::${text(best.at + best.length, 8)}`;
}
