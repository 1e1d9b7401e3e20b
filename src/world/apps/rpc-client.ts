// SPDX-License-Identifier: Apache-2.0
// An application that makes verified RPCs: closed loop (a number at once) or open loop (at intended times).
import { CallFlag, Code, CodeName, INLINE_BYTES, ResultFlag, SLOTS } from '../../nic/regs.js';
import type { Actor, Agenda } from '../agenda.js';
import type { CallResult } from '../host/call.js';
import type { HostUser, ResultHandler } from '../host/host-user.js';
import { fillPattern, findWrongByte, keyFor, ShortPattern } from '../host/pattern.js';
import { Field, LANE_SHIFT, LANE_WORDS, Lanes, NONE, State, Use, USE_BITS } from './rpc-lanes.js';
import {
  responseBytesOf,
  type OutcomeSink,
  type PlannedRpc,
  type RpcOutcome,
  type RpcPlan,
} from './rpc-plan.js';

const enum Op {
  start,
  retryPump,
  /** a lane has had its pause */
  rested,
}

/** After BUSY, or with no slot free, try again this much later. */
const RETRY_PS = 1_000_000;

/** Shared by all clients of the process: in use within one call only. */
const short = new ShortPattern();
const planned: PlannedRpc = {
  peer: { address: new Uint8Array(16), port: 0 },
  requestBytes: 0,
  responseBytes: 0,
};
/** Of all clients with no pool buffer to give back; never written. */
const NO_RELEASES: number[] = [];
const told: RpcOutcome = {
  index: 0,
  requestBytes: 0,
  responseBytes: 0,
  intendedPs: 0,
  startPs: 0,
  endPs: 0,
  ok: false,
  outcome: 'ok',
};

export class RpcClient implements Actor, ResultHandler {
  started = 0;
  ended = 0;
  private readonly user: HostUser;
  private readonly plan: RpcPlan;
  private readonly lanes: Lanes;
  private releases = NO_RELEASES;
  private unsent = 0;
  private wanted = 0;
  private posted = 0;
  private stopping = false;
  private halted = false;
  private held = false;
  private retrySet = false;
  private readonly sink: OutcomeSink;
  private readonly keySeed: number;
  private readonly agenda: Agenda;
  private readonly actor: number;
  /** things no application should ever see; tests assert that it stays empty */
  readonly faults: string[] = [];

  constructor(agenda: Agenda, user: HostUser, plan: RpcPlan, keySeed: number, sink: OutcomeSink) {
    this.agenda = agenda;
    this.user = user;
    this.plan = plan;
    this.keySeed = keySeed;
    this.sink = sink;
    this.actor = agenda.register(this);
    this.lanes = new Lanes(plan.outstanding);
    user.listen(this);
  }

  /** Every RPC of the plan has its outcome. */
  get done(): boolean {
    return this.ended === this.plan.count;
  }

  /** Every RPC has its outcome and every slot is back. */
  get quiet(): boolean {
    return this.done && (this.halted || this.user.slotsInUse === 0);
  }

  /** Slots that wait for a final result. */
  get slotsHeld(): number {
    return this.halted ? 0 : this.user.slotsInUse;
  }

  /** Begins at `timePs`. */
  start(timePs: number): void {
    const first =
      this.plan.intendedPs === undefined || this.plan.count === 0 ? timePs : this.plan.intendedPs(0);
    this.agenda.push(Math.max(timePs, first), this.actor, Op.start, 0);
  }

  /** No further RPC begins; those under way go on. */
  hold(): void {
    this.held = true;
  }

  /** The host went down: everything under way, and everything not begun, ends as `hostCrashed`. */
  abandon(timePs: number): void {
    this.halted = true;
    const { lanes } = this;
    for (let lane = lanes.first; lane < lanes.end; lane += LANE_WORDS) {
      if ((lanes.words[lane + Field.state]! & (State.active | State.ended)) !== State.active) continue;
      this.end(timePs, lane, 'hostCrashed');
    }
    while (this.started < this.plan.count) {
      told.index = this.started++;
      this.plan.describe(told.index, planned);
      told.requestBytes = planned.requestBytes;
      told.responseBytes = responseBytesOf(planned);
      told.intendedPs = told.startPs = timePs;
      this.tell(timePs, 'hostCrashed');
    }
  }

