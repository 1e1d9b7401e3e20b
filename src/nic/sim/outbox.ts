// SPDX-License-Identifier: Apache-2.0
/**
 * From messages to the wire: the send queue decides as late as the fetch pipeline allows, payload is read from host
 * memory, frames leave in the order they were chosen. Control packets pass the pipeline by.
 *
 * The pipeline holds enough to cover a bus round trip at line rate, and no more: what is in it can no longer be
 * overtaken by a shorter message.
 */
import { DmaStatus } from '../device.js';
import { Counter } from '../regs.js';
import type { Agenda } from './agenda.js';
import { CardEvent } from './card-event.js';
import type { Counters } from './counters.js';
import { CYCLE_PS, type CycleTable } from './cycle-table.js';
import type { Dma } from './dma.js';
import { FrameRing } from './frame-ring.js';
import type { Mac } from './mac.js';
import type { Peers } from './peers.js';
import type { AckStore } from './protocol/ack-store.js';
import { copyAddress } from './protocol/address.js';
import type { PeerCutoffs } from './protocol/cutoffs.js';
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6 } from './protocol/ethernet.js';
import { dataHeaderBytes, encodeAround } from './protocol/frame.js';
import { FrameRecord } from './protocol/frame-record.js';
import { doneWithFrame, newFrame } from '../frame-slab.js';
import { HomaType, setDataOffset, startPacket } from './protocol/homa-header.js';
import { SendChoice, SendKind, SendQueue } from './protocol/send-queue.js';
import type { Rpc } from './rpc.js';
import type { RpcTable } from './rpc-table.js';
import type { Settings } from './settings.js';

/** Packets and payload bytes that may be between the decision and the wire. */
const PIPELINE_PACKETS = 64;
const PIPELINE_BYTES = 20_000;
/** Serial numbers are small integers: so many counts, times the places of the pipeline. */
const SERIAL_COUNTS = 0x1000000;
const NOTHING = new Uint8Array(0);

/** A packet between the decision and the wire. */
class Packet {
  /** What DMA answers name: how many packets there were before, and `index` in the lowest bits; -1 when out of use. */
  serial = -1;
  token = 0;
  offset = 0;
  length = 0;
  prio = 0;
  incoming = 0;
  retransmission = false;
  missing = 0;
  failed = false;
  readyPs = 0;
  /** the frame it will be: payload is read into its place, headers are written as it leaves */
  frame: Uint8Array = NOTHING;

  constructor(readonly index: number) {}
}

/** Shared by all cards of the process: in use within one call only, and so always near the processor. */
const record = new FrameRecord();

/** Shared by all cards of the process: in use within one call only, and so always near the processor. */
const choice = new SendChoice<never>();

export class Outbox {
  readonly queue: SendQueue<never>;
  /** Told when the payload of a message cannot be read. */
  onReadFailed: (rpc: Rpc) => void = () => undefined;
  private readonly packets = Array.from({ length: PIPELINE_PACKETS }, (_, index) => new Packet(index));
  /** Packets out of use; the one used last is used first, because the processor has it at hand. */
  private readonly spare = [...this.packets].reverse();
  /** Packets in use in the order of the decision, a ring. */
  private readonly pipeline: Packet[] = [...this.packets];
  private head = 0;
  private inPipeline = 0;
  /** Packets started so far. */
  private started = 0;
  private bytes = 0;
  private readonly controls = new FrameRing(true);
  private transmitAtPs = Infinity;
  private readonly buildPs: number;
  private readonly startPs: number;

  constructor(
    private readonly agenda: Agenda,
    private readonly counters: Counters,
    private readonly dma: Dma,
    private readonly mac: Mac,
    private readonly table: RpcTable,
    private readonly peers: Peers,
    private readonly settings: Settings,
    private readonly acks: AckStore,
    private readonly cutoffs: PeerCutoffs,
    cycles: CycleTable,
  ) {
    this.queue = new SendQueue<never>();
    this.buildPs = (cycles.packetBuild + cycles.macTransmit) * CYCLE_PS;
    this.startPs = cycles.sendStart * CYCLE_PS;
  }

