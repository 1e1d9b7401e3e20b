// SPDX-License-Identifier: Apache-2.0
// A scenario from cold cards to what was seen of it; in one thread, or in one of several (shards/shard.ts).
import { Random } from '../../random/random.js';
import type { Actor } from '../agenda.js';
import { RpcClient } from '../apps/rpc-client.js';
import type { HostUser } from '../host/host-user.js';
import { DEFAULT_PCIE_PROFILE, pcieProfile } from '../pcie/profile.js';
import type { Shard } from '../shards/shard.js';
import { RunAborted, World } from '../world.js';
import { buildNetwork, linkMbpsOf, type BuiltNetwork } from './build-network.js';
import { makePlan, type Lengths } from './client-plan.js';
import { FramesInOrder } from './frames-in-order.js';
import { PacketCounter } from './packet-counter.js';
import { collectOutcome, type ClientRecord, type RunOutcome } from './outcome.js';
import type { RunFacts } from './collect.js';
import { RpcRecord, ServersCalled } from './rpc-record.js';
import type { Scenario, ScenarioClient, ScenarioEvent } from './scenario.js';
import {
  bringUp,
  checkReceiveRoom,
  makeMembers,
  memberOf,
  placeServers,
  startServer,
  staticFamilies,
  type CardMaker,
  type ScenarioMember,
  type ServerEntry,
} from './setup.js';
import { Targets } from './targets.js';

/** What a run is made of. */
export interface RunInputs {
  scenario: Scenario;
  seed: number;
  makeCard: CardMaker;
  lengths: Lengths;
  onFrame?: (timePs: number, frame: Uint8Array) => void;
  onWorld?: (world: World) => void;
  lockstep: boolean;
}

export interface RunOptions {
  signal?: AbortSignal;
  onProgress?: (done: number, total: number) => void;
  /** the other threads of the run have begun, or one never will (rejects) */
  ready?: Promise<void>;
}

const DEFAULT_END_US = 10_000_000;
const DEFAULT_DRAIN_US = 20_000;
const STOP_PS = 50_000_000;
const START_GRID_PS = 1e9;

/**
 * One run. With a shard, every thread of the run makes the same calls of its world at the same places: what follows from a
 * host's state decides nothing here, unless all threads are asked (`sumOfAll`, conditions of `runAsync`).
 */
export class ScenarioRun implements Actor {
  private readonly scenario: Scenario;
  private readonly seed: number;
  private readonly world: World;
  private readonly members: ScenarioMember[];
  private readonly targets: Targets;
  /** of this thread's hosts, by their number in the scenario */
  private readonly clients = new Map<number, ClientRecord>();
  private readonly counted = new PacketCounter();
  private readonly problems: string[] = [];
  private network: BuiltNetwork = { switches: [], directions: [], faults: new Map() };
  private readonly actor: number;
  private ended = 0;
  private planned = 0;
  private startPs = 0;
  private readonly lengths: Lengths;
  private readonly frames: FramesInOrder | undefined;

  constructor(
    inputs: RunInputs,
    private readonly shard?: Shard,
  ) {
    this.scenario = inputs.scenario;
    this.seed = inputs.seed;
    this.lengths = inputs.lengths;
    this.frames = inputs.onFrame === undefined ? undefined : new FramesInOrder(inputs.onFrame);
    this.world = new World({
      seed: this.seed,
      profile: pcieProfile(this.scenario.pcieProfile ?? DEFAULT_PCIE_PROFILE),
      jitter: this.scenario.jitter ?? true,
      lockstep: inputs.lockstep,
    });
    inputs.onWorld?.(this.world);
    this.members = makeMembers(this.world, this.scenario, inputs.makeCard);
    this.targets = new Targets(this.members);
    this.actor = this.world.agenda.register(this);
  }

  /** What the report says besides what is seen. */
  get facts(): RunFacts {
    return {
      scenario: this.scenario,
      seed: this.seed,
      profile: this.world.profile.name,
      hostNames: this.members.map(({ plan }) => plan.name),
      originPs: this.startPs,
    };
  }

