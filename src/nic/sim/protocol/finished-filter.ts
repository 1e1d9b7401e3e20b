// SPDX-License-Identifier: Apache-2.0
/**
 * Remembers finished server RPCs, so that a request packet that comes late cannot run the request a second time
 * (docs/protocol.md#at-most-once; HomaModule has no such memory).
 *
 * Per client two generations of ids: new ones enter the young one; when it is full, or has lived `lifetime`, it becomes
 * the old one and the former old one is forgotten. So an id is known for at least `lifetime`, or until `capacity` more
 * RPCs of that client have finished, and never for ever: a client that restarts counts its ids from 2 again and must not
 * be taken for a ghost. Time is in the caller's unit (timer ticks). Call `sweep` now and then: memory goes back to zero
 * when clients are idle.
 */
class IdSet {
  count = 0;
  /** Pairs of low and high half, a power of two of them. */
  private ids = new Uint32Array(32);

  /** Position of the pair of the id, or of the free place where it belongs. Ids are never zero, so zero marks a free place. */
  private find(hi: number, lo: number): number {
    const { ids } = this;
    const mask = ids.length - 1;
    let at = ((Math.imul(lo >>> 1, 0x9e3779b1) ^ Math.imul(hi, 0x85ebca6b)) << 1) & mask;
    while ((ids[at] !== lo || ids[at + 1] !== hi) && (ids[at] !== 0 || ids[at + 1] !== 0))
      at = (at + 2) & mask;
    return at;
  }
  has(hi: number, lo: number): boolean {
    const at = this.find(hi, lo);
    return this.ids[at] === lo && this.ids[at + 1] === hi;
  }
  add(hi: number, lo: number): void {
    if (4 * (this.count + 1) > this.ids.length) this.grow();
    const at = this.find(hi, lo);
    if (this.ids[at] === lo && this.ids[at + 1] === hi) return;
    this.ids[at] = lo;
    this.ids[at + 1] = hi;
    this.count++;
  }
  private grow(): void {
    const { ids } = this;
    this.ids = new Uint32Array(2 * ids.length);
    for (let i = 0; i < ids.length; i += 2) {
      if (ids[i] === 0 && ids[i + 1] === 0) continue;
      const at = this.find(ids[i + 1]!, ids[i]!);
      this.ids[at] = ids[i]!;
      this.ids[at + 1] = ids[i + 1]!;
    }
  }
}

interface Client {
  young: IdSet;
  old: IdSet | null;
  /** When the young generation began. */
  since: number;
}

export class FinishedFilter {
  private readonly clients = new Map<number, Client>();

  /** `capacity`: ids a client's generation holds; `lifetime`: how long an id is remembered at least, from now on. */
  constructor(
    private readonly capacity: number,
    public lifetime: number,
  ) {}

  /** Remembers that the server RPC with the client's id (never 0) ended. `client` is the peer's number. */
  add(client: number, idHi: number, idLo: number, now: number): void {
    if (idHi === 0 && idLo === 0) return;
    let entry = this.clients.get(client);
    if (entry === undefined) {
      entry = { young: new IdSet(), old: null, since: now };
      this.clients.set(client, entry);
    }
    this.age(entry, now);
    entry.young.add(idHi, idLo);
  }

  /** Whether this RPC is known to have ended: its DATA must not create it again. */
  has(client: number, idHi: number, idLo: number): boolean {
    const entry = this.clients.get(client);
    if (entry === undefined || (idHi === 0 && idLo === 0)) return false;
    return entry.young.has(idHi, idLo) || (entry.old !== null && entry.old.has(idHi, idLo));
  }

  /** Ids held now, over all clients. */
  get size(): number {
    let total = 0;
    for (const entry of this.clients.values()) total += entry.young.count + (entry.old?.count ?? 0);
    return total;
  }

  /** Forgets what has outlived its time, and clients of which nothing is left. */
  sweep(now: number): void {
    for (const [client, entry] of this.clients) {
      this.age(entry, now);
      if (entry.young.count === 0 && entry.old === null) this.clients.delete(client);
    }
  }

  /** Forgets a client at once: its peer number goes to another host. */
  forget(client: number): void {
    this.clients.delete(client);
  }

  private age(entry: Client, now: number): void {
    const age = now - entry.since;
    if (age < this.lifetime && entry.young.count < this.capacity) return;
    entry.old = age < 2 * this.lifetime && entry.young.count > 0 ? entry.young : null;
    entry.young = new IdSet();
    entry.since = now;
  }
}
