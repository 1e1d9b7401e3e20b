// SPDX-License-Identifier: Apache-2.0
// Writer of the `newc` archive that Linux takes as its first root file system.

/** One entry; parents have to come before their children. */
export type ArchiveEntry =
  | { kind: 'folder'; path: string; mode?: number }
  | { kind: 'file'; path: string; bytes: Uint8Array; mode?: number }
  | { kind: 'link'; path: string; to: string }
  | { kind: 'device'; path: string; major: number; minor: number; mode?: number };

const TYPE_BITS = { folder: 0o040000, file: 0o100000, link: 0o120000, device: 0o020000 } as const;
const DEFAULT_MODE = { folder: 0o755, file: 0o644, link: 0o777, device: 0o600 } as const;

function hex8(value: number): string {
  return value.toString(16).padStart(8, '0');
}

function padTo4(length: number): Uint8Array {
  return new Uint8Array((4 - (length % 4)) % 4);
}

/** The archive as bytes. All entries belong to root and have time 0, so that the same input gives the same bytes. */
export function writeNewc(entries: readonly ArchiveEntry[]): Uint8Array {
  const parts: Uint8Array[] = [];
  const add = (inode: number, entry: ArchiveEntry | undefined): void => {
    const path = entry?.path.replace(/^\/+/, '') ?? 'TRAILER!!!';
    const body =
      entry?.kind === 'file'
        ? entry.bytes
        : entry?.kind === 'link'
          ? Buffer.from(entry.to)
          : new Uint8Array(0);
    const mode = entry
      ? TYPE_BITS[entry.kind] | ((entry.kind === 'link' ? undefined : entry.mode) ?? DEFAULT_MODE[entry.kind])
      : 0;
    const device = entry?.kind === 'device' ? entry : { major: 0, minor: 0 };
    const name = Buffer.from(`${path}\0`);
    const fields = [inode, mode, 0, 0, entry?.kind === 'folder' ? 2 : 1, 0, body.length];
    const numbers = [...fields, 0, 0, device.major, device.minor, name.length, 0];
    const head = Buffer.concat([Buffer.from(`070701${numbers.map(hex8).join('')}`), name]);
    parts.push(head, padTo4(head.length), body, padTo4(body.length));
  };
  entries.forEach((entry, index) => add(index + 1, entry));
  add(0, undefined);
  return Buffer.concat(parts);
}
