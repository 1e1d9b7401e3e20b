// SPDX-License-Identifier: Apache-2.0
// One card against a host that is only frames: what a Linux host would see of it (sheet sections 3, 6 and 14), and what
// an application behind it is promised.
import { expect } from 'chai';
import { Code, Register, ResultFlag, UserCall, UserOperation } from '#src/nic/regs.js';
import { encodeFrame, parseFrame, setAddresses, setPriority } from '#src/nic/sim/protocol/frame.js';
import { FrameRecord } from '#src/nic/sim/protocol/frame-record.js';
import { HomaType, homaTypeName, setDataOffset, startPacket } from '#src/nic/sim/protocol/homa-header.js';
import { Bench, pattern, type Host } from './bench.js';

const { accepted, bufferReusable, delivered, failed, final } = ResultFlag;
const PORT = 4000;
const PEER_PORT = 0x8000;
const MS = 1e9;

const words = (bytes: Uint8Array): Uint32Array => {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return Uint32Array.from({ length: 4 }, (_, i) => view.getUint32(4 * i));
};

/** The other host: sends what a test says, and keeps the Homa packets that come. */
class LiveHost {
  readonly bench = new Bench();
  readonly host: Host;
  readonly seen: FrameRecord[] = [];
  /** Frames that are not Homa. */
  others = 0;
  address = Uint8Array.of(0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1);
  mac = 0x00000099;

  constructor() {
    this.host = this.bench.addHost().configure();
    this.host.open(1, PORT);
    this.bench.wire = (_from, frame) => {
      const record = new FrameRecord();
      if (parseFrame(frame, record, null) === 0) this.seen.push(record);
      else this.others++;
    };
  }

  /** A packet of RPC `id` (as this host names it) to the card's port. */
  send(
    type: HomaType,
    id: number,
    fill: (record: FrameRecord) => void = () => undefined,
    payload = new Uint8Array(0),
  ): void {
    const record = new FrameRecord();
    setAddresses(record, words(this.address), words(this.host.ipv6));
    record.sourceMacHi = 0x0200;
    record.sourceMacLo = this.mac;
    record.destinationMacHi = 0x0200;
    record.destinationMacLo = 0x0000000a;
    setPriority(record, 7);
    startPacket(record, type);
    record.senderIdLo = id;
    const server = (id & 1) === 1;
    record.sourcePort = server ? PORT : PEER_PORT;
    record.destinationPort = server ? 0x8001 : PORT;
    record.cutoffVersion = 1;
    fill(record);
    this.host.nic.frameIn(encodeFrame(record, payload, 0, payload.length));
    this.bench.run(1e6);
  }

  data(
    id: number,
    message: Uint8Array,
    offset = 0,
    length = message.length - offset,
    incoming = 40_000,
  ): void {
    this.send(
      HomaType.data,
      id,
      (record) => {
        setDataOffset(record, offset);
        record.messageLength = message.length;
        record.incoming = Math.min(incoming, message.length);
      },
      message.slice(offset, offset + length),
    );
  }

  /** What came since the last call, by name. */
  take(...types: HomaType[]): FrameRecord[] {
    return this.seen
      .splice(0)
      .filter((record) => types.length === 0 || types.includes(record.type as HomaType));
  }

  /** The card calls this host: a request of its user, sent whole. */
  call(size: number, slot = 1): void {
    this.host.call(1, UserCall.sendmsg, { slot, size, peer: this.address, peerPort: PORT });
    this.bench.run(MS / 2);
  }
}

const names = (records: FrameRecord[]): string[] => records.map((record) => homaTypeName(record.type));

