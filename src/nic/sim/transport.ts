// SPDX-License-Identifier: Apache-2.0
/** The transport behind the calls: for now only what opening and closing a user needs. */
import { Code } from '../regs.js';
import type { Aperture } from './aperture.js';
import type { NeighbourSetter, UserLifecycle } from './kernel-calls.js';
import type { Results } from './results.js';
import type { MessageCalls } from './user-calls.js';

export class Transport implements UserLifecycle, MessageCalls, NeighbourSetter {
  aperture: Aperture | undefined;

  constructor(private readonly results: Results) {}

  opened(user: number): void {
    this.aperture?.clearUser(user);
    this.results.openUser(user);
  }

  closed(user: number): void {
    this.aperture?.clearUser(user);
  }

  abort(): void {
    return;
  }

  receiveMapChanged(): void {
    return;
  }

  setStatic(): boolean {
    return true;
  }

  sendmsg(): Code {
    return Code.badCall;
  }

  recvmsg(): Code {
    return Code.badCall;
  }

  cancel(): Code {
    return Code.badCall;
  }

  release(): Code {
    return Code.badCall;
  }
}