  reset(): void {
    this.controls.clear();
    // The count goes on, so that reads from before are seen to be old.
    while (this.inPipeline > 0) this.takeHead();
    this.bytes = 0;
    this.transmitAtPs = Infinity;
  }

  /** The card's clock was moved back. */
  rebase(byPs: number): void {
    this.transmitAtPs -= byPs;
    for (const packet of this.packets) packet.readyPs -= byPs;
    this.controls.rebase(byPs);
  }

  /** Packets and frames on their way to the wire. */
  get pending(): number {
    return this.inPipeline + this.controls.length;
  }

  /** A message was entered into the queue by a call: its first packet is asked for after the call's own cycles. */
  messageAdded(): void {
    this.agenda.schedule(this.agenda.nowPs + this.startPs, CardEvent.fetchPackets);
  }

  /** A finished control or neighbour frame: it leaves before any DATA. */
  sendControl(frame: Uint8Array): void {
    const readyPs = this.agenda.nowPs + this.buildPs;
    this.controls.push(frame, readyPs);
    this.transmitNoLaterThan(readyPs);
  }

  /** Fills the pipeline. */
  fetch(): void {
    const { queue } = this;
    while (this.inPipeline < PIPELINE_PACKETS && this.bytes < PIPELINE_BYTES && queue.ready) {
      if (queue.next(choice) === SendKind.none) return;
      this.start(this.table.at(choice.message));
    }
  }

  private start(rpc: Rpc): void {
    const packet = this.spare.pop()!;
    packet.serial = (this.started++ % SERIAL_COUNTS) * PIPELINE_PACKETS + packet.index;
    this.pipeline[(this.head + this.inPipeline++) % PIPELINE_PACKETS] = packet;
    packet.token = rpc.token;
    packet.offset = choice.offset;
    packet.length = choice.length;
    packet.prio = choice.prio;
    packet.incoming = choice.incoming;
    packet.retransmission = choice.kind === SendKind.retransmission;
    packet.failed = false;
    this.bytes += choice.length;
    const headerBytes = dataHeaderBytes(this.peers.isIpv4(rpc.peer));
    const frame = newFrame(headerBytes + choice.length);
    packet.frame = frame;
    if (rpc.txOffset < 0) {
      const { offset, length } = choice;
      const inline = this.table.inlineOf(rpc);
      if (length === inline.length) frame.set(inline, headerBytes);
      else for (let i = 0; i < length; i++) frame[headerBytes + i] = inline[offset + i]!;
      packet.missing = 0;
      packet.readyPs = this.agenda.nowPs + this.buildPs;
      this.transmitNoLaterThan(packet.readyPs);
      return;
    }
    packet.missing = choice.length;
    if (!this.dma.read(rpc.user, rpc.txOffset + choice.offset, choice.length, packet.serial)) {
      this.readFailed(packet);
    }
  }

  /** Part of a payload arrived from host memory. */
  readArrived(serial: number, position: number, status: DmaStatus, bytes: Uint8Array): void {
    const packet = this.packets[serial % PIPELINE_PACKETS]!;
    if (packet.serial !== serial || packet.missing === 0) return;
    if (status !== DmaStatus.ok) {
      this.readFailed(packet);
      return;
    }
    packet.frame.set(bytes, packet.frame.length - packet.length + position);
    packet.missing -= bytes.length;
    if (packet.missing > 0) return;
    packet.readyPs = this.agenda.nowPs + this.buildPs;
    this.transmitNoLaterThan(packet.readyPs);
  }

  /** The payload will not come: the packet is skipped and its message fails. */
  private readFailed(packet: Packet): void {
    packet.failed = true;
    packet.missing = 0;
    packet.readyPs = this.agenda.nowPs;
    this.transmitNoLaterThan(packet.readyPs);
  }