describe('live host: a response that lies in the pool', () => {
  it('leaves the request buffer to the application: no RESEND, late or hostile, makes the card read it again', () => {
    const all = new LiveHost();
    all.send(HomaType.freeze, 0);
    all.data(2, pattern(10)); // the card learns where the peer is
    all.host.load(1, 0, pattern(5000));
    all.call(5000);
    all.take();
    all.data(3, pattern(64));
    all.bench.run(MS);
    expect(all.host.result(1, 1).flags).to.equal(accepted | final | delivered | bufferReusable);
    const before = all.host.nic.counterValues().dmaReads;
    all.send(HomaType.resend, 3, (record) => {
      record.offset = 0;
      record.length = -1;
      record.priority = 7;
    });
    all.bench.run(MS / 2);
    expect(all.host.nic.counterValues().dmaReads).to.equal(before);
    expect(names(all.take(HomaType.data, HomaType.rpcUnknown, HomaType.busy))).to.deep.equal(['RPC_UNKNOWN']);
    all.host.call(1, UserCall.recvmsg, { slot: 9, flags: 4, size: 64 });
    expect(all.host.wait(1, 9, final, MS).flags & delivered).to.equal(delivered);
  });

  it('stops retransmissions of the request that were already queued', () => {
    const all = new LiveHost();
    all.data(2, pattern(10));
    all.host.load(1, 0, pattern(40_000));
    all.call(40_000);
    all.take();
    all.send(HomaType.resend, 3, (record) => {
      record.offset = 0;
      record.length = -1;
      record.priority = 7;
    });
    // Still being sent again when the whole response comes.
    all.data(3, pattern(64));
    const result = all.host.wait(1, 1, final, MS);
    expect(result.flags & bufferReusable).to.equal(bufferReusable);
    all.host.load(1, 0, new Uint8Array(40_000));
    all.take();
    all.bench.run(MS);
    expect(names(all.take(HomaType.data))).to.deep.equal([]);
  });
});

describe('live host: RESEND', () => {
  it('asks for what is granted of a message that was only announced, as a Linux host does', () => {
    const all = new LiveHost();
    all.send(HomaType.data, 2, (record) => {
      setDataOffset(record, 0);
      record.messageLength = 3000;
      record.incoming = 3000;
    });
    all.bench.run(7 * MS);
    const [resend] = all.take(HomaType.resend);
    expect(resend).to.include({ offset: 0, length: 3000, priority: 7 });
  });

  it('for a lost GRANT gets the new bytes as originals, and BUSY', () => {
    const all = new LiveHost();
    all.data(2, pattern(10));
    all.host.load(1, 0, pattern(100_000));
    all.call(100_000);
    all.take();
    all.send(HomaType.resend, 3, (record) => {
      record.offset = 40_000;
      record.length = 10_000;
      record.priority = 7;
    });
    all.bench.run(MS / 2);
    const answers = all.take();
    expect(names(answers).filter((name) => name !== 'DATA')).to.deep.equal(['BUSY']);
    const data = answers.filter((record) => record.type === HomaType.data);
    expect(data.map((record) => record.retransmit)).to.deep.equal(data.map(() => 0));
    expect(data[0]!.offset).to.equal(40_000);
    expect(data.at(-1)!.offset + data.at(-1)!.dataLength).to.be.at.least(50_000);
  });
});

describe('live host: a user who leaves', () => {
  it('does not ask for messages that had no room, though room comes as others end', () => {
    const all = new LiveHost();
    const long = pattern(900_000);
    all.data(2, long, 0, 1000);
    all.data(4, long, 0, 1000);
    expect(all.host.nic.counterValues().dropNoBuffer).to.equal(1);
    all.take();
    all.host.userCall(1, UserOperation.quiesce);
    all.bench.run(MS);
    expect(names(all.take())).to.deep.equal([]);
    expect(all.host.nic.liveState()).to.include({ rpcs: 0, poolChunks: 0 });
  });
});

describe('live host: NEED_ACK', () => {
  it('goes on for as long as the client asks for the response', () => {
    const all = new LiveHost();
    all.host.register(Register.needAckLimit, 10);
    all.host.call(1, UserCall.recvmsg, { slot: 5, size: 64 });
    all.data(2, pattern(10));
    const got = all.host.wait(1, 5, final, MS);
    const { id } = got;
    all.host.call(1, UserCall.sendmsg, {
      slot: 6,
      size: 5000,
      id,
      peer: all.address,
      peerPort: got.peerPort,
    });
    // A client without buffers: it answers every NEED_ACK with a RESEND, for longer than the limit.
    for (let tick = 0; tick < 40; tick++) {
      all.bench.run(MS);
      for (const record of all.take(HomaType.needAck)) {
        expect(record.senderIdLo).to.equal(3);
        all.send(HomaType.resend, 2, (resend) => {
          resend.offset = 0;
          resend.length = 5000;
          resend.priority = 7;
        });
      }
    }
    expect(all.host.result(1, 6).flags).to.equal(accepted);
    // It is gone now.
    expect(all.host.wait(1, 6, final, 20 * MS)).to.include({ code: Code.timedOut });
  });
});

