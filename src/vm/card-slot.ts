// SPDX-License-Identifier: Apache-2.0
// A card in a PCIe slot of a guest: joins the device seam with vfio-user on one side and the network on the other.
import type { NicDevice, NicDeviceFactory } from '../nic/device.js';
import { DmaStatus } from '../nic/device.js';
import { DeviceClock } from './device-clock.js';
import type { EthernetPort } from './ethernet-port.js';
import type { RamFile } from './vfio-user/ram-file.js';
import { type PciFunction, VfioUserServer } from './vfio-user/server.js';

/** Traffic of a slot since it was made. */
export interface SlotCounts {
  mmioReads: number;
  mmioWrites: number;
  dmaReads: number;
  dmaWrites: number;
  framesOut: number;
  framesIn: number;
}

/** Serves a card at `socketPath` until it is closed. */
export class CardSlot {
  readonly counts: SlotCounts = {
    mmioReads: 0,
    mmioWrites: 0,
    dmaReads: 0,
    dmaWrites: 0,
    framesOut: 0,
    framesIn: 0,
  };
  readonly #device: NicDevice;
  readonly #clock: DeviceClock;
  readonly #server: VfioUserServer;
  readonly #reads = new Map<number, { lengthBytes: number; reply: (bytes: Uint8Array) => void }>();
  #nextRead = 0;

  constructor(
    readonly socketPath: string,
    factory: NicDeviceFactory,
    port: EthernetPort,
    ram: RamFile | undefined,
    private readonly onDisconnect: () => void = () => undefined,
  ) {
    const { counts } = this;
    this.#device = factory({
      dmaRead: (_timePs, tag, address, lengthBytes) => {
        counts.dmaReads += 1;
        this.#server.dma.read(address, lengthBytes, (ok, bytes) =>
          this.#clock.input(() => this.#device.dmaReadDone(tag, ok ? DmaStatus.ok : DmaStatus.error, bytes)),
        );
      },
      dmaWrite: (_timePs, tag, address, bytes) => {
        counts.dmaWrites += 1;
        this.#server.dma.write(address, bytes, (ok) =>
          this.#clock.input(() => this.#device.dmaWriteDone(tag, ok ? DmaStatus.ok : DmaStatus.error)),
        );
      },
      frameOut: (_timePs, frame) => {
        counts.framesOut += 1;
        port.send(frame);
      },
      mmioReadDone: (_timePs, tag, bytes) => {
        const read = this.#reads.get(tag);
        this.#reads.delete(tag);
        read?.reply(bytes);
      },
    });
    this.#clock = new DeviceClock(this.#device);
    const pciFunction: PciFunction = {
      barWrite: (offset, bytes) => {
        counts.mmioWrites += 1;
        this.#clock.input(() => this.#device.mmioWrite(offset, bytes));
      },
      barRead: (offset, lengthBytes, reply) => {
        counts.mmioReads += 1;
        const tag = this.#nextRead++;
        this.#reads.set(tag, { lengthBytes, reply });
        this.#clock.input(() => this.#device.mmioRead(tag, offset, lengthBytes));
      },
      reset: () => {
        for (const { lengthBytes, reply } of this.#reads.values())
          reply(new Uint8Array(lengthBytes).fill(0xff));
        this.#reads.clear();
        this.#clock.input(() => this.#device.reset());
      },
      disconnected: () => this.onDisconnect(),
    };
    this.#server = new VfioUserServer(socketPath, pciFunction, ram);
    port.attach({
      frame: (frame) => {
        counts.framesIn += 1;
        this.#clock.input(() => this.#device.frameIn(frame));
      },
      link: (up) => this.#clock.input(() => this.#device.link(up)),
    });
  }

  listen(): Promise<void> {
    return this.#server.listen();
  }

  async close(): Promise<void> {
    this.#clock.stop();
    await this.#server.close();
  }
}
