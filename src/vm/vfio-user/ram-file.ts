// SPDX-License-Identifier: Apache-2.0
// The guest's RAM as a file that QEMU maps shared: reading and writing the file is reading and writing the RAM.
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  readSync,
  readdirSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

const SHARED_MEMORY = '/dev/shm';
/** The name goes on with the process that made the file. */
const PREFIX = 'homa-nic-ram-';

/** A file as large as the guest's RAM, in memory where there is room. */
export class RamFile {
  readonly path: string;
  readonly #fd: number;

  /**
   * Creates the file, and removes those of processes that were killed before they could. `translated` says that an IOMMU is between the cards and the RAM, so that bus addresses are not
   * places in it.
   */
  constructor(
    fallbackFolder: string,
    readonly sizeBytes: number,
    private readonly translated: boolean,
  ) {
    const folder = hasRoom(sizeBytes) ? SHARED_MEMORY : fallbackFolder;
    removeStale(folder);
    this.path = join(folder, `${PREFIX}${process.pid}-${randomUUID()}`);
    this.#fd = openSync(this.path, 'wx+', 0o600);
    ftruncateSync(this.#fd, sizeBytes);
  }

  /**
   * Where a range that QEMU announces begins in the file; undefined when it is something else than RAM. Without an
   * IOMMU, RAM below 3 GiB lies in the file at its own address; ROMs and other cards do not.
   */
  offsetOf(address: bigint, size: bigint, offset: bigint): number | undefined {
    if (offset + size > BigInt(this.sizeBytes)) return undefined;
    return this.translated || offset === address ? Number(offset) : undefined;
  }

  read(offset: number, lengthBytes: number): Uint8Array {
    const bytes = Buffer.allocUnsafe(lengthBytes);
    readSync(this.#fd, bytes, 0, lengthBytes, offset);
    return bytes;
  }

  write(offset: number, bytes: Uint8Array): void {
    writeSync(this.#fd, bytes, 0, bytes.length, offset);
  }

  /** Takes the name away; the file itself lives as long as QEMU or we have it open. */
  unlink(): void {
    rmSync(this.path, { force: true });
  }

  close(): void {
    this.unlink();
    closeSync(this.#fd);
  }
}

function removeStale(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = name.startsWith(PREFIX) ? Number(name.slice(PREFIX.length).split('-')[0]) : 0;
    if (pid > 0 && !existsSync(`/proc/${pid}`)) rmSync(join(folder, name), { force: true });
  }
}

function hasRoom(sizeBytes: number): boolean {
  try {
    const { bavail, bsize } = statfsSync(SHARED_MEMORY);
    return bavail * bsize > 2 * sizeBytes;
  } catch {
    return false;
  }
}
