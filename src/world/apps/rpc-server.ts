// SPDX-License-Identifier: Apache-2.0
// An application that answers RPCs: verifies each request by its own pattern and answers with the same pattern.
import { CallFlag, INLINE_BYTES, ResultFlag, SLOTS } from '../../nic/regs.js';
import type { Actor, Agenda } from '../agenda.js';
import { CallResult } from '../host/call.js';
import type { HostUser, ResultHandler } from '../host/host-user.js';
import { fillPattern, findWrongByte, readKey, ShortPattern } from '../host/pattern.js';
import { takeRoom } from '../number-room.js';

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
  /** the one that came next */
  next: Answer | undefined;
}

/** What a slot is in use for: its lower six bits, over which there is an offset (a multiple of 64). */
const enum Use {
  nothing,
  receive,
  inlineAnswer,
  answer,
}
const USE_BITS = 63;

const enum Op {
  answer,
  retry,
}

const RETRY_PS = 1_000_000;

/** Shared by all servers of the process: in use within one call only. */
const short = new ShortPattern();
/** Answers out of use, of all servers: the one used last is used first, because the processor has it at hand. */
let spare: Answer | undefined;
/** Of all servers with no pool buffer to give back; never written. */
const NO_RELEASES: number[] = [];

export class RpcServer implements Actor, ResultHandler {
  requests = 0;
  private readonly user: HostUser;
  private readonly options: RpcServerOptions;
  /** by slot its use and an offset; then the offsets of receive buffers that are not posted, the next one last */
  private readonly words: Int32Array;
  private readonly at: number;
  private unposted = 0;
  private posting = false;
  private releases = NO_RELEASES;
  private firstWaiting: Answer | undefined;
  private lastWaiting: Answer | undefined;
  /** answers that wait, whose time has not come, or in a slot */
  private answering = 0;
  private stopping = false;
  private halted = false;
  private retrySet = false;
  private readonly agenda: Agenda;
  private readonly actor: number;
  private readonly thinking: (Answer | undefined)[] = [];
  truncated = 0;
  /** answers the card reported as failed */
  failedResponses = 0;
  /** things no application should ever see; tests assert that it stays empty */
  readonly faults: string[] = [];

  constructor(agenda: Agenda, user: HostUser, options: RpcServerOptions) {
    this.agenda = agenda;
    this.user = user;
    this.options = options;
    this.actor = agenda.register(this);
    user.listen(this);
    const { words, at } = takeRoom(SLOTS + options.receives);
    this.words = words;
    this.at = at;
    for (let i = 0; i < options.receives; i++) {
      const offset = user.receiveArena.take(options.capacityBytes);
      if (offset < 0)
        throw new RangeError(`${options.receives} receive buffers of ${options.capacityBytes} B do not fit`);
      words[at + SLOTS + this.unposted++] = offset;
    }
    if (options.postFromPs > agenda.nowPs) agenda.push(options.postFromPs, this.actor, Op.retry, 0);
    this.pump(agenda.nowPs);
  }

  /** Answers that are not final yet, or wait to be sent. */
  get busy(): number {
    return this.halted ? 0 : this.answering;
  }

  /** Every slot is back after `stop`. */
  get stopped(): boolean {
    return this.halted || this.user.slotsInUse === 0;
  }

  /** Takes its receive buffers back (by cancel); requests that come from now on wait in the pool. */
  stop(timePs: number): void {
    this.stopping = true;
    for (let posted = 1; posted < SLOTS; posted++) {
      if ((this.words[this.at + posted]! & USE_BITS) !== Use.receive) continue;
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
      this.wait(answer);
    } else this.retrySet = false;
    this.pump(timePs);
  }

  onResult(timePs: number, result: CallResult): void {
    const { slot } = result;
    if (slot === 0) this.faults.push(`error slot: ${result.text}`);
    else if (result.final) this.onFinal(timePs, slot, result);
    this.pump(timePs);
  }

