// SPDX-License-Identifier: Apache-2.0
import { mapIpv4 } from '../addresses.js';
import type { Target } from './client-plan.js';
import type { ScenarioClient } from './scenario.js';
import { DEFAULT_PORT, memberOf, type ScenarioMember } from './setup.js';

/** Whom the clients of a scenario call. */
export class Targets {
  /** One object for all who call the same server: what many clients share stays in the processor's cache. */
  private readonly known = new Map<string, Target>();

  constructor(private readonly members: readonly ScenarioMember[]) {}

  /** The servers that a client on host `own` calls. Throws ScenarioError for a host that does not exist. */
  of(client: ScenarioClient, own: ScenarioMember): Target[] {
    const { members } = this;
    const what = `client of ${client.host} calls`;
    const called =
      client.to === '*'
        ? members.filter((member) => member !== own && member.servers.length > 0)
        : typeof client.to === 'string'
          ? [memberOf(members, client.to, what)]
          : client.to.map((name) => memberOf(members, name, what));
    return called.map((member) => this.at(member, client.family === 'ipv4', client.port ?? DEFAULT_PORT));
  }

  private at(member: ScenarioMember, ipv4: boolean, port: number): Target {
    const { name } = member.plan;
    const key = `${name} ${ipv4 ? 4 : 6} ${port}`;
    let target = this.known.get(key);
    if (target === undefined) {
      const server = member.servers.find(({ plan }) => (plan.port ?? DEFAULT_PORT) === port);
      const peer = { address: ipv4 ? mapIpv4(member.ipv4) : member.ipv6, port };
      target = { name, peer, responseBytes: server?.plan.responseBytes ?? 0 };
      this.known.set(key, target);
    }
    return target;
  }
}
