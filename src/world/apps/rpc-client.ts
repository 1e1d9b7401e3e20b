// SPDX-License-Identifier: Apache-2.0
// An application that makes verified RPCs: closed loop (a number at once) or open loop (at intended times).
import { CallFlag, Code, CodeName, INLINE_BYTES, ResultFlag } from '../../nic/regs.js';
import type { Actor, Agenda } from '../agenda.js';
import type { CallResult } from '../host/call.js';
import type { HostUser, ResultHandler } from '../host/host-user.js';
import { fillPattern, findWrongByte, keyFor, ShortPattern } from '../host/pattern.js';
import type { OutcomeSink, PlannedRpc, RpcOutcome, RpcPlan } from './rpc-plan.js';

/** One RPC under way, and the buffers and slots it holds. */
class Lane {
  active = false;
  /** the request still has to be given to the card */
  unsent = false;
  index = 0;
  key = 0;
  readonly rpc: PlannedRpc = {
    peer: { address: new Uint8Array(16), port: 0 },
    requestBytes: 0,
    responseBytes: 0,
  };
  sendSlot = 0;
  sendOffset = -1;
  /** room kept for the response, until a recvmsg is posted with it */
  receiveOffset = -1;
  intendedPs = 0;
  startPs = 0;
  /** the RPC has its outcome; the lane may still wait for slots */
  ended = false;
  receive: Posted | undefined;

  constructor(readonly number: number) {}
}