  private onFinal(timePs: number, slot: number, result: CallResult): void {
    const { words, at } = this;
    const word = words[at + slot]!;
    const offset = word & ~USE_BITS;
    const use: Use = word & USE_BITS;
    words[at + slot] = Use.nothing;
    if (use === Use.receive) {
      if ((result.flags & ResultFlag.delivered) !== 0) this.onRequest(timePs, offset, result);
      if (this.stopping) this.user.receiveArena.give(offset);
      else words[at + SLOTS + this.unposted++] = offset;
    } else if (use !== Use.nothing) {
      if (use === Use.answer) this.user.sendArena.give(offset);
      this.answering--;
      if (result.failed) this.failedResponses++;
    }
  }

  private onRequest(timePs: number, posted: number, result: CallResult): void {
    this.requests++;
    const inPool = (result.flags & ResultFlag.inPool) !== 0;
    const offset = inPool ? result.offset : posted;
    const key = readKey(this.user.c2h, offset, result.sizeBytes);
    if ((result.flags & ResultFlag.truncated) !== 0) this.truncated++;
    else if (this.options.copy !== true) {
      const wrong = findWrongByte(this.user.c2h, offset, result.sizeBytes, key);
      if (wrong >= 0) this.faults.push(`request of ${result.sizeBytes} bytes: byte ${wrong} is wrong`);
    }
    if (inPool) {
      if (this.releases === NO_RELEASES) this.releases = [];
      this.releases.push(result.offset);
    }
    if (this.options.silent) return;
    this.answering++;
    const answer = takeAnswer();
    answer.request.copyFrom(result);
    answer.key = key;
    answer.bytes = this.options.copy === true ? this.user.c2h.read(offset, result.sizeBytes) : undefined;
    answer.sizeBytes = this.options.responseBytes === 0 ? result.sizeBytes : this.options.responseBytes;
    if (this.options.thinkPs === 0) {
      this.wait(answer);
      return;
    }
    let index = this.thinking.indexOf(undefined);
    if (index < 0) index = this.thinking.length;
    this.thinking[index] = answer;
    this.agenda.push(timePs + this.options.thinkPs, this.actor, Op.answer, index);
  }

  private wait(answer: Answer): void {
    if (this.firstWaiting === undefined) this.firstWaiting = answer;
    else this.lastWaiting!.next = answer;
    this.lastWaiting = answer;
  }

  private pump(timePs: number): void {
    while (this.releases.length > 0) {
      const slot = this.user.takeSlot();
      if (slot === 0) return this.retryLater(timePs);
      this.user.release(timePs, slot, this.releases.pop()!);
    }
    for (let answer = this.firstWaiting; answer !== undefined; answer = this.firstWaiting) {
      // no room or slot: the result that frees one brings us here again
      if (!this.answer(timePs, answer)) return;
      this.firstWaiting = answer.next;
      answer.next = spare;
      spare = answer;
    }
    this.posting ||= timePs >= this.options.postFromPs;
    const { words, at } = this;
    while (this.unposted > 0 && this.posting) {
      const slot = this.user.takeSlot();
      if (slot === 0) return this.retryLater(timePs);
      const offset = words[at + SLOTS + --this.unposted]!;
      words[at + slot] = offset | Use.receive;
      this.user.recvmsg(timePs, slot, CallFlag.matchRequests, offset, this.options.capacityBytes, 0);
    }
  }

  private answer(timePs: number, { request, key, sizeBytes, bytes }: Answer): boolean {
    const slot = this.user.takeSlot();
    if (slot === 0) return false;
    if (sizeBytes <= INLINE_BYTES) {
      this.words[this.at + slot] = Use.inlineAnswer;
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
    this.words[this.at + slot] = offset | Use.answer;
    this.user.sendResponse(timePs, slot, request, offset, sizeBytes, 0);
    return true;
  }

  private retryLater(timePs: number): void {
    if (this.retrySet) return;
    this.retrySet = true;
    this.agenda.push(timePs + RETRY_PS, this.actor, Op.retry, 0);
  }
}

/** An answer out of use, or a new one. */
function takeAnswer(): Answer {
  const answer = spare;
  if (answer === undefined) {
    return { request: new CallResult(), key: 0, sizeBytes: 0, bytes: undefined, next: undefined };
  }
  spare = answer.next;
  answer.next = undefined;
  return answer;
}
