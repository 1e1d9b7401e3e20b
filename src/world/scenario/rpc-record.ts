// SPDX-License-Identifier: Apache-2.0
import type { RpcOutcome } from '../apps/rpc-plan.js';
import type { RpcRow } from './report.js';

const START = 256;

/**
 * The outcomes of a client's RPCs, in columns: a run of a million RPCs would else keep a million objects, which the
 * garbage collector would look at again and again. Rows are made when somebody asks for them.
 */
export class RpcRecord {
  count = 0;
  private indices = new Int32Array(START);
  private requestBytes = new Int32Array(START);
  private responseBytes = new Int32Array(START);
  private intendedPs = new Float64Array(START);
  private startPs = new Float64Array(START);
  private endPs = new Float64Array(START);
  /** places in `names` */
  private outcomes = new Uint16Array(START);
  private readonly names: string[] = ['ok'];

  /** `servers`: the name of each RPC's server, by the RPC's number. Times are told from `originPs` on. */
  constructor(
    private readonly client: string,
    private readonly servers: readonly string[],
    private readonly originPs: number,
  ) {}

  add(outcome: RpcOutcome): void {
    const at = this.count++;
    if (at === this.indices.length) this.grow();
    this.indices[at] = outcome.index;
    this.requestBytes[at] = outcome.requestBytes;
    this.responseBytes[at] = outcome.responseBytes;
    this.intendedPs[at] = outcome.intendedPs;
    this.startPs[at] = outcome.startPs;
    this.endPs[at] = outcome.endPs;
    this.outcomes[at] = this.nameOf(outcome.outcome);
  }

  /** How many RPCs ended with each outcome. */
  countOutcomes(into: Record<string, number>): void {
    const counts = new Float64Array(this.names.length);
    for (let at = 0; at < this.count; at++) counts[this.outcomes[at]!]!++;
    for (const [i, name] of this.names.entries()) {
      if (counts[i]! > 0) into[name] = (into[name] ?? 0) + counts[i]!;
    }
  }

  /** Writes the latencies of those that ended ok to `into`, nanoseconds, from place `from`; returns the place behind them. */
  okLatenciesNs(into: Float64Array, from: number): number {
    let to = from;
    for (let at = 0; at < this.count; at++) {
      if (this.outcomes[at] === 0) into[to++] = (this.endPs[at]! - this.startPs[at]!) / 1000;
    }
    return to;
  }

  /** Rows in the order in which the RPCs began. */
  rows(): RpcRow[] {
    const order = Array.from({ length: this.count }, (_, at) => at);
    order.sort((a, b) => this.indices[a]! - this.indices[b]!);
    return order.map((at) => ({
      client: this.client,
      index: this.indices[at]!,
      server: this.servers[this.indices[at]!]!,
      requestBytes: this.requestBytes[at]!,
      responseBytes: this.responseBytes[at]!,
      intendedNs: (this.intendedPs[at]! - this.originPs) / 1000,
      startNs: (this.startPs[at]! - this.originPs) / 1000,
      endNs: (this.endPs[at]! - this.originPs) / 1000,
      outcome: this.names[this.outcomes[at]!]!,
    }));
  }

  private nameOf(outcome: string): number {
    const known = this.names.indexOf(outcome);
    return known >= 0 ? known : this.names.push(outcome) - 1;
  }

  private grow(): void {
    const larger = <T extends Int32Array | Float64Array | Uint16Array>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    const length = 2 * this.indices.length;
    this.indices = larger(new Int32Array(length), this.indices);
    this.requestBytes = larger(new Int32Array(length), this.requestBytes);
    this.responseBytes = larger(new Int32Array(length), this.responseBytes);
    this.intendedPs = larger(new Float64Array(length), this.intendedPs);
    this.startPs = larger(new Float64Array(length), this.startPs);
    this.endPs = larger(new Float64Array(length), this.endPs);
    this.outcomes = larger(new Uint16Array(length), this.outcomes);
  }
}