  rebase(byPs: number): void {
    this.lanes.rebase(byPs);
  }

  onEvent(timePs: number, op: number, arg: number): void {
    if (this.halted) return;
    if ((op as Op) === Op.retryPump) this.retrySet = false;
    else if ((op as Op) === Op.rested) this.lanes.rest(this.lanes.laneOf(arg));
    else if (this.plan.intendedPs !== undefined) {
      this.wanted++;
      if (this.wanted < this.plan.count) this.scheduleArrival(timePs, this.wanted);
    } else this.wanted = this.plan.count;
    this.pump(timePs);
  }

  onResult(timePs: number, result: CallResult): void {
    const { slot } = result;
    if (slot === 0) {
      this.faults.push(`error slot: ${result.text}`);
      return;
    }
    const { lanes } = this;
    const { words } = lanes;
    const word = words[lanes.end + slot]!;
    // its user may hand the slot out again at once
    if (result.final) words[lanes.end + slot] = Use.nothing;
    switch ((word & USE_BITS) as Use) {
      case Use.send:
        this.onSendResult(timePs, lanes.laneOf(word >> LANE_SHIFT), result);
        break;
      case Use.receive:
        this.onReceiveResult(timePs, word & ~USE_BITS, NONE, result);
        break;
      case Use.receiveFor: {
        const lane = lanes.laneOf(word >> LANE_SHIFT);
        this.onReceiveResult(timePs, words[lane + Field.postedOffset]!, lane, result);
        break;
      }
      default:
        if (result.failed && result.code !== Code.noRecvmsg) this.faults.push(`slot ${slot}: ${result.text}`);
    }
    this.pump(timePs);
  }

  private scheduleArrival(timePs: number, index: number): void {
    const intended = this.plan.intendedPs!(index);
    this.agenda.push(Math.max(timePs, intended), this.actor, Op.start, 0);
  }

  private onSendResult(timePs: number, lane: number, result: CallResult): void {
    const { lanes } = this;
    const { words } = lanes;
    if (result.failed && result.code === Code.busy && (result.flags & ResultFlag.accepted) === 0) {
      // never taken: the same RPC goes again
      words[lanes.end + result.slot] = Use.nothing;
      words[lane + Field.sendSlot] = 0;
      words[lane + Field.state]! |= State.unsent;
      this.unsent++;
      this.retryLater(timePs);
      return;
    }
    const ended = (words[lane + Field.state]! & State.ended) !== 0;
    if (
      this.plan.match === 'id' &&
      words[lane + Field.postedOffset] === NONE &&
      !ended &&
      !result.failed &&
      (result.flags & ResultFlag.accepted) !== 0
    ) {
      this.postFor(timePs, lane, result.idLow, result.idHigh);
    }
    if (result.failed && !ended) this.end(timePs, lane, CodeName[result.code] ?? `code ${result.code}`);
    if (!result.final) return;
    words[lane + Field.sendSlot] = 0;
    lanes.giveRoom(lane, Field.sendOffset, this.user.sendArena);
    this.settle(timePs, lane);
  }

  /** Of a recvmsg with the buffer at `offset`, for a lane's response or (NONE) any. */
  private onReceiveResult(timePs: number, offset: number, lane: number, result: CallResult): void {
    if (!result.final) return;
    this.posted--;
    if ((result.flags & ResultFlag.delivered) !== 0) this.deliver(timePs, offset, result);
    else if (!result.failed) this.faults.push(`recvmsg ended without a message or an error: ${result.flags}`);
    if (lane !== NONE) {
      // an RPC that failed ends its recvmsg too; its sendmsg says why
      this.lanes.giveRoom(lane, Field.postedOffset, this.user.receiveArena);
      this.settle(timePs, lane);
    } else if (this.stopping || this.done) {
      this.user.receiveArena.give(offset);
    } else this.post(timePs, offset);
  }

