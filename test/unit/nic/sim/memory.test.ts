// SPDX-License-Identifier: Apache-2.0
// A card's memory follows its live RPCs: not the size of its table, and not the RPCs it has had. Counted, not timed: all
// that can be reached from the card.
import { expect } from 'chai';
import { Code, ResultFlag, UserCall, UserOperation } from '#src/nic/regs.js';
import { encodeFrame, setAddresses, setPriority } from '#src/nic/sim/protocol/frame.js';
import { FrameRecord } from '#src/nic/sim/protocol/frame-record.js';
import { HomaType, setDataOffset, startPacket } from '#src/nic/sim/protocol/homa-header.js';
import { Rpc } from '#src/nic/sim/rpc.js';
import { Bench, type Host } from './bench.js';

const PORT = 4000;
const MS = 1e9;

interface Footprint {
  /** array buffers, 8 bytes an array place, 8 bytes a field */
  bytes: number;
  /** RPC records */
  rpcs: number;
}

/** Everything that can be reached from `root`, but for the bench around it. */
function footprint(root: object, outside: object): Footprint {
  const seen = new Set<object>([outside]);
  const todo: object[] = [root];
  const found = { bytes: 0, rpcs: 0 };
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    if (ArrayBuffer.isView(next)) {
      if (!seen.has(next.buffer)) found.bytes += next.buffer.byteLength;
      seen.add(next.buffer);
      continue;
    }
    if (next instanceof Rpc) found.rpcs++;
    const values: unknown[] =
      next instanceof Map || next instanceof Set ? [...next].flat() : (Object.values(next) as unknown[]);
    found.bytes += 8 * (Array.isArray(next) ? next.length : values.length);
    for (const value of values) if (typeof value === 'object' && value !== null) todo.push(value);
  }
  return found;
}

class Measured {
  readonly bench = new Bench();
  readonly host: Host;

  constructor(rpcEntries?: number) {
    this.host = this.bench.addHost(rpcEntries === undefined ? {} : { rpcEntries }).configure();
    this.host.open(1, PORT);
    this.bench.wire = () => undefined;
  }

  get now(): Footprint {
    return footprint(this.host.nic, this.host);
  }

  /** Requests from many ports of one silent client: as many RPCs, all alive. */
  receive(count: number, from = 0): void {
    const record = new FrameRecord();
    const source = Uint32Array.of(0xfd000000, 0, 0, 0x101);
    const view = new DataView(this.host.ipv6.buffer);
    setAddresses(
      record,
      source,
      Uint32Array.from({ length: 4 }, (_, i) => view.getUint32(4 * i)),
    );
    record.sourceMacHi = 0x0200;
    record.sourceMacLo = 0x99;
    record.destinationMacHi = 0x0200;
    record.destinationMacLo = 0x0a;
    setPriority(record, 7);
    startPacket(record, HomaType.data);
    record.sourcePort = 0x8000;
    record.destinationPort = PORT;
    record.cutoffVersion = 1;
    record.messageLength = 100_000;
    record.incoming = 40_000;
    setDataOffset(record, 0);
    for (let i = from; i < from + count; i++) {
      record.senderIdLo = 2 * (i + 1);
      this.host.nic.frameIn(encodeFrame(record, new Uint8Array(100), 0, 100));
      if (i % 64 === 63) this.bench.run(1e6);
    }
    this.bench.run(1e6);
  }
}

describe('memory of a card', () => {
  it('does not depend on the size of its table while it is idle', () => {
    const sizes = [64, 16_384, 65_536].map((entries) => new Measured(entries).now.bytes);
    expect(new Set(sizes).size, sizes.join()).to.equal(1);
    expect(sizes[0]).to.be.below(900_000);
  });

  it('grows with live RPCs, by a bounded amount for each, and is given back when they end', () => {
    const card = new Measured();
    const idle = card.now;
    const readings: [number, number][] = [];
    for (let live = 0; live < 8000; live += 2000) {
      card.receive(2000, live);
      expect(card.host.nic.liveState().rpcs).to.equal(live + 2000);
      const { bytes, rpcs } = card.now;
      expect(rpcs).to.equal(live + 2000);
      readings.push([live + 2000, (bytes - idle.bytes) / (live + 2000)]);
    }
    for (const [live, each] of readings) expect(each, `bytes an RPC with ${live} live`).to.be.below(1000);
    expect(card.host.userCall(1, UserOperation.quiesce)).to.equal(Code.ok);
    card.bench.run(MS);
    expect(card.host.nic.liveState().rpcs).to.equal(0);
    const after = card.now;
    expect(after.rpcs).to.be.at.most(64);
    // Rings of frames keep the length they once needed.
    expect(after.bytes - idle.bytes).to.be.below(64 * 8000);
  });

  it('does not grow with the RPCs it has had', () => {
    const bench = new Bench();
    const host = bench.addHost().configure(7);
    host.open(1).open(2, PORT);
    let slot = 0;
    const turn = (): void => {
      slot = (slot % 200) + 1;
      for (const user of [1, 2]) host.clearSlot(user, slot);
      host.call(2, UserCall.recvmsg, { slot, size: 64 });
      host.call(1, UserCall.recvmsg, { slot: 201, size: 64 });
      host.call(1, UserCall.sendmsg, { slot, size: 64, peer: host.ipv6, peerPort: PORT });
      const got = host.wait(2, slot, ResultFlag.final, MS);
      host.clearSlot(2, 201);
      host.call(2, UserCall.sendmsg, {
        slot: 201,
        size: 64,
        id: got.id,
        peer: host.ipv6,
        peerPort: got.peerPort,
      });
      host.wait(1, 201, ResultFlag.final, MS);
      host.clearSlot(1, 201);
      host.wait(2, 201, ResultFlag.final, 10 * MS);
    };
    const rest = (): Footprint => {
      bench.run(1000 * MS);
      return footprint(host.nic, host);
    };
    for (let i = 0; i < 200; i++) turn();
    const before = rest();
    for (let i = 0; i < 2000; i++) turn();
    const after = rest();
    expect(host.nic.counterValues().rpcsCompleted).to.equal(4400);
    expect(after.rpcs).to.equal(before.rpcs);
    expect(after.rpcs).to.be.at.most(4);
    expect(after.bytes - before.bytes).to.be.below(4096);
  });
});
