// SPDX-License-Identifier: Apache-2.0

/** What stands where there is no figure: a percentile that n cannot support, a setting nobody made. */
export const NO_FIGURE = '-';

/** A figure with at most `digits` decimals and no trailing zeros; `-` for null, undefined and what is not finite. */
export function formatFigure(value: number | null | undefined, digits = 1): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NO_FIGURE;
  const text = value.toFixed(digits);
  const short = text.includes('.') ? text.replace(/\.?0+$/, '') : text;
  return short === '-0' ? '0' : short;
}

/** A whole number with commas between thousands: 1,000,000. */
export function formatCount(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');
}

const BINARY_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** A number of bytes for people: 512 B, 1.5 KiB, 1 MiB. */
export function formatBytes(sizeBytes: number): string {
  let value = sizeBytes;
  let unit = 0;
  while (value >= 1024 && unit < BINARY_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${formatFigure(value)} ${BINARY_UNITS[unit]!}`;
}

const TIME_UNITS: readonly [number, string][] = [
  [1e9, 's'],
  [1e6, 'ms'],
  [1e3, 'us'],
  [1, 'ns'],
];

/** A time in nanoseconds for people, three or four digits and its unit: 1.04 us, 12 ns. */
export function formatTimeNs(timeNs: number | null | undefined): string {
  if (timeNs === null || timeNs === undefined || !Number.isFinite(timeNs)) return NO_FIGURE;
  const [scale, unit] = TIME_UNITS.find(([size]) => Math.abs(timeNs) >= size) ?? [1, 'ns'];
  return `${formatFigure(timeNs / scale, 2)} ${unit}`;
}
