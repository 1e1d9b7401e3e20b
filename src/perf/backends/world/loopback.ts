// SPDX-License-Identifier: Apache-2.0
import { CallFlag, INLINE_BYTES, ResultFlag } from '../../../nic/regs.js';
import type { CallResult } from '../../../world/host/call.js';
import { fillPattern, findWrongByte, patternBytes } from '../../../world/host/pattern.js';
import { BENCH_ADDRESS, BENCH_PORT, type BenchHost } from './bench-host.js';
import type { Instants } from './measured.js';

const PEER = { address: BENCH_ADDRESS, port: BENCH_PORT };
/** Where the receiver's one-byte answer lands, behind the largest request. */
const ANSWER_OFFSET = 1_048_576;
const ANSWER = Uint8Array.of(1);

/**
 * Closed loop of requests through the MAC loopback: from the store of the sendmsg to sight of the delivered message.
 * Buffers are posted, payloads written and checked, and the one-byte answer travels back outside the measured time.
 */
export class LoopbackLoop {
  private startPs = 0;
  private sendSlot = 0;
  private requestSlot = 0;
  private answerSlot = 0;
  private sent = false;
  private answered = false;
  private readonly inline: boolean;

  constructor(
    private readonly bench: BenchHost,
    private readonly instants: Instants,
    private readonly sizeBytes: number,
    mayInline: boolean,
  ) {
    this.inline = mayInline && sizeBytes <= INLINE_BYTES;
    bench.user.listen(this);
  }

  begin(): void {
    this.prepare(this.bench.world.nowPs);
  }

  onResult(timePs: number, result: CallResult): void {
    if (result.failed) throw new Error(`loopback: ${result.text}`);
    if (!result.final) return;
    if (result.slot === this.requestSlot) this.onRequest(timePs, result);
    else if (result.slot === this.sendSlot) this.sent = true;
    else if (result.slot === this.answerSlot) this.answered = true;
    if (this.sent && this.answered) {
      this.sent = false;
      this.answered = false;
      if (!this.instants.complete) this.prepare(timePs);
    }
  }

  /** The key of the payload: no two iterations carry the same bytes. */
  private get key(): number {
    return Math.imul(this.instants.done + 1, 0x9e3779b1);
  }

  private prepare(timePs: number): void {
    const { user } = this.bench;
    const { sizeBytes } = this;
    this.requestSlot = user.takeSlot();
    this.answerSlot = user.takeSlot();
    this.sendSlot = user.takeSlot();
    if (this.sendSlot === 0) throw new Error('loopback: no slot is free: acknowledgements do not arrive');
    user.recvmsg(timePs, this.requestSlot, CallFlag.matchRequests, 0, sizeBytes, 0);
    user.recvmsg(timePs, this.answerSlot, CallFlag.matchResponses, ANSWER_OFFSET, INLINE_BYTES, 0);
    if (!this.inline) fillPattern(user.h2c, 0, sizeBytes, this.key);
    const start = this.bench.nextStartPs(timePs);
    this.startPs = this.inline
      ? user.sendRequestInline(start, this.sendSlot, PEER, patternBytes(this.key, sizeBytes), 0)
      : user.sendRequest(start, this.sendSlot, PEER, 0, sizeBytes, 0);
  }

  private onRequest(timePs: number, result: CallResult): void {
    const { user } = this.bench;
    if (result.sizeBytes !== this.sizeBytes) throw new Error(`loopback: ${result.sizeBytes} bytes arrived`);
    const wrong = findWrongByte(user.c2h, result.offset, this.sizeBytes, this.key);
    if (wrong >= 0) throw new Error(`loopback: byte ${wrong} of the payload is wrong`);
    if ((result.flags & ResultFlag.inPool) !== 0) throw new Error('loopback: the posted buffer was not used');
    this.instants.add(this.startPs, timePs);
    const slot = user.takeSlot();
    if (slot === 0) throw new Error('loopback: no slot is free: acknowledgements do not arrive');
    user.sendResponseInline(this.bench.nextStartPs(timePs), slot, result, ANSWER, 0);
  }
}
