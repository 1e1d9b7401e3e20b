// SPDX-License-Identifier: Apache-2.0
// Real captures of two Linux hosts running HomaModule, replayed at the card in either role: the peer's frames go in,
// what the card answers must agree with what the real host sent in type, order, offsets, lengths, priorities and state.
// Timing aside: each frame of the peer is held back until the card has sent what the real host had sent before it.
// Repeated GRANTs of the same offset count once (a Linux host sends one for each batch of packets it happens to see).
import { readFileSync, readdirSync } from 'node:fs';
import { expect } from 'chai';
import { parseAddress, parseIpv4, parseIpv6 } from '#src/world/addresses.js';
import { RpcClient } from '#src/world/apps/rpc-client.js';
import { RpcServer } from '#src/world/apps/rpc-server.js';
import { framePriority, homaStart, homaType } from '#src/world/frame-summary.js';
import { addNeighbour, bindPort } from '#src/world/host/driver.js';
import { readPcap } from '#src/world/pcap.js';
import { World } from '#src/world/world.js';
import { simCard } from './sim-card.js';

const FOLDER = 'test/fixtures/captures';
const MACS = {
  A: Uint8Array.of(2, 0x48, 0x4f, 0x4d, 0x41, 1),
  B: Uint8Array.of(2, 0x48, 0x4f, 0x4d, 0x41, 2),
};
const OUR_CLIENT_PORT = 0x8001;
/** Longer than any timer that a capture shows. */
const PATIENCE_PS = 60e9;
type Role = keyof typeof MACS;

interface Listed {
  from: Role;
  frame: Uint8Array;
  dropped: boolean;
}

function load(name: string): Listed[] {
  const lines = readFileSync(`${FOLDER}/${name}.txt`, 'utf8').trimEnd().split('\n');
  const frames = readPcap(readFileSync(`${FOLDER}/${name}.pcap`));
  expect(frames.length).to.equal(lines.length);
  return frames.map(({ frame }, i) => ({
    from: / ms (.)>/.exec(lines[i]!)![1] as Role,
    frame,
    dropped: lines[i]!.includes('[DROPPED]'),
  }));
}

const view = (frame: Uint8Array): DataView => new DataView(frame.buffer, frame.byteOffset, frame.length);

/** What of a frame must agree. Ids and client ports are named by their order of appearance. */
function essence(frame: Uint8Array, ids: Map<bigint, number>): string {
  const at = homaStart(frame);
  const v = view(frame);
  const name = (id: bigint): number => {
    const client = id & ~1n;
    if (!ids.has(client)) ids.set(client, ids.size + 1);
    return ids.get(client)!;
  };
  const id = v.getBigUint64(at + 20);
  const type = homaType(frame);
  const parts = [
    type,
    `rpc ${name(id)}${(id & 1n) === 1n ? ' as server' : ''}`,
    `prio ${framePriority(frame)}`,
  ];
  if (type === 'DATA') {
    const segment = v.getUint32(at + 52);
    const offset = segment === 0xffffffff ? v.getUint32(at + 4) : segment;
    parts.push(`offset ${offset}`, `bytes ${frame.length - at - 56}`, `of ${v.getUint32(at + 28)}`);
    parts.push(`cutoffs ${v.getUint16(at + 46)}`, `again ${frame[at + 48]}`);
    if (frame[at + 48] === 0) parts.push(`incoming ${v.getUint32(at + 32)}`);
    const acked = v.getBigUint64(at + 36);
    if (acked !== 0n) parts.push(`acks rpc ${name(acked)} at ${v.getUint16(at + 44)}`);
  } else if (type === 'GRANT') parts.push(`up to ${v.getUint32(at + 28)}`, `at ${frame[at + 32]}`);
  else if (type === 'RESEND') parts.push(`from ${v.getUint32(at + 28)}`, `bytes ${v.getInt32(at + 32)}`);
  else if (type === 'CUTOFFS') {
    for (let i = 1; i < 8; i++) parts.push(String(v.getUint32(at + 28 + 4 * i)));
    parts.push(`version ${v.getUint16(at + 60)}`);
  }
  return parts.join(', ');
}

function withoutRepeatedGrants(list: readonly string[]): string[] {
  const seen = new Set<string>();
  return list.filter((text) => !text.startsWith('GRANT') || (!seen.has(text) && seen.add(text)));
}

/** A CUTOFFS of the peer in the family of `like`: the hosts had exchanged theirs before all captures but one. */
function cutoffsLike(like: Uint8Array, from: Role): Uint8Array {
  const found = load('first-contact-ipv6').find(
    (f) => f.from === from && homaType(f.frame) === 'CUTOFFS',
  )!.frame;
  const homa = found.subarray(homaStart(found));
  const start = homaStart(like);
  const frame = new Uint8Array(start + homa.length);
  frame.set(like.subarray(0, start));
  frame.set(homa, start);
  frame.set(like.subarray(start, start + 4), start); // ports
  const v = view(frame);
  if (frame[12] === 0x86) v.setUint16(18, homa.length);
  else {
    v.setUint16(16, 20 + homa.length);
    v.setUint16(24, 0);
    let sum = 0;
    for (let at = 14; at < 34; at += 2) sum += v.getUint16(at);
    v.setUint16(24, ~((sum & 0xffff) + (sum >>> 16)) & 0xffff);
  }
  return frame;
}

