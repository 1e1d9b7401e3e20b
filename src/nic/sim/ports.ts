// SPDX-License-Identifier: Apache-2.0
/** Homa ports: port to user. Client ports come with a user, server ports are bound by the kernel. */
import {
  CLIENT_PORT_BASE,
  Code,
  MAX_USERS,
  SERVER_PORT_MAX,
  SERVER_PORT_MIN,
  SERVER_PORTS_PER_USER,
} from '../regs.js';

export class Ports {
  private readonly userOf = new Uint8Array(0x10000);
  private readonly bound = new Uint8Array(MAX_USERS + 1);

  reset(): void {
    this.userOf.fill(0);
    this.bound.fill(0);
  }

  /** User that has the port, 0 when nobody has. */
  user(port: number): number {
    return this.userOf[port]!;
  }

  /** Whether requests may come to this port. */
  isServer(port: number): boolean {
    return port >= SERVER_PORT_MIN && port <= SERVER_PORT_MAX && this.userOf[port] !== 0;
  }

  openUser(user: number): void {
    this.userOf[CLIENT_PORT_BASE + user] = user;
  }

  closeUser(user: number): void {
    this.userOf[CLIENT_PORT_BASE + user] = 0;
    if (this.bound[user] === 0) return;
    for (let port = SERVER_PORT_MIN; port <= SERVER_PORT_MAX; port++) {
      if (this.userOf[port] === user) this.userOf[port] = 0;
    }
    this.bound[user] = 0;
  }

  /** Binds a server port; binding one's own port again is no error. */
  bind(user: number, port: number): Code {
    if (port < SERVER_PORT_MIN || port > SERVER_PORT_MAX) return Code.badPort;
    if (this.userOf[port] === user) return Code.ok;
    if (this.userOf[port] !== 0) return Code.portInUse;
    if (this.bound[user]! >= SERVER_PORTS_PER_USER) return Code.tooManyPorts;
    this.userOf[port] = user;
    this.bound[user]!++;
    return Code.ok;
  }

  /** Frees a server port of this user; one that is free already is no error. */
  unbind(user: number, port: number): Code {
    if (port < SERVER_PORT_MIN || port > SERVER_PORT_MAX) return Code.badPort;
    if (this.userOf[port] === 0) return Code.ok;
    if (this.userOf[port] !== user) return Code.portInUse;
    this.userOf[port] = 0;
    this.bound[user]!--;
    return Code.ok;
  }
}