describe('live host: grants', () => {
  it('to the oldest message carry the level below the highest, however many levels there are', () => {
    const all = new LiveHost();
    all.host.register(Register.numPriorities, 4);
    all.host.register(Register.maxOvercommit, 1);
    all.host.call(1, UserCall.recvmsg, { slot: 5, size: 1_000_000 });
    all.data(2, pattern(900_000), 0, 1404);
    const levels = new Set(all.take(HomaType.grant).map((record) => record.priority));
    for (let i = 1; i < 20; i++) {
      all.bench.run(MS / 10);
      all.data(2, pattern(900_000), i * 1404, 1404);
    }
    for (const grant of all.take(HomaType.grant)) levels.add(grant.priority);
    expect([...levels].sort()).to.deep.equal([0, 2]);
  });
});

describe('live host: ICMP', () => {
  it('is never sent to an address that is not one host', () => {
    const all = new LiveHost();
    const nowhere = (record: FrameRecord): void => {
      record.destinationPort = 77;
    };
    all.send(HomaType.data, 2, nowhere);
    expect(all.others).to.equal(1);
    for (const address of [
      new Uint8Array(16),
      Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
    ]) {
      all.address = address;
      all.send(HomaType.data, 2, nowhere);
    }
    expect(all.others).to.equal(1);
  });

  it('is never sent for a frame that went to a group', () => {
    const all = new LiveHost();
    all.send(HomaType.data, 2, (record) => {
      record.destinationPort = 77;
      record.destinationMacHi = 0xffff;
      record.destinationMacLo = 0xffffffff;
    });
    expect(all.others).to.equal(0);
  });
});

describe('live host: neighbours', () => {
  const S = 1000 * MS;

  it('asks again for an address it has not heard of for 30 s, and follows it to another MAC', () => {
    const all = new LiveHost();
    all.host.register(Register.neighbourTicks, 120);
    all.data(2, pattern(10));
    all.bench.run(31 * S);
    all.take();
    const before = all.others;
    all.call(64);
    expect(all.others, 'questions').to.equal(before + 1);
    expect(names(all.take(HomaType.data)), 'the old MAC is used meanwhile').to.have.length(1);
    // Nobody answers: the next message does not go to where nobody is.
    all.bench.run(200 * MS);
    all.take();
    all.call(64, 2);
    expect(names(all.take(HomaType.data))).to.have.length(0);
    all.mac = 0x77;
    all.data(4, pattern(10));
    all.bench.run(MS);
    const [data] = all.take(HomaType.data);
    expect(data!.destinationMacLo).to.equal(0x77);
  });

  it('does not run out of entries for addresses that nobody uses any more', () => {
    const all = new LiveHost();
    all.host.register(Register.neighbourTicks, 1);
    for (let i = 0; i < 300; i++) {
      all.address[15] = i & 0xff;
      all.address[14] = 2 + (i >> 8);
      all.call(64);
      expect(all.host.wait(1, 1, failed, 200 * MS).code).to.equal(Code.unreachable);
      all.host.clearSlot(1, 1);
    }
    const before = all.others;
    all.address[13] = 1;
    all.call(64);
    expect(all.others).to.equal(before + 1);
  });
});

/** The host's next frame has its Homa bytes changed, and this length if given. */
function changed(all: LiveHost, change: (homa: DataView) => void, homaBytes?: number): void {
  const { nic } = all.host;
  const original = nic.frameIn.bind(nic);
  nic.frameIn = (frame) => {
    const bytes = new Uint8Array(homaBytes === undefined ? frame.length : 54 + homaBytes);
    bytes.set(frame.subarray(0, bytes.length));
    new DataView(bytes.buffer).setUint16(18, bytes.length - 54);
    change(new DataView(bytes.buffer, 54));
    nic.frameIn = original;
    original(bytes);
  };
}

describe('live host: a MAC address that is found late', () => {
  for (const size of [64, 60_000]) {
    it(`starts the silence of an RPC of ${size} bytes over: what waited has only just been sent`, () => {
      const all = new LiveHost();
      all.host.load(1, 0, pattern(size));
      all.call(size);
      all.bench.run(150 * MS);
      expect(all.take()).to.deep.equal([]);
      all.data(2, pattern(10)); // now the card knows where the peer is
      all.bench.run(MS / 4);
      expect(all.take(HomaType.data).length).to.equal(Math.ceil(Math.min(size, 40_000) / 1404));
      all.bench.run(4 * MS);
      expect(all.host.result(1, 1).flags & failed).to.equal(0);
      expect(names(all.take())).to.deep.equal([]);
      all.bench.run(2 * MS);
      expect(names(all.take())).to.deep.equal(['RESEND']);
    });
  }
});

