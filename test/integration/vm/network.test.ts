// SPDX-License-Identifier: Apache-2.0
// The perf programs over the simulated network: a guest and a simulated host, two guests, two cards of one guest.
import { expect } from 'chai';
import { Hub } from '#src/vm/ethernet-port.js';
import type { RunResult } from '#src/perf/result.js';
import { GuestForTests, simNic } from './guest-for-tests.js';
import { checksum, echo, startSimulatedHost, type SimulatedHost } from './simulated-host.js';

const PROGRAMS = ['perf_latency_client', 'perf_latency_server', 'perf_bitrate_client', 'perf_bitrate_server'];
const SERVER_STARTS_MS = 10_000;

/** Runs a client; it must succeed, having verified every payload. */
async function client(guest: GuestForTests, words: string): Promise<RunResult> {
  const outcome = await guest.machine.executor.run(['sh', '-c', `/tmp/${words} --json --wait both`], {
    timeoutMs: 60_000,
  });
  expect(outcome.exitCode, `${words}\n${outcome.stderr}`).to.equal(0);
  return JSON.parse(outcome.stdout) as RunResult;
}

/** Runs `work` while a server runs; the server must end cleanly when it is asked to. */
async function withServer<T>(guest: GuestForTests, words: string, work: () => Promise<T>): Promise<T> {
  let serving = (): void => undefined;
  const isServing = new Promise<void>((resolve, reject) => {
    serving = resolve;
    setTimeout(() => reject(new Error(`${words} does not serve`)), SERVER_STARTS_MS).unref();
  });
  const ending = new AbortController();
  const server = guest.machine.executor.run(['sh', '-c', `exec /tmp/${words} --wait both`], {
    signal: ending.signal,
    interruptible: true,
    timeoutMs: 100_000,
    onOutput: (_stream, bytes) => {
      if (Buffer.from(bytes).toString().includes('serving')) serving();
    },
  });
  await Promise.race([isServing, server]);
  try {
    return await work();
  } finally {
    ending.abort();
    const outcome = await server;
    expect(outcome.exitCode, outcome.stderr).to.be.oneOf([0, 130]);
  }
}

async function latencies(guest: GuestForTests, peer: string): Promise<void> {
  for (const [size, count] of [
    [64, 50],
    [1500, 20],
    [20_000, 10],
    [1_000_000, 2],
  ] as const) {
    const words = `perf_latency_client --peer ${peer} --size ${size} --count ${count} --warmup 2`;
    const result = await client(guest, words);
    expect(result.tests[0]!.count).to.equal(count);
  }
}

async function bitrates(guest: GuestForTests, peer: string): Promise<void> {
  for (const [size, count] of [
    [1000, 50],
    [100_000, 20],
  ] as const) {
    const words = `perf_bitrate_client --peer ${peer} --size ${size} --count ${count} --warmup 2`;
    const result = await client(guest, words);
    expect(result.tests[0]!.count).to.equal(count);
    expect(result.tests[0]!.rateGbps).to.be.above(0);
  }
}

describe('messages over the simulated network', function () {
  this.timeout(180_000);
  const hub = new Hub();
  let first: GuestForTests;
  let second: GuestForTests;
  let host: SimulatedHost;

  before(async () => {
    first = await GuestForTests.start({
      hub,
      cards: [simNic, simNic],
      parameters: ['ipv4=10.0.0.1,10.0.0.2', 'mac=02:00:00:00:00:01,02:00:00:00:00:02'],
    });
    await first.putPrograms(PROGRAMS);
    const settings = {
      mac: Uint8Array.of(2, 0, 0, 0, 0, 9),
      ipv4: Uint8Array.of(10, 0, 0, 9),
    };
    host = startSimulatedHost(simNic, settings, hub.addPort(), [
      { port: 4000, reply: echo },
      { port: 4001, reply: checksum },
    ]);
  });
  after(async () => {
    host?.stop();
    await first?.stop();
    await second?.stop();
  });

  it('go from a guest to a simulated host and back, of 64 bytes to 1 MB', async () => {
    await latencies(first, '10.0.0.9:4000');
    expect(host.servers[0]).to.include({ requests: 52 + 22 + 12 + 4 });
    expect(host.servers[0]!.faults).to.deep.equal([]);
    expect(host.servers[0]!.unacknowledged, 'four clients left, each with the acks of a store').to.be.at.most(
      4 * 5,
    );
    await first.expectQuietLog();
  });

  it('flow in a window to a simulated host, checksums right', async () => {
    await bitrates(first, '10.0.0.9:4001');
    expect(host.servers[1]).to.include({ requests: 52 + 22 });
    expect(host.servers[1]!.faults).to.deep.equal([]);
    expect(host.servers[1]!.unacknowledged, 'two clients left, each with the acks of a store').to.be.at.most(
      2 * 5,
    );
    await first.expectQuietLog();
  });

  it('go both ways between two processes with two cards, at once', async () => {
    await withServer(first, 'perf_latency_server --card 1 --port 4000', () =>
      withServer(first, 'perf_bitrate_server --card 0 --port 4001', async () => {
        const clients = [
          client(
            first,
            'perf_latency_client --card 0 --peer 10.0.0.2:4000 --size 5000 --count 30 --warmup 0',
          ),
          client(
            first,
            'perf_bitrate_client --card 1 --peer 10.0.0.1:4001 --size 20000 --count 30 --warmup 0',
          ),
        ];
        const results = await Promise.all(clients);
        expect(results.map((result) => result.tests[0]!.count)).to.deep.equal([30, 30]);
      }),
    );
    await first.expectNoSessions();
    await first.expectQuietLog();
  });

  it('are cut off 40 times by kill -9, at either end, and leave nothing behind', async () => {
    const before = await first.freeKilobytes();
    const script = `
      count=/sys/bus/pci/devices/0000:02:00.0/homa_counters/data_received
      for i in $(seq 20); do
        begin=$(cat $count)
        /tmp/perf_bitrate_server --card 1 --port $((4000 + i)) 2> /tmp/server & server=$!
        until grep -q serving /tmp/server; do usleep 2000; done
        /tmp/perf_bitrate_client --card 0 --peer 10.0.0.2:$((4000 + i)) --size 100000 --count 1000000 2>/dev/null & client=$!
        until [ $(($(cat $count) - begin)) -gt 70 ]; do usleep 1000; done
        usleep $((i * 7919 % 20000))
        [ $((i % 2)) = 0 ] && kill -9 $server $client || kill -9 $client $server
        wait $server $client; rm /tmp/server
      done 2>/dev/null
      cat $count`;
    expect(Number((await first.sh(script, 60_000)).trim()), 'packets received').to.be.above(20 * 70);
    await first.expectNoSessions();
    expect(before - (await first.freeKilobytes()), 'KB lost').to.be.below(2048);
    await first.expectQuietLog();
  });

  it('go between two guests', async () => {
    second = await GuestForTests.start({ hub, parameters: ['ipv4=10.0.0.3', 'mac=02:00:00:00:00:03'] });
    await second.putPrograms(PROGRAMS);
    await withServer(second, 'perf_latency_server', () => latencies(first, '10.0.0.3:4000'));
    await withServer(second, 'perf_bitrate_server', () => bitrates(first, '10.0.0.3:4000'));
    for (const guest of [first, second]) {
      await guest.expectNoSessions();
      await guest.expectQuietLog();
    }
  });
});