/** A posted receive buffer. */
interface Posted {
  slot: number;
  offset: number;
  capacity: number;
  lane: Lane | undefined;
}

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
  /** things no application should ever see; tests assert that it stays empty */
  readonly faults: string[] = [];
  started = 0;
  ended = 0;
  private readonly agenda: Agenda;
  private readonly user: HostUser;
  private readonly plan: RpcPlan;
  private readonly sink: OutcomeSink;
  private readonly keySeed: number;
  private readonly actor: number;
  private readonly lanes: Lane[];
  private readonly idle: Lane[] = [];
  private readonly sendSlots: (Lane | undefined)[] = new Array<Lane | undefined>(256);
  private readonly receiveSlots: (Posted | undefined)[] = new Array<Posted | undefined>(256);
  private readonly releases: number[] = [];
  private unsent = 0;
  private wanted = 0;
  private posted = 0;
  private stopping = false;
  private halted = false;
  private held = false;
  private retrySet = false;

  constructor(agenda: Agenda, user: HostUser, plan: RpcPlan, keySeed: number, sink: OutcomeSink) {
    this.agenda = agenda;
    this.user = user;
    this.plan = plan;
    this.keySeed = keySeed;
    this.sink = sink;
    this.actor = agenda.register(this);
    this.lanes = Array.from({ length: plan.outstanding }, (_, number) => new Lane(number));
    this.idle.push(...this.lanes);
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
    for (const lane of this.lanes) if (lane.active && !lane.ended) this.end(timePs, lane, 'hostCrashed');
    const lane = new Lane(0);
    while (this.started < this.plan.count) {
      lane.index = this.started++;
      this.plan.describe(lane.index, lane.rpc);
      lane.intendedPs = lane.startPs = timePs;
      this.end(timePs, lane, 'hostCrashed');
    }
  }

  rebase(byPs: number): void {
    for (const lane of this.lanes) {
      lane.startPs -= byPs;
      lane.intendedPs -= byPs;
    }
  }

  onEvent(timePs: number, op: number, arg: number): void {
    if (this.halted) return;
    if ((op as Op) === Op.retryPump) this.retrySet = false;
    else if ((op as Op) === Op.rested) this.idle.push(this.lanes[arg]!);
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
    const lane = this.sendSlots[slot];
    const posted = this.receiveSlots[slot];
    if (lane !== undefined) this.onSendResult(timePs, lane, result);
    else if (posted !== undefined) this.onReceiveResult(timePs, posted, result);
    else if (result.failed && result.code !== Code.noRecvmsg)
      this.faults.push(`slot ${slot}: ${result.text}`);
    this.pump(timePs);
  }

  private scheduleArrival(timePs: number, index: number): void {
    const intended = this.plan.intendedPs!(index);
    this.agenda.push(Math.max(timePs, intended), this.actor, Op.start, 0);
  }

  private onSendResult(timePs: number, lane: Lane, result: CallResult): void {
    if (result.failed && result.code === Code.busy && (result.flags & ResultFlag.accepted) === 0) {
      // never taken: the same RPC goes again
      this.sendSlots[lane.sendSlot] = undefined;
      lane.sendSlot = 0;
      lane.unsent = true;
      this.unsent++;
      this.retryLater(timePs);
      return;
    }
    if (
      this.plan.match === 'id' &&
      lane.receive === undefined &&
      !lane.ended &&
      !result.failed &&
      (result.flags & ResultFlag.accepted) !== 0
    ) {
      this.postFor(timePs, lane, result.idLow, result.idHigh);
    }
    if (result.failed && !lane.ended) this.end(timePs, lane, CodeName[result.code] ?? `code ${result.code}`);
    if (!result.final) return;
    this.sendSlots[lane.sendSlot] = undefined;
    lane.sendSlot = 0;
    if (lane.sendOffset >= 0) this.user.sendArena.give(lane.sendOffset);
    lane.sendOffset = -1;
    this.settle(timePs, lane);
  }

  private onReceiveResult(timePs: number, posted: Posted, result: CallResult): void {
    if (!result.final) return;
    this.receiveSlots[posted.slot] = undefined;
    this.posted--;
    if ((result.flags & ResultFlag.delivered) !== 0) this.deliver(timePs, posted, result);
    else if (!result.failed) this.faults.push(`recvmsg ended without a message or an error: ${result.flags}`);
    const lane = posted.lane;
    if (lane !== undefined) {
      // an RPC that failed ends its recvmsg too; its sendmsg says why
      lane.receive = undefined;
      this.user.receiveArena.give(posted.offset);
      this.settle(timePs, lane);
    } else if (this.stopping || this.done) {
      this.user.receiveArena.give(posted.offset);
    } else this.post(timePs, posted);
  }

  private deliver(timePs: number, posted: Posted, result: CallResult): void {
    const lane = this.lanes[result.cookie & 0xff];
    const inPool = (result.flags & ResultFlag.inPool) !== 0;
    if (inPool) this.releases.push(result.offset);
    if (lane === undefined || !lane.active || this.cookieOf(lane) !== result.cookie) {
      this.faults.push(`response with cookie ${result.cookie}, which no RPC has`);
      return;
    }
    if (lane.ended) {
      this.faults.push(`RPC ${lane.index} ended twice`);
      return;
    }
    const expected = responseBytesOf(lane);
    const offset = inPool ? result.offset : posted.offset;
    const wrong =
      result.sizeBytes === expected ? findWrongByte(this.user.c2h, offset, expected, lane.key) : -2;
    if (wrong !== -1) {
      this.faults.push(
        `RPC ${lane.index}: ${wrong === -2 ? `${result.sizeBytes} bytes, not ${expected}` : `byte ${wrong} of ${expected} is wrong`}`,
      );
    }
    this.end(timePs, lane, wrong === -1 ? 'ok' : 'wrongBytes');
    this.settle(timePs, lane);
  }

  private end(timePs: number, lane: Lane, outcome: string): void {
    lane.ended = true;
    this.ended++;
    const out = told;
    out.index = lane.index;
    out.requestBytes = lane.rpc.requestBytes;
    out.responseBytes = responseBytesOf(lane);
    out.intendedPs = lane.intendedPs;
    out.startPs = lane.startPs;
    out.endPs = timePs;
    out.ok = outcome === 'ok';
    out.outcome = outcome;
    this.sink(out);
    if (this.done) this.stop(timePs);
  }

  /** The last RPC has ended: receive buffers for any response are taken back. */
  private stop(timePs: number): void {
    this.stopping = true;
    if (this.halted) return;
    for (const posted of this.receiveSlots) {
      if (posted === undefined || posted.lane !== undefined) continue;
      const slot = this.user.takeSlot();
      if (slot !== 0) this.user.cancelRecvmsg(timePs, slot, posted.slot);
    }
  }

  private settle(timePs: number, lane: Lane): void {
    if (!lane.active || !lane.ended || lane.unsent || lane.sendSlot !== 0 || lane.receive !== undefined)
      return;
    this.giveReceiveRoom(lane);
    lane.active = false;
    const pause = this.plan.intendedPs === undefined ? (this.plan.pausePs?.() ?? 0) : 0;
    if (pause > 0) this.agenda.push(timePs + pause, this.actor, Op.rested, lane.number);
    else this.idle.push(lane);
  }

  private cookieOf(lane: Lane): number {
    return ((lane.index << 8) | lane.number) >>> 0;
  }

  /** Starts what can be started. */
  private pump(timePs: number): void {
    while (this.releases.length > 0) {
      const slot = this.user.takeSlot();
      if (slot === 0) break;
      this.user.release(timePs, slot, this.releases.pop()!);
    }
    if (this.unsent > 0) {
      for (const lane of this.lanes) if (lane.unsent) this.send(timePs, lane);
    }
    if (this.plan.match === 'any' && !this.stopping) {
      while (this.posted < this.plan.outstanding && this.wanted > 0) {
        const offset = this.user.receiveArena.take(this.plan.maxResponseBytes);
        if (offset < 0)
          throw new RangeError('the receive buffer does not hold the plan: fewer or shorter RPCs');
        this.post(timePs, { slot: 0, offset, capacity: this.plan.maxResponseBytes, lane: undefined });
      }
    }
    while (!this.held && this.started < this.wanted && this.idle.length > 0) {
      const lane = this.idle.pop()!;
      const index = this.started++;
      lane.active = true;
      lane.ended = false;
      lane.index = index;
      this.plan.describe(index, lane.rpc);
      lane.key = keyFor(Math.imul(index + 1, 0x2545f491) ^ this.keySeed, lane.rpc.requestBytes);
      lane.intendedPs = this.plan.intendedPs === undefined ? timePs : this.plan.intendedPs(index);
      lane.unsent = true;
      this.unsent++;
      this.send(timePs, lane);
    }
  }

  private send(timePs: number, lane: Lane): void {
    const { peer, requestBytes } = lane.rpc;
    const inline = this.plan.inline && requestBytes <= INLINE_BYTES;
    if (!inline && lane.sendOffset < 0) {
      lane.sendOffset = this.user.sendArena.take(requestBytes);
      if (lane.sendOffset < 0) return; // another lane holds the room: its last result brings us here again
      fillPattern(this.user.h2c, lane.sendOffset, requestBytes, lane.key);
    }
    if (this.plan.match === 'id' && lane.receiveOffset < 0) {
      lane.receiveOffset = this.user.receiveArena.take(responseBytesOf(lane));
      if (lane.receiveOffset < 0) return; // as above
    }
    const slot = this.user.takeSlot();
    if (slot === 0) {
      this.retryLater(timePs);
      return;
    }
    lane.sendSlot = slot;
    lane.unsent = false;
    this.unsent--;
    this.sendSlots[slot] = lane;
    const cookie = this.cookieOf(lane);
    if (inline) {
      const payload = short.of(lane.key, requestBytes);
      lane.startPs = this.user.sendRequestInline(timePs, slot, peer, payload, cookie);
    } else {
      lane.startPs = this.user.sendRequest(timePs, slot, peer, lane.sendOffset, requestBytes, cookie);
    }
  }

  private post(timePs: number, posted: Posted): void {
    posted.slot = this.user.takeSlot();
    if (posted.slot === 0)
      throw new RangeError('no result slot left for a receive buffer: fewer RPCs at once');
    this.receiveSlots[posted.slot] = posted;
    this.posted++;
    this.user.recvmsg(timePs, posted.slot, CallFlag.matchResponses, posted.offset, posted.capacity, 0);
  }

  private postFor(timePs: number, lane: Lane, idLow: number, idHigh: number): void {
    const slot = this.user.takeSlot();
    if (slot === 0) throw new RangeError('no result slot left for a receive buffer: fewer RPCs at once');
    const capacity = responseBytesOf(lane);
    const offset = lane.receiveOffset;
    lane.receiveOffset = -1;
    const posted: Posted = { slot, offset, capacity, lane };
    lane.receive = posted;
    this.receiveSlots[slot] = posted;
    this.posted++;
    this.user.recvmsgOf(timePs, slot, idLow, idHigh, offset, capacity, this.cookieOf(lane));
  }

  /** The RPC ended before a recvmsg was posted for it. */
  private giveReceiveRoom(lane: Lane): void {
    if (lane.receiveOffset >= 0) this.user.receiveArena.give(lane.receiveOffset);
    lane.receiveOffset = -1;
  }

  private retryLater(timePs: number): void {
    if (this.retrySet) return;
    this.retrySet = true;
    this.agenda.push(timePs + RETRY_PS, this.actor, Op.retryPump, 0);
  }
}

/** Bytes of the response that is to come. */
function responseBytesOf({ rpc }: Lane): number {
  return rpc.responseBytes === 0 ? rpc.requestBytes : rpc.responseBytes;
}