  async run(options: RunOptions): Promise<RunOutcome> {
    const { world, scenario } = this;
    const live = this.members.filter((member) => member.plan.down !== true);
    for (const member of live) world.complete(member.host, this.bringUp(member));
    placeServers(this.members, scenario.workload?.servers ?? []);
    for (const member of live) {
      for (const entry of member.servers) {
        if ((entry.plan.startUs ?? 0) === 0) world.complete(member.host, startServer(member, entry));
      }
    }
    const clients = (scenario.workload?.clients ?? []).map((client) => this.openClient(client));
    // Cables go in and clients begin once everything stands: times in the file count from here. At a whole millisecond,
    // so that cards' timers stand alike whatever bringing the hosts up took.
    const startPs = Math.ceil((world.nowPs + 1_000_000) / START_GRID_PS) * START_GRID_PS;
    this.network = buildNetwork(
      world,
      this.members.map((member) => member.host),
      scenario.network ?? {},
      scenario.faults ?? [],
      startPs,
    );
    this.watchFrames();
    await options.ready;
    if (this.shard !== undefined) world.divide(this.shard);
    for (const [i, { client, member, user }] of clients.entries())
      this.addClient(client, member, user, i, startPs);
    this.startPs = startPs;
    for (const member of this.members) {
      for (const entry of member.servers) {
        if (entry.begun) continue;
        this.at(this.startOf(entry), () => {
          if (member.isUp && world.owns(member.host)) this.startServers(member);
        });
      }
    }
    for (const event of scenario.events ?? []) {
      const member = memberOf(this.members, event.host, 'event');
      this.at(startPs + event.atUs * 1e6, () => {
        this.happen(event, member);
      });
    }
    const endPs = startPs + Math.round((scenario.endUs ?? DEFAULT_END_US) * 1e6);
    const total = world.sumOfAll(this.planned);
    let partial = false;
    const drain = Math.round((scenario.drainUs ?? DEFAULT_DRAIN_US) * 1e6);
    const runOptions = {
      untilPs: endPs,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      onSlice: () => {
        this.frames?.flush();
        const ended = world.sumOfAll(this.ended);
        options.onProgress?.(ended, total);
      },
    };
    try {
      await world.runAsync(() => this.ended < this.planned, runOptions);
      this.holdClients();
      await world.runAsync(() => !this.isQuiet(), { ...runOptions, untilPs: world.nowPs + drain });
      for (const app of this.serverApps()) app.stop(world.nowPs);
      // A receive buffer that a half-arrived message has claimed comes back when that message is given up.
      await world.runAsync(() => !this.isStopped(), { ...runOptions, untilPs: world.nowPs + drain });
      await world.runAsync(() => true, { ...runOptions, untilPs: world.nowPs + STOP_PS });
    } catch (error) {
      if (!(error instanceof RunAborted)) throw error;
      partial = true;
      this.holdClients();
    }
    this.frames?.flush();
    return collectOutcome({
      partial,
      world,
      members: this.members,
      clients: this.clients,
      network: this.network,
      packets: this.counted.counts(),
      problems: this.problems,
    });
  }

  onEvent(_timePs: number, _op: number, arg: number): void {
    this.actions[arg]!();
  }

  private readonly actions: (() => void)[] = [];

  private at(timePs: number, action: () => void): void {
    this.actions.push(action);
    this.world.agenda.push(Math.round(timePs), this.actor, 0, this.actions.length - 1);
  }

  private begin(member: ScenarioMember, routine: ReturnType<typeof startServer>, then?: () => void): void {
    member.host.run(
      routine,
      () => then?.(),
      (error) =>
        this.problems.push(`${member.plan.name}: ${error instanceof Error ? error.message : String(error)}`),
    );
  }

  private happen(event: ScenarioEvent, member: ScenarioMember): void {
    if (!this.world.owns(member.host)) return;
    this.goDown(member);
    if (event.action === 'crash') return;
    this.begin(member, this.bringUp(member), () => {
      this.startServers(member);
    });
  }