  private deliver(timePs: number, posted: number, result: CallResult): void {
    const { lanes } = this;
    const { words } = lanes;
    const inPool = (result.flags & ResultFlag.inPool) !== 0;
    if (inPool) {
      if (this.releases === NO_RELEASES) this.releases = [];
      this.releases.push(result.offset);
    }
    const lane = lanes.laneOf(result.cookie & 0xff);
    if (
      lane >= lanes.end ||
      words[lane + Field.state] === State.idle ||
      lanes.cookieOf(lane) !== result.cookie
    ) {
      this.faults.push(`response with cookie ${result.cookie}, which no RPC has`);
      return;
    }
    if ((words[lane + Field.state]! & State.ended) !== 0) {
      this.faults.push(`RPC ${words[lane + Field.index]!} ended twice`);
      return;
    }
    const expected = words[lane + Field.responseBytes]!;
    const offset = inPool ? result.offset : posted;
    const wrong =
      result.sizeBytes === expected
        ? findWrongByte(this.user.c2h, offset, expected, words[lane + Field.key]!)
        : -2;
    if (wrong !== -1) {
      this.faults.push(
        `RPC ${words[lane + Field.index]!}: ${wrong === -2 ? `${result.sizeBytes} bytes, not ${expected}` : `byte ${wrong} of ${expected} is wrong`}`,
      );
    }
    this.end(timePs, lane, wrong === -1 ? 'ok' : 'wrongBytes');
    this.settle(timePs, lane);
  }

  private end(timePs: number, lane: number, outcome: string): void {
    this.lanes.words[lane + Field.state]! |= State.ended;
    this.lanes.tell(lane, told);
    this.tell(timePs, outcome);
  }

  private tell(timePs: number, outcome: string): void {
    this.ended++;
    told.endPs = timePs;
    told.ok = outcome === 'ok';
    told.outcome = outcome;
    this.sink(told);
    if (this.done) this.stop(timePs);
  }

  /** The last RPC has ended: receive buffers for any response are taken back. */
  private stop(timePs: number): void {
    this.stopping = true;
    if (this.halted) return;
    const { lanes } = this;
    for (let posted = 1; posted < SLOTS; posted++) {
      if ((lanes.words[lanes.end + posted]! & USE_BITS) !== Use.receive) continue;
      const slot = this.user.takeSlot();
      if (slot !== 0) this.user.cancelRecvmsg(timePs, slot, posted);
    }
  }

  /** An RPC that has its outcome and holds no slot leaves its lane. */
  private settle(timePs: number, lane: number): void {
    const { lanes } = this;
    const { words } = lanes;
    if (words[lane + Field.state] !== (State.active | State.ended)) return;
    if (words[lane + Field.sendSlot] !== 0 || words[lane + Field.postedOffset] !== NONE) return;
    // kept still when it ended before a recvmsg was posted for it
    lanes.giveRoom(lane, Field.receiveOffset, this.user.receiveArena);
    words[lane + Field.state] = State.idle;
    const pause = this.plan.intendedPs === undefined ? (this.plan.pausePs?.() ?? 0) : 0;
    if (pause > 0) this.agenda.push(timePs + pause, this.actor, Op.rested, lanes.numberOf(lane));
    else lanes.rest(lane);
  }

