// SPDX-License-Identifier: Apache-2.0
// An application that answers RPCs: verifies each request by its own pattern and answers with the same pattern.
import { CallFlag, INLINE_BYTES, ResultFlag } from '../../nic/regs.js';
import type { Actor, Agenda } from '../agenda.js';
import { CallResult } from '../host/call.js';
import type { HostUser, ResultHandler } from '../host/host-user.js';
import { fillPattern, findWrongByte, readKey, ShortPattern } from '../host/pattern.js';

export interface RpcServerOptions {
  /** receive buffers that lie ready */
  receives: number;
  /** bytes of each; a longer request is cut and counted as truncated */
  capacityBytes: number;
  /** 0: answer as many bytes as came; else always this many */
  responseBytes: number;
  /** from request seen to response sent */
  thinkPs: number;
  /** receive buffers are posted from this instant on, not before */
  postFromPs: number;
  /** answer with the very bytes that came, whatever they are (requests are then not verified) */
  copy?: boolean;
  /** never answer (a server that hangs) */
  silent: boolean;
}

/** An answer that has to wait for a slot, for memory, or for its time. */
interface Answer {
  request: CallResult;
  key: number;
  sizeBytes: number;
  /** the bytes themselves, when they are copied */
  bytes: Uint8Array | undefined;
}

interface Posted {
  offset: number;
}

const enum Op {
  answer,
  retry,
}

const RETRY_PS = 1_000_000;

/** Shared by all servers of the process: in use within one call only. */
const short = new ShortPattern();
/** Answers out of use, of all servers: the one used last is used first, because the processor has it at hand. */
const spare: Answer[] = [];

export class RpcServer implements Actor, ResultHandler {
  /** things no application should ever see; tests assert that it stays empty */
  readonly faults: string[] = [];
  requests = 0;
  truncated = 0;
  /** answers the card reported as failed, by code */
  failedResponses = 0;
  private readonly agenda: Agenda;
  private readonly user: HostUser;
  private readonly options: RpcServerOptions;
  private readonly actor: number;
  private readonly receiveSlots: (Posted | undefined)[] = new Array<Posted | undefined>(256);
  /** offset in h2c of the answer in a slot; -1 inline; -2 none */
  private readonly sendOffsets = new Int32Array(256).fill(-2);
  private readonly waiting: Answer[] = [];
  private readonly thinking: (Answer | undefined)[] = [];
  private readonly unposted: Posted[] = [];
  private readonly releases: number[] = [];
  /** answers in a slot, and answers whose time has not come */
  private answering = 0;
  private thinkingCount = 0;
  private retrySet = false;
  private stopping = false;
  private halted = false;

  constructor(agenda: Agenda, user: HostUser, options: RpcServerOptions) {
    this.agenda = agenda;
    this.user = user;
    this.options = options;
    this.actor = agenda.register(this);
    user.listen(this);
    for (let i = 0; i < options.receives; i++) {
      const offset = user.receiveArena.take(options.capacityBytes);
      if (offset < 0)
        throw new RangeError(`${options.receives} receive buffers of ${options.capacityBytes} B do not fit`);
      this.unposted.push({ offset });
    }
    if (options.postFromPs > agenda.nowPs) agenda.push(options.postFromPs, this.actor, Op.retry, 0);
    this.pump(agenda.nowPs);
  }

  /** Answers that are not final yet, or wait to be sent. */
  get busy(): number {
    if (this.halted) return 0;
    return this.waiting.length + this.answering + this.thinkingCount;
  }

  /** Every slot is back after `stop`. */
  get stopped(): boolean {
    return this.halted || this.user.slotsInUse === 0;
  }

  /** Takes its receive buffers back (by cancel); requests that come from now on wait in the pool. */
  stop(timePs: number): void {
    this.stopping = true;
    for (let posted = 1; posted < 256; posted++) {
      if (this.receiveSlots[posted] === undefined) continue;
      const slot = this.user.takeSlot();
      if (slot !== 0) this.user.cancelRecvmsg(timePs, slot, posted);
    }
  }

  /** The host went down: nothing more happens here. */
  abandon(): void {
    this.halted = true;
  }

  onEvent(timePs: number, op: number, arg: number): void {
    if (this.halted) return;
    if ((op as Op) === Op.answer) {
      const answer = this.thinking[arg]!;
      this.thinking[arg] = undefined;
      this.thinkingCount--;
      this.waiting.push(answer);
    } else this.retrySet = false;
    this.pump(timePs);
  }