  private goDown(member: ScenarioMember): void {
    member.isUp = false;
    member.host.crash();
    for (const entry of member.servers) {
      entry.app?.abandon();
      entry.app = undefined;
      entry.begun = false;
    }
    for (const { app, host } of this.clients.values())
      if (host === member.host) app.abandon(this.world.nowPs);
  }

  private startOf(entry: ServerEntry): number {
    return this.startPs + Math.round((entry.plan.startUs ?? 0) * 1e6);
  }

  /** Starts the servers of a host whose time has come. */
  private startServers(member: ScenarioMember): void {
    const nowPs = Math.max(this.world.nowPs, member.host.agenda.nowPs);
    for (const entry of member.servers) {
      if (!entry.begun && nowPs >= this.startOf(entry)) this.begin(member, startServer(member, entry));
    }
  }

  private bringUp(member: ScenarioMember): ReturnType<typeof bringUp> {
    return bringUp(member, this.members, staticFamilies(this.scenario, this.members.length));
  }

  private openClient(client: ScenarioClient): {
    client: ScenarioClient;
    member: ScenarioMember;
    user: HostUser;
  } {
    const member = memberOf(this.members, client.host, 'client');
    const user = client.user ?? member.nextUser;
    member.nextUser = Math.max(member.nextUser, user) + 1;
    return {
      client,
      member,
      user: this.world.complete(member.host, member.host.openUser(user, client.c2hBytes)),
    };
  }

  private addClient(
    client: ScenarioClient,
    member: ScenarioMember,
    opened: HostUser,
    index: number,
    startPs: number,
  ): void {
    const begin = startPs + Math.round((client.startUs ?? 0) * 1e6);
    const random = Random.fromSeed(this.seed).stream(`client/${index}`);
    const targets = this.targets.of(client, member);
    const servers = new ServersCalled(targets.map(({ name }) => name));
    const plan = makePlan(
      client,
      targets,
      random,
      this.lengths,
      linkMbpsOf(this.scenario.network ?? {}, client.host),
      begin,
      servers,
    );
    if (plan.match === 'any') {
      checkReceiveRoom(`client on ${client.host}`, plan.outstanding, plan.maxResponseBytes, client.c2hBytes);
    }
    if (!this.world.owns(member.host)) return;
    this.planned += plan.count;
    const outcomes = new RpcRecord(client.host, servers, begin);
    const record: ClientRecord = {
      host: member.host,
      outcomes,
      app: new RpcClient(member.host.agenda, opened, plan, random.stream('keys').nextUint32(), (outcome) => {
        this.ended++;
        outcomes.add(outcome);
      }),
    };
    this.clients.set(index, record);
    record.app.start(begin);
  }

  /** Counts each frame where it leaves a card. */
  private watchFrames(): void {
    const names = new Set(this.members.map((member) => member.plan.name));
    for (const direction of this.network.directions) {
      if (!names.has(direction.name.split('>')[0]!)) continue;
      direction.observer = (timePs, frame) => {
        this.counted.add(frame);
        this.frames?.add(timePs, frame);
      };
    }
  }

  /** The time of the run is over: what is under way may still end in the drain, nothing new begins. */
  private holdClients(): void {
    for (const { app } of this.clients.values()) app.hold();
  }

  /** Those of this thread's hosts. */
  private *serverApps(): Iterable<NonNullable<ScenarioMember['servers'][number]['app']>> {
    for (const { host, servers } of this.members) {
      if (!this.world.owns(host)) continue;
      for (const { app } of servers) if (app !== undefined) yield app;
    }
  }

  private isStopped(): boolean {
    for (const app of this.serverApps()) if (!app.stopped) return false;
    return true;
  }

  private isQuiet(): boolean {
    for (const app of this.serverApps()) if (app.busy > 0) return false;
    for (const { app } of this.clients.values()) if (!app.quiet) return false;
    return true;
  }
}
