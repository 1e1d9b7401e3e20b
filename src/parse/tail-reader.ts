// SPDX-License-Identifier: Apache-2.0
import type { Dialect } from './dialect.js';
import { maskNumbers } from './number-mask.js';
import { HEADER_EVENT } from './record-batch.js';
import { hashBytes, TailTable } from './tail-table.js';

const CLOSE = 0x5d;
const OPEN = 0x5b;
/** First line of a trace; its numbers may be masked. */
const HEADER = /^First event has timestamp \S+ \(cpu_ghz \S+\)$/;

/** Names in order of first appearance, each once. */
class Names {
  readonly list: string[] = [];
  private readonly numbers = new Map<string, number>();

  number(name: string): number {
    let number = this.numbers.get(name);
    if (number === undefined) {
      number = this.list.length;
      this.list.push(name);
      this.numbers.set(name, number);
    }
    return number;
  }
}

/** Turns the tails of lines (tag and event text) into entries of a table, by the rules of a dialect. */
export class TailReader {
  readonly table = new TailTable();
  /** Why `resolve` returned -1. */
  reason = '';
  /** 1 when the raw text of the tail last resolved contains the text that starts a sequence. */
  starts = 0;
  private readonly eventNames = new Names();
  private readonly tagNames = new Names();
  private readonly needle: Uint8Array | undefined;
  private readonly timesInside = new TextEncoder().encode(' us (+');
  private scratch = new Uint8Array(256);

  constructor(
    private readonly dialect: Dialect,
    private readonly keepNumbers: boolean,
    from: string | undefined,
  ) {
    this.needle = from === undefined ? undefined : new TextEncoder().encode(from);
  }

  /** Names of events, by their number in a batch. */
  get events(): readonly string[] {
    return this.eventNames.list;
  }

  /** Names of tags, by their number in a batch. */
  get tags(): readonly string[] {
    return this.tagNames.list;
  }

  /** Could a tool that takes the last times of a line find another pair in this tail? */
  looksLikeTimes(b: Uint8Array, from: number, to: number): boolean {
    return this.dialect.pattern !== undefined && contains(b, from, to, this.timesInside);
  }

  /**
   * The entry for the tail b[from..to), made if it is new; -1 when the dialect has no use for it. `hash` is hashBytes
   * of it; `maskable` says that it has a digit or a dot.
   */
  resolve(b: Uint8Array, from: number, to: number, hash: number, maskable: boolean): number {
    const known = this.table.find(b, from, to, hash);
    if (known !== -1) {
      this.starts = this.table.starts[known]!;
      return known;
    }
    if (!maskable || this.keepNumbers) return this.add(b, from, to, hash);
    const length = to - from;
    if (length > this.scratch.length) this.scratch = new Uint8Array(2 * length);
    const { scratch } = this;
    for (let i = from, j = 0; i < to; i++, j++) scratch[j] = b[i]!;
    const nameAt = this.endOfTag(scratch, length);
    const masked = maskNumbers(scratch, nameAt, length, this.dialect.mask);
    const maskedHash = hashBytes(scratch, 0, masked);
    let id = this.table.find(scratch, 0, masked, maskedHash);
    if (id === -1) id = this.add(scratch, 0, masked, maskedHash);
    this.starts = this.needle && contains(b, from + nameAt, to, this.needle) ? 1 : 0;
    return id;
  }

  /** Where the tag ends whose digits are not to be masked. */
  private endOfTag(tail: Uint8Array, length: number): number {
    if (this.dialect.name === 'ttsum' || tail[0] !== OPEN) return 0;
    let i = 1;
    while (i < length && tail[i] !== CLOSE) i++;
    return i < length ? i + 1 : 0;
  }

  private add(b: Uint8Array, from: number, to: number, hash: number): number {
    const bytes = b.subarray(from, to);
    const split = this.dialect.split(latin1(b, from, to));
    if ('reason' in split) {
      this.reason = split.reason;
      return -1;
    }
    const name = new TextDecoder().decode(bytes.subarray(split.nameAt));
    const header = this.dialect.name === 'normal' && HEADER.test(name);
    this.starts = this.needle && contains(b, from + split.nameAt, to, this.needle) ? 1 : 0;
    return this.table.add(b, from, to, hash, {
      event: header ? HEADER_EVENT : this.eventNames.number(name),
      tag: this.tagNames.number(split.tag),
      starts: this.starts === 1,
    });
  }
}

function contains(b: Uint8Array, from: number, to: number, needle: Uint8Array): boolean {
  const first = needle[0];
  for (let i = from; i + needle.length <= to; i++) {
    if (b[i] !== first) continue;
    let j = 1;
    while (j < needle.length && b[i + j] === needle[j]) j++;
    if (j >= needle.length) return true;
  }
  return needle.length === 0;
}

/** The bytes b[from..to) as text, one character for each byte. */
export function latin1(b: Uint8Array, from: number, to: number): string {
  let text = '';
  for (let i = from; i < to; i++) text += String.fromCharCode(b[i]!);
  return text;
}