describe('live host: as seen on Linux (sheet 14)', () => {
  const drops: [string, (homa: DataView) => void, number?][] = [
    ['type 0F', (homa) => homa.setUint8(11, 0x0f)],
    ['type 19', (homa) => homa.setUint8(11, 0x19)],
    ['a packet of 27 bytes', () => undefined, 27],
    ['DATA of 28 bytes', () => undefined, 28],
    ['a message of length 0', (homa) => homa.setUint32(28, 0)],
    ['a message of 1,000,001 bytes', (homa) => homa.setUint32(28, 1_000_001)],
  ];
  for (const [what, change, cut] of drops) {
    it(`drops ${what} without a word`, () => {
      const all = new LiveHost();
      changed(all, change, cut);
      all.data(2, pattern(10));
      all.bench.run(20 * MS);
      expect(all.take()).to.deep.equal([]);
      expect(all.others).to.equal(0);
      expect(all.host.nic.liveState().rpcs).to.equal(0);
    });
  }

  it('takes a packet whose doff, flags, checksum and urgent are zero', () => {
    const all = new LiveHost();
    all.host.call(1, UserCall.recvmsg, { slot: 5, size: 64 });
    changed(all, (homa) => {
      for (const at of [12, 13, 16, 17, 18, 19]) homa.setUint8(at, 0);
    });
    all.data(2, pattern(10));
    expect(all.host.wait(1, 5, final, MS).size).to.equal(10);
  });

  it('makes a second RPC of the same id from another client port', () => {
    const all = new LiveHost();
    all.data(2, pattern(10));
    changed(all, (homa) => homa.setUint16(0, PEER_PORT + 1));
    all.data(2, pattern(10));
    expect(all.host.nic.liveState().rpcs).to.equal(2);
  });

  it('answers for RPCs it does not know only RESEND and NEED_ACK', () => {
    const all = new LiveHost();
    all.data(2, pattern(10)); // heard of once
    all.take();
    for (const type of [HomaType.data, HomaType.grant, HomaType.busy, HomaType.rpcUnknown, HomaType.ack]) {
      all.send(type, 99, (record) => (record.numAcks = 0));
    }
    expect(all.take()).to.deep.equal([]);
    all.send(HomaType.resend, 99, (record) => (record.length = -1));
    all.send(HomaType.needAck, 99);
    const [unknown, ack, ...rest] = all.take();
    expect(names([unknown!, ack!])).to.deep.equal(['RPC_UNKNOWN', 'ACK']);
    expect(rest).to.deep.equal([]);
    for (const record of [unknown!, ack!]) {
      expect(record).to.include({ senderIdLo: 98, sourcePort: 0x8001, destinationPort: PORT, prio: 7 });
    }
  });

  it('takes a GRANT with the trailing byte of older hosts, and sends up to it at its priority', () => {
    const all = new LiveHost();
    all.data(2, pattern(10));
    all.host.load(1, 0, pattern(60_000));
    all.call(60_000);
    all.take();
    changed(all, (homa) => homa.setUint8(33, 0xff), 34);
    all.send(HomaType.grant, 3, (grant) => {
      grant.offset = 60_000;
      grant.priority = 2;
    });
    all.bench.run(MS / 2);
    const data = all.take(HomaType.data);
    expect(data[0]).to.include({ offset: 40_000, prio: 2, incoming: 40_000, retransmit: 0 });
    expect(data.at(-1)!.offset + data.at(-1)!.dataLength).to.equal(60_000);
  });

  it('a socket that is closed refuses NEED_ACK by ICMP', () => {
    const all = new LiveHost();
    all.data(2, pattern(10));
    all.host.userCall(1, UserOperation.quiesce);
    all.bench.run(MS);
    all.host.userCall(1, UserOperation.close);
    all.send(HomaType.needAck, 3);
    expect(all.others).to.equal(1);
  });
});

describe('live host: ids', () => {
  it('of two lives of a card need not be the same', () => {
    const bench = new Bench();
    const host = bench.addHost({ idEpoch: 7 }).configure().open(1);
    host.call(1, UserCall.sendmsg, { slot: 1, size: 4, peer: host.ipv4, peerPort: PORT });
    expect(host.wait(1, 1, accepted, MS).id).to.equal((7n << 32n) | 2n);
  });
});
