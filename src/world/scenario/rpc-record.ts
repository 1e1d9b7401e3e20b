// SPDX-License-Identifier: Apache-2.0
import type { RpcOutcome } from '../apps/rpc-plan.js';
import type { RpcRow } from './report.js';

/** An outcome in 32-bit words: three instants as doubles, then the RPC's number, lengths, and its place in `names`. */
const RECORD_WORDS = 10;
const RECORD_DOUBLES = RECORD_WORDS / 2;
const INTENDED_PS = 0;
const START_PS = 1;
const END_PS = 2;
const INDEX = 6;
const REQUEST_BYTES = 7;
const RESPONSE_BYTES = 8;
const OUTCOME = 9;
const START_RECORDS = 256;

/** A record as plain data. */
export interface RpcRecordData {
  client: string;
  originPs: number;
  count: number;
  /** the first `count` records, more or less room behind them */
  words: Int32Array<ArrayBuffer>;
  /** outcomes by their number in the records */
  names: readonly string[];
  serverNames: readonly string[];
  serversCalled: Uint32Array<ArrayBuffer>;
}

/** Which server each RPC of a client calls: the first, unless `add` said otherwise. */
export class ServersCalled {
  constructor(
    readonly names: readonly string[],
    private called = new Uint32Array(0),
  ) {}

  /** The numbers in `names` of the servers called, by RPC. */
  get numbers(): Uint32Array<ArrayBuffer> {
    return this.called;
  }

  /** RPC `index` calls the server with this number in `names`. */
  add(index: number, server: number): void {
    if (index >= this.called.length) {
      const { called } = this;
      this.called = new Uint32Array(Math.max(START_RECORDS, 2 * index));
      this.called.set(called);
    }
    this.called[index] = server;
  }

  nameOf(index: number): string {
    return this.names[this.called[index] ?? 0]!;
  }
}

/**
 * The outcomes of a client's RPCs, side by side in one array: a run of a million RPCs would else keep a million objects,
 * which the garbage collector would look at again and again. Rows are made when somebody asks for them.
 */
export class RpcRecord {
  count = 0;
  private words = new Int32Array(START_RECORDS * RECORD_WORDS);
  private doubles = new Float64Array(this.words.buffer);
  private readonly names: string[] = ['ok'];

  /** Times are told from `originPs` on. */
  constructor(
    private readonly client: string,
    private readonly servers: ServersCalled,
    private readonly originPs: number,
  ) {}

  static from(data: RpcRecordData): RpcRecord {
    const { client, serverNames, serversCalled, originPs, count, words, names } = data;
    const record = new RpcRecord(client, new ServersCalled(serverNames, serversCalled), originPs);
    record.count = count;
    record.use(words);
    record.names.splice(0, 1, ...names);
    return record;
  }

  get data(): RpcRecordData {
    const { client, originPs, count, words, names, servers } = this;
    return {
      client,
      originPs,
      count,
      words,
      names,
      serverNames: servers.names,
      serversCalled: servers.numbers,
    };
  }

  add(outcome: RpcOutcome): void {
    const at = this.count++ * RECORD_WORDS;
    if (at === this.words.length) this.grow();
    const { words, doubles } = this;
    const double = at >> 1;
    doubles[double + INTENDED_PS] = outcome.intendedPs;
    doubles[double + START_PS] = outcome.startPs;
    doubles[double + END_PS] = outcome.endPs;
    words[at + INDEX] = outcome.index;
    words[at + REQUEST_BYTES] = outcome.requestBytes;
    words[at + RESPONSE_BYTES] = outcome.responseBytes;
    words[at + OUTCOME] = this.nameOf(outcome.outcome);
  }

  /** How many RPCs ended with each outcome. */
  countOutcomes(into: Record<string, number>): void {
    const counts = new Float64Array(this.names.length);
    for (let record = 0; record < this.count; record++) counts[this.word(record, OUTCOME)]!++;
    for (const [i, name] of this.names.entries()) {
      if (counts[i]! > 0) into[name] = (into[name] ?? 0) + counts[i]!;
    }
  }

  /** Writes the latencies of those that ended ok to `into`, nanoseconds, from place `from`; returns the place behind them. */
  okLatenciesNs(into: Float64Array, from: number): number {
    let to = from;
    for (let record = 0; record < this.count; record++) {
      if (this.word(record, OUTCOME) !== 0) continue;
      into[to++] = (this.instantPs(record, END_PS) - this.instantPs(record, START_PS)) / 1000;
    }
    return to;
  }

  /** Rows in the order in which the RPCs began. */
  rows(): RpcRow[] {
    const order = Array.from({ length: this.count }, (_, record) => record);
    order.sort((a, b) => this.word(a, INDEX) - this.word(b, INDEX));
    const toldNs = (timePs: number): number => (timePs - this.originPs) / 1000;
    return order.map((record) => ({
      client: this.client,
      index: this.word(record, INDEX),
      server: this.servers.nameOf(this.word(record, INDEX)),
      requestBytes: this.word(record, REQUEST_BYTES),
      responseBytes: this.word(record, RESPONSE_BYTES),
      intendedNs: toldNs(this.instantPs(record, INTENDED_PS)),
      startNs: toldNs(this.instantPs(record, START_PS)),
      endNs: toldNs(this.instantPs(record, END_PS)),
      outcome: this.names[this.word(record, OUTCOME)]!,
    }));
  }

  private word(record: number, field: number): number {
    return this.words[record * RECORD_WORDS + field]!;
  }

  private instantPs(record: number, field: number): number {
    return this.doubles[record * RECORD_DOUBLES + field]!;
  }

  private nameOf(outcome: string): number {
    const known = this.names.indexOf(outcome);
    return known >= 0 ? known : this.names.push(outcome) - 1;
  }

  private grow(): void {
    const { words } = this;
    this.use(new Int32Array(2 * words.length));
    this.words.set(words);
  }

  private use(words: Int32Array<ArrayBuffer>): void {
    this.words = words;
    this.doubles = new Float64Array(words.buffer);
  }
}
