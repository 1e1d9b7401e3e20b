// SPDX-License-Identifier: Apache-2.0
/**
 * RPCs that wait for something their user must do, a list for each user. Seldom does any wait, so the lists are made when
 * one does, and a count tells of that without a look at them.
 */
import type { Rpc } from './rpc.js';

const NOBODY: readonly Rpc[] = [];

export class RpcLists {
  private count = 0;
  private readonly lists: Rpc[][] = [];

  /** Those of a user, in the order they were added. */
  of(user: number): readonly Rpc[] {
    return this.count === 0 ? NOBODY : (this.lists[user] ?? NOBODY);
  }

  add(rpc: Rpc): void {
    (this.lists[rpc.user] ??= []).push(rpc);
    this.count++;
  }

  /** Takes the RPC out if it is in. */
  remove(rpc: Rpc): void {
    if (this.count === 0) return;
    const list = this.lists[rpc.user];
    const at = list === undefined ? -1 : list.indexOf(rpc);
    if (at < 0) return;
    list!.splice(at, 1);
    this.count--;
  }

  /** Takes all of a user out. */
  forget(user: number): void {
    const list = this.lists[user];
    if (list === undefined) return;
    this.count -= list.length;
    list.length = 0;
  }
}