  onResult(timePs: number, result: CallResult): void {
    const { slot } = result;
    if (slot === 0) this.faults.push(`error slot: ${result.text}`);
    else if (this.receiveSlots[slot] !== undefined) this.onReceiveResult(timePs, slot, result);
    else if (this.sendOffsets[slot] !== -2) this.onSendResult(slot, result);
    this.pump(timePs);
  }

  private onReceiveResult(timePs: number, slot: number, result: CallResult): void {
    if (!result.final) return;
    const posted = this.receiveSlots[slot]!;
    this.receiveSlots[slot] = undefined;
    if ((result.flags & ResultFlag.delivered) !== 0) this.onRequest(timePs, posted, result);
    if (this.stopping) this.user.receiveArena.give(posted.offset);
    else this.unposted.push(posted);
  }

  private onRequest(timePs: number, posted: Posted, result: CallResult): void {
    this.requests++;
    const inPool = (result.flags & ResultFlag.inPool) !== 0;
    const offset = inPool ? result.offset : posted.offset;
    const key = readKey(this.user.c2h, offset, result.sizeBytes);
    if ((result.flags & ResultFlag.truncated) !== 0) this.truncated++;
    else if (this.options.copy !== true) {
      const wrong = findWrongByte(this.user.c2h, offset, result.sizeBytes, key);
      if (wrong >= 0) this.faults.push(`request of ${result.sizeBytes} bytes: byte ${wrong} is wrong`);
    }
    if (inPool) this.releases.push(result.offset);
    if (this.options.silent) return;
    const answer = spare.pop() ?? { request: new CallResult(), key: 0, sizeBytes: 0, bytes: undefined };
    answer.request.copyFrom(result);
    answer.key = key;
    answer.bytes = this.options.copy === true ? this.user.c2h.read(offset, result.sizeBytes) : undefined;
    answer.sizeBytes = this.options.responseBytes === 0 ? result.sizeBytes : this.options.responseBytes;
    if (this.options.thinkPs === 0) {
      this.waiting.push(answer);
      return;
    }
    let index = this.thinking.indexOf(undefined);
    if (index < 0) index = this.thinking.length;
    this.thinking[index] = answer;
    this.thinkingCount++;
    this.agenda.push(timePs + this.options.thinkPs, this.actor, Op.answer, index);
  }

  private onSendResult(slot: number, result: CallResult): void {
    if (!result.final) return;
    const offset = this.sendOffsets[slot]!;
    if (offset >= 0) this.user.sendArena.give(offset);
    this.sendOffsets[slot] = -2;
    this.answering--;
    if (result.failed) this.failedResponses++;
  }

  private pump(timePs: number): void {
    while (this.releases.length > 0) {
      const slot = this.user.takeSlot();
      if (slot === 0) return this.retryLater(timePs);
      this.user.release(timePs, slot, this.releases.pop()!);
    }
    while (this.waiting.length > 0) {
      // no room or slot: the result that frees one brings us here again
      if (!this.answer(timePs, this.waiting[0]!)) return;
      spare.push(this.waiting.shift()!);
    }
    while (this.unposted.length > 0 && timePs >= this.options.postFromPs) {
      const slot = this.user.takeSlot();
      if (slot === 0) return this.retryLater(timePs);
      const posted = this.unposted.pop()!;
      this.receiveSlots[slot] = posted;
      this.user.recvmsg(timePs, slot, CallFlag.matchRequests, posted.offset, this.options.capacityBytes, 0);
    }
  }

  private answer(timePs: number, { request, key, sizeBytes, bytes }: Answer): boolean {
    const slot = this.user.takeSlot();
    if (slot === 0) return false;
    if (sizeBytes <= INLINE_BYTES) {
      this.sendOffsets[slot] = -1;
      this.answering++;
      this.user.sendResponseInline(timePs, slot, request, bytes ?? short.of(key, sizeBytes), 0);
      return true;
    }
    const offset = this.user.sendArena.take(sizeBytes);
    if (offset < 0) {
      this.user.giveSlot(slot);
      return false;
    }
    if (bytes === undefined) fillPattern(this.user.h2c, offset, sizeBytes, key);
    else this.user.h2c.write(offset, bytes);
    this.sendOffsets[slot] = offset;
    this.answering++;
    this.user.sendResponse(timePs, slot, request, offset, sizeBytes, 0);
    return true;
  }

  private retryLater(timePs: number): void {
    if (this.retrySet) return;
    this.retrySet = true;
    this.agenda.push(timePs + RETRY_PS, this.actor, Op.retry, 0);
  }
}