function replay(name: string, role: Role): { ours: string[]; real: string[] } {
  const listed = load(name);
  const other: Role = role === 'A' ? 'B' : 'A';
  const firstData = listed[0]!.frame;
  const at = homaStart(firstData);
  const serverPort = view(firstData).getUint16(at + 2);
  const capturedClientPort = view(firstData).getUint16(at);
  const version4 = firstData[12] === 0x08;
  const address = (who: Role): Uint8Array =>
    parseAddress(version4 ? `10.77.0.${who === 'A' ? 1 : 2}` : `fd77::${who === 'A' ? 1 : 2}`);
  const requests = listed.filter(
    ({ from, frame }) =>
      from === 'A' && homaType(frame) === 'DATA' && essence(frame, new Map()).includes('offset 0,'),
  );
  const sizeBytes = view(firstData).getUint32(at + 28);

  const world = new World({ seed: 1 });
  const host = world.addHost(
    'card',
    {
      mac: MACS[role],
      ipv4: parseIpv4(`10.77.0.${role === 'A' ? 1 : 2}`),
      ipv6: parseIpv6(`fd77::${role === 'A' ? 1 : 2}`),
    },
    simCard({ cycleTable: 'u250-gen3x16' }),
  );
  world.complete(host, host.probe());
  world.complete(host, addNeighbour(address(other), MACS[other]));
  const user = world.complete(host, host.openUser(1));

  const sent: Uint8Array[] = [];
  host.slot.connect({ onFrame: (_timePs, frame) => sent.push(frame.slice()) });
  // ids of our RPCs take the place of the captured ones in the peer's frames, in order of appearance
  const capturedIds: bigint[] = requests.map(({ frame }) => view(frame).getBigUint64(at + 20));
  const ourIds = (): bigint[] => [
    ...new Set(
      sent.filter((f) => homaType(f) === 'DATA').map((f) => view(f).getBigUint64(homaStart(f) + 20)),
    ),
  ];
  const asPeer = (frame: Uint8Array): Uint8Array => {
    const out = frame.slice();
    if (role === 'B') return out;
    const v = view(out);
    const start = homaStart(out);
    if (v.getUint16(start + 2) === capturedClientPort) v.setUint16(start + 2, OUR_CLIENT_PORT);
    const index = capturedIds.indexOf(v.getBigUint64(start + 20) & ~1n);
    const ours = ourIds()[index];
    if (ours !== undefined) v.setBigUint64(start + 20, ours | 1n);
    return out;
  };
  if (role === 'B') world.complete(host, bindPort(1, serverPort));
  if (!name.startsWith('first-contact')) {
    const like = listed.find(({ from }) => from === other)!.frame;
    host.slot.frameIn(world.nowPs, asPeer(cutoffsLike(like, other)));
  }
  if (role === 'B') {
    const options = {
      receives: 4,
      capacityBytes: 131_072,
      responseBytes: 0,
      thinkPs: 0,
      postFromPs: 0,
      silent: false,
    };
    new RpcServer(world.agenda, user, { ...options, copy: true });
  } else {
    const peer = { address: address('B'), port: serverPort };
    const plan = {
      count: requests.length,
      outstanding: 1,
      maxResponseBytes: sizeBytes,
      match: 'any' as const,
      inline: true,
      describe: (
        _index: number,
        into: { peer: typeof peer; requestBytes: number; responseBytes: number },
      ) => {
        into.peer = peer;
        into.requestBytes = sizeBytes;
        into.responseBytes = 0;
      },
    };
    // what comes back is the capture's payload, not ours: only frames are compared here
    new RpcClient(world.agenda, user, plan, 1, () => undefined).start(world.nowPs);
  }

  const ours = (): string[] => {
    const ids = new Map<bigint, number>();
    return withoutRepeatedGrants(sent.map((frame) => essence(frame, ids)));
  };
  const ids = new Map<bigint, number>();
  const realOf = (upTo: number): string[] => {
    ids.clear();
    const mine = listed.slice(0, upTo).filter(({ from }) => from === role);
    return withoutRepeatedGrants(mine.map(({ frame }) => essence(frame, ids)));
  };
  for (const [i, { from, frame, dropped }] of listed.entries()) {
    if (from === role || dropped) continue;
    const awaited = realOf(i).length;
    const deadline = world.nowPs + PATIENCE_PS;
    world.runWhile(() => ours().length < awaited, deadline);
    world.runUntil(world.nowPs + 1_000_000);
    host.slot.frameIn(world.nowPs, asPeer(frame));
  }
  const real = realOf(listed.length);
  world.runWhile(() => ours().length < real.length, world.nowPs + PATIENCE_PS);
  world.runUntil(world.nowPs + 100_000_000);
  return { ours: ours(), real };
}

describe('world: captures of HomaModule replayed', () => {
  for (const file of readdirSync(FOLDER).filter((f) => f.endsWith('.pcap'))) {
    const name = file.replace('.pcap', '');
    for (const [role, who] of [
      ['A', 'client'],
      ['B', 'server'],
    ] as const) {
      it(`${name}: the card as ${who} answers as the real host did`, function () {
        this.timeout(60_000);
        const { ours, real } = replay(name, role);
        expect(ours).to.deep.equal(real);
      });
    }
  }
});