  /** Starts what can be started. */
  private pump(timePs: number): void {
    while (this.releases.length > 0) {
      const slot = this.user.takeSlot();
      if (slot === 0) break;
      this.user.release(timePs, slot, this.releases.pop()!);
    }
    const { lanes } = this;
    if (this.unsent > 0) {
      for (let lane = lanes.first; lane < lanes.end; lane += LANE_WORDS) {
        if ((lanes.words[lane + Field.state]! & State.unsent) !== 0) this.send(timePs, lane);
      }
    }
    if (this.plan.match === 'any' && !this.stopping) {
      while (this.posted < this.plan.outstanding && this.wanted > 0) {
        const offset = this.user.receiveArena.take(this.plan.maxResponseBytes);
        if (offset < 0)
          throw new RangeError('the receive buffer does not hold the plan: fewer or shorter RPCs');
        this.post(timePs, offset);
      }
    }
    while (!this.held && this.started < this.wanted && lanes.idle !== NONE) this.begin(timePs);
  }

  /** Begins the next RPC in an idle lane. */
  private begin(timePs: number): void {
    const index = this.started++;
    this.plan.describe(index, planned);
    const key = keyFor(Math.imul(index + 1, 0x2545f491) ^ this.keySeed, planned.requestBytes);
    const intendedPs = this.plan.intendedPs === undefined ? timePs : this.plan.intendedPs(index);
    const lane = this.lanes.begin(index, planned, key, intendedPs);
    this.unsent++;
    this.send(timePs, lane);
  }

  private send(timePs: number, lane: number): void {
    const { lanes, user } = this;
    const { words } = lanes;
    const peer = lanes.peer(lane);
    const requestBytes = words[lane + Field.requestBytes]!;
    const key = words[lane + Field.key]!;
    const inline = this.plan.inline && requestBytes <= INLINE_BYTES;
    if (!inline && words[lane + Field.sendOffset] === NONE) {
      const offset = user.sendArena.take(requestBytes);
      if (offset < 0) return; // another lane holds the room: its last result brings us here again
      words[lane + Field.sendOffset] = offset;
      fillPattern(user.h2c, offset, requestBytes, key);
    }
    if (this.plan.match === 'id' && words[lane + Field.receiveOffset] === NONE) {
      const offset = user.receiveArena.take(words[lane + Field.responseBytes]!);
      if (offset < 0) return; // as above
      words[lane + Field.receiveOffset] = offset;
    }
    const slot = user.takeSlot();
    if (slot === 0) {
      this.retryLater(timePs);
      return;
    }
    words[lane + Field.sendSlot] = slot;
    words[lane + Field.state]! &= ~State.unsent;
    this.unsent--;
    lanes.useFor(lane, slot, Use.send);
    const cookie = lanes.cookieOf(lane);
    lanes.doubles[(lane >> 1) + Field.startPs] = inline
      ? user.sendRequestInline(timePs, slot, peer, short.of(key, requestBytes), cookie)
      : user.sendRequest(timePs, slot, peer, words[lane + Field.sendOffset]!, requestBytes, cookie);
  }

  private post(timePs: number, offset: number): void {
    const slot = this.takeReceiveSlot();
    this.lanes.words[this.lanes.end + slot] = offset | Use.receive;
    this.user.recvmsg(timePs, slot, CallFlag.matchResponses, offset, this.plan.maxResponseBytes, 0);
  }

  private postFor(timePs: number, lane: number, idLow: number, idHigh: number): void {
    const { lanes } = this;
    const { words } = lanes;
    const slot = this.takeReceiveSlot();
    const offset = words[lane + Field.receiveOffset]!;
    words[lane + Field.receiveOffset] = NONE;
    words[lane + Field.postedOffset] = offset;
    lanes.useFor(lane, slot, Use.receiveFor);
    const capacity = words[lane + Field.responseBytes]!;
    this.user.recvmsgOf(timePs, slot, idLow, idHigh, offset, capacity, lanes.cookieOf(lane));
  }

  private takeReceiveSlot(): number {
    const slot = this.user.takeSlot();
    if (slot === 0) throw new RangeError('no result slot left for a receive buffer: fewer RPCs at once');
    this.posted++;
    return slot;
  }

  private retryLater(timePs: number): void {
    if (this.retrySet) return;
    this.retrySet = true;
    this.agenda.push(timePs + RETRY_PS, this.actor, Op.retryPump, 0);
  }
}