  private transmitNoLaterThan(timePs: number): void {
    const due = Math.max(timePs, this.mac.freePs);
    if (due >= this.transmitAtPs) return;
    this.transmitAtPs = due;
    this.agenda.schedule(due, CardEvent.transmit);
  }

  /** The wire may be free: the next frame leaves if one is ready. */
  transmit(): void {
    const now = this.agenda.nowPs;
    if (now < this.transmitAtPs) return;
    this.transmitAtPs = Infinity;
    if (now >= this.mac.freePs) {
      if (this.controls.headReadyPs <= now) this.mac.transmit(this.controls.shift()!);
      else this.transmitData(now);
    }
    let next = this.controls.headReadyPs;
    if (this.inPipeline > 0) {
      const packet = this.pipeline[this.head]!;
      if (packet.missing === 0) next = Math.min(next, packet.readyPs);
    }
    if (next !== Infinity) this.transmitNoLaterThan(Math.max(now, next));
  }

  /** Sends the first packet of the pipeline whose message is still being sent, if it is ready. */
  private transmitData(now: number): void {
    while (this.inPipeline > 0) {
      const packet = this.pipeline[this.head]!;
      const rpc = this.table.byToken(packet.token);
      const wanted = rpc?.isSending === true;
      if (wanted && (packet.missing > 0 || packet.readyPs > now)) return;
      this.takeHead();
      this.bytes -= packet.length;
      if (!wanted) {
        doneWithFrame(packet.frame);
        continue;
      }
      if (packet.failed) {
        this.onReadFailed(rpc);
        continue;
      }
      this.mac.transmit(this.encode(packet, rpc));
      this.fetch();
      return;
    }
    this.fetch();
  }

  /** The first packet of the pipeline is out of use; what it holds stays until the next `start`. */
  private takeHead(): void {
    const packet = this.pipeline[this.head]!;
    // An empty pipeline begins at its start again, which the processor has at hand.
    this.head = --this.inPipeline === 0 ? 0 : (this.head + 1) % PIPELINE_PACKETS;
    packet.serial = -1;
    this.spare.push(packet);
  }

  private encode(packet: Packet, rpc: Rpc): Uint8Array {
    this.addressTo(record, rpc.peer, packet.prio);
    startPacket(record, HomaType.data);
    record.sourcePort = rpc.ownPort;
    record.destinationPort = rpc.peerPort;
    record.senderIdHi = rpc.idHi;
    record.senderIdLo = rpc.idLo;
    record.messageLength = rpc.txLength;
    record.incoming = packet.incoming;
    record.cutoffVersion = this.cutoffs.version(rpc.peer);
    record.retransmit = packet.retransmission ? 1 : 0;
    setDataOffset(record, packet.offset);
    if (packet.retransmission) {
      record.ackClientIdHi = record.ackClientIdLo = record.ackServerPort = 0;
      this.counters.add(Counter.dataRetransmitted);
    } else this.acks.attachTo(rpc.peer, record);
    this.counters.add(Counter.dataSent);
    encodeAround(record, packet.frame, packet.length);
    return packet.frame;
  }

  /** Fills Ethernet and IP for a packet to a peer at a priority level. */
  addressTo(record: FrameRecord, peer: number, prio: number): void {
    const { peers, settings } = this;
    const ipv4 = peers.isIpv4(peer);
    record.destinationMacHi = peers.macHi(peer);
    record.destinationMacLo = peers.macLo(peer);
    record.sourceMacHi = settings.station.macHi;
    record.sourceMacLo = settings.station.macLo;
    record.ipVersion = ipv4 ? 4 : 6;
    record.etherType = ipv4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6;
    copyAddress(ipv4 ? settings.ipv4 : settings.ipv6, 0, record.source, 0);
    copyAddress(peers.words, peers.at(peer), record.destination, 0);
    record.prio = prio;
    record.trafficClass = settings.trafficClass(prio & 7);
  }
}
