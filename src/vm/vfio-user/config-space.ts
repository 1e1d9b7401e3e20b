// SPDX-License-Identifier: Apache-2.0
// PCI configuration space of the card: one 64-bit prefetchable BAR, a PCI Express capability, no interrupts.
import { BAR0_BYTES, PCI_CLASS, PCI_DEVICE, PCI_VENDOR } from '../../nic/regs.js';

export const CONFIG_BYTES = 4096;

const COMMAND = 0x04;
const COMMAND_WRITABLE = 0x0546; // memory space, bus master, parity, SERR, interrupt disable
const BUS_MASTER = 0x4;
const STATUS = 0x06;
const STATUS_CAPABILITIES = 0x10;
const CAPABILITIES = 0x34;
const EXPRESS = 0x40;
const EXPRESS_CAPABILITY_ID = 0x10;
const DEVICE_CONTROL = EXPRESS + 0x08;

/** Link the real card has: PCIe 3.0, 16 lanes. */
const LINK_GEN3_X16 = 0x103;
/** Link capabilities 2: 2.5, 5 and 8 GT/s. */
const SPEEDS_TO_GEN3 = 0x0e;

/** What `lspci` sees. QEMU keeps the BARs' values itself; writes to them are ignored here. */
export class ConfigSpace {
  readonly #bytes = Buffer.alloc(CONFIG_BYTES);

  constructor() {
    this.reset();
  }

  reset(): void {
    const bytes = this.#bytes.fill(0);
    bytes.writeUInt16LE(PCI_VENDOR, 0x00);
    bytes.writeUInt16LE(PCI_DEVICE, 0x02);
    bytes.writeUInt16LE(STATUS_CAPABILITIES, STATUS);
    bytes.writeUIntLE(PCI_CLASS, 0x09, 3);
    bytes.writeUInt32LE(0x0c, 0x10); // BAR 0: memory, 64-bit, prefetchable
    bytes.writeUInt16LE(PCI_VENDOR, 0x2c);
    bytes.writeUInt16LE(PCI_DEVICE, 0x2e);
    bytes[CAPABILITIES] = EXPRESS;
    bytes[EXPRESS] = EXPRESS_CAPABILITY_ID;
    bytes.writeUInt16LE(0x0002, EXPRESS + 0x02); // version 2, endpoint
    bytes.writeUInt32LE(0x10008000 | 0x1, EXPRESS + 0x04); // function reset, role-based errors, payload up to 256
    bytes.writeUInt32LE(LINK_GEN3_X16, EXPRESS + 0x0c);
    bytes.writeUInt16LE(LINK_GEN3_X16, EXPRESS + 0x12);
    bytes.writeUInt32LE(SPEEDS_TO_GEN3, EXPRESS + 0x2c);
  }

  /** May the card read and write host memory? */
  get busMaster(): boolean {
    return (this.#bytes.readUInt16LE(COMMAND) & BUS_MASTER) !== 0;
  }

  read(offset: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    this.#bytes.copy(bytes, 0, offset, Math.min(CONFIG_BYTES, offset + length));
    return bytes;
  }

  /** Takes the writable bits of a write. True when it asks for a function level reset. */
  write(offset: number, bytes: Uint8Array): boolean {
    const before = Buffer.from(this.#bytes.subarray(0, EXPRESS + 0x40));
    const wanted = Buffer.from(before);
    wanted.set(bytes.subarray(0, Math.max(0, wanted.length - offset)), Math.min(offset, wanted.length));
    this.#take(wanted, COMMAND, COMMAND_WRITABLE);
    this.#take(wanted, DEVICE_CONTROL, 0x7fff);
    return (wanted.readUInt16LE(DEVICE_CONTROL) & 0x8000) !== 0;
  }

  #take(wanted: Buffer, offset: number, mask: number): void {
    const old = this.#bytes.readUInt16LE(offset);
    this.#bytes.writeUInt16LE((old & ~mask) | (wanted.readUInt16LE(offset) & mask), offset);
  }
}

export const BAR_BYTES = BAR0_BYTES;
