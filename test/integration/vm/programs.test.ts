// SPDX-License-Identifier: Apache-2.0
// The programs of app/ in a guest with two cards on one wire: their payload checks, their reports, their traces.
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { expect } from 'chai';
import { GuestForTests, simNic } from './guest-for-tests.js';
import { runOrThrow } from '#src/exec/failures.js';
import { LocalExecutor } from '#src/exec/local-executor.js';
import type { RunResult } from '#src/perf/result.js';

// An RPC is given up after 5 s of silence instead of 100 ms: on a busy machine the guest's only processor may sleep longer.
const PARAMETERS = [
  'ipv4=10.0.0.1,10.0.0.2',
  'mac=02:00:00:00:00:01,02:00:00:00:00:02',
  'timeout_ticks=5000',
];
const isResult = new Ajv().compile(JSON.parse(readFileSync('schemas/result.v1.json', 'utf8')) as object);

describe('programs of app/ in a guest', function () {
  this.timeout(180_000);
  let guest: GuestForTests;
  let folder = '';

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hn-app-'));
    const make = ['make', '-s', '-C', 'app', `BUILD=${folder}`, 'STATIC=1', 'apps', 'guest-tests'];
    await runOrThrow(new LocalExecutor(), make, { what: 'building the programs' });
    guest = await GuestForTests.start({ cards: [simNic, simNic], parameters: PARAMETERS });
    for (const name of await readdir(folder)) {
      if (/^(perf|example|guest)_\w+$/.test(name)) await guest.put(join(folder, name), `/tmp/${name}`);
    }
  });
  after(async () => {
    await guest?.stop();
    await rm(folder, { recursive: true, force: true });
  });
  afterEach(async () => {
    await guest.expectNoSessions();
    await guest.expectQuietLog();
  });

  /** Runs a program that reports in JSON, and checks the report against its schema. */
  async function report(line: string): Promise<RunResult> {
    const text = await guest.sh(`/tmp/${line} --json`);
    const result = JSON.parse(text) as RunResult;
    expect(isResult(result), JSON.stringify(isResult.errors)).to.equal(true);
    expect(result).to.include({ kind: 'app', nic: 'sim', simulated: true, partial: false });
    return result;
  }

  /** A server in the background that ends after `count` requests; then the client. */
  async function against(server: string, client: string): Promise<RunResult> {
    await guest.sh(
      `/tmp/${server} >/tmp/server.out 2>&1 & for i in $(seq 200); do grep -q serving /tmp/server.out && exit; usleep 20000; done; exit 1`,
    );
    const result = await report(client);
    await guest.sh(
      `for i in $(seq 200); do grep -q samples /tmp/server.out && exit; usleep 50000; done; cat /tmp/server.out; exit 1`,
    );
    return result;
  }

  it('echo and read: every iteration counted, the trace in the original form', async () => {
    for (const [program, start, stop] of [
      ['perf_echo', 'write request', 'write response'],
      ['perf_read', 'read request', 'read response'],
    ] as const) {
      const result = await report(`${program} --count 50 --warmup 5 --trace /tmp/trace.tt`);
      expect(result.tests[0]!.samplesNs).to.have.length(50);
      const lines = (await guest.sh('cat /tmp/trace.tt')).trimEnd().split('\n');
      expect(lines[0]).to.match(
        /^ {4}0\.000 us \(\+ {3}0\.000 us\) \[C0\] {3}First event has timestamp \d+ \(cpu_ghz \d\.\d{15}\)$/,
      );
      expect(lines.filter((line) => line.endsWith(`us) [main] ${start}`))).to.have.length(50);
      expect(lines.filter((line) => line.endsWith(`us) [main] ${stop}`))).to.have.length(50);
    }
  });

  it('loopback: messages of every kind of size come back whole', async () => {
    for (const size of [1, 64, 65, 1400, 5000, 60_000, 1_000_000]) {
      const result = await report(`perf_loopback --count 5 --warmup 1 --size ${size}`);
      expect(result.tests[0]).to.include({ name: 'loopback', sizeBytes: size, count: 5 });
    }
    const files = '/sys/class/homa_nic/homa_nic_h2c_metadata/device/homa_config/mac_loopback';
    expect((await guest.sh(`cat ${files}`)).trim(), 'loopback is switched off again').to.equal('0');
  });

  it('latency: round trips from card to card over the wire', async () => {
    const result = await against(
      'perf_latency_server --card 1 --count 36 --wait both',
      'perf_latency_client --peer 10.0.0.2:4000 --count 30 --warmup 6 --size 3000 --wait both',
    );
    expect(result.tests[0]).to.include({ name: 'rpc', count: 30 });
  });

  it('bitrate: messages in flight from card to card, checksums compared', async () => {
    const result = await against(
      'perf_bitrate_server --card 1 --count 40 --size 20000 --wait both',
      'perf_bitrate_client --peer 10.0.0.2:4000 --count 30 --warmup 10 --size 20000 --wait both',
    );
    expect(result.tests[0]).to.include({ name: 'throughput', count: 30 });
    expect(result.tests[0]!.rateGbps).to.be.above(0);
  });

  it('processes exchange messages, are killed, cancel; threads call at once', async () => {
    expect(await guest.sh('/tmp/guest_messages 6')).to.match(/\n5 passed, 0 failed\n$/);
    expect(await guest.sh('/tmp/guest_threads')).to.match(/\n1 passed, 0 failed\n$/);
  });

  it('the two examples talk to each other', async () => {
    const sees = 'grep -q 1 /sys/bus/pci/devices/0000:01:00.0/homa_state/sessions';
    await guest.sh(
      `/tmp/example_server > /tmp/server.out 2>&1 & for i in $(seq 100); do ${sees} && exit; usleep 20000; done`,
    );
    await guest.sh('echo 1 > /sys/bus/pci/devices/0000:01:00.0/homa_config/mac_loopback');
    for (const name of ['world', 'guest', 'end']) {
      expect(await guest.sh(`/tmp/example_client 10.0.0.1:4000 ${name}`)).to.equal(`hello, ${name}\n`);
    }
    await guest.sh(`for i in $(seq 200); do ${sees} || exit 0; usleep 50000; done; exit 1`);
    expect(await guest.sh('cat /tmp/server.out')).to.equal('');
  });

  it('settings in sysfs: read back, ranges, neighbours', async () => {
    const config = '/sys/bus/pci/devices/0000:02:00.0/homa_config';
    const refused = async (file: string, text: string): Promise<void> => {
      const line = `echo '${text}' > ${config}/${file}`;
      const { exitCode } = await guest.machine.executor.run(['sh', '-c', line]);
      expect(exitCode, line).to.not.equal(0);
    };
    const kept = async (file: string, text: string, reads = text): Promise<void> => {
      await guest.sh(`echo '${text}' > ${config}/${file}`);
      expect((await guest.sh(`cat ${config}/${file}`)).trim(), file).to.equal(reads);
    };
    await kept('mtu', '9000');
    for (const text of ['1279', '9001', '-1', 'x', '']) await refused('mtu', text);
    await kept('mtu', '1500');
    await kept('cutoff_7', '0x100', '256');
    await kept('mac', '02:00:00:00:00:22');
    for (const text of ['01:00:00:00:00:22', '00:00:00:00:00:00', '02:00', 'x']) await refused('mac', text);
    await kept('mac', '02:00:00:00:00:02');
    await kept('ipv4', '10.0.0.9');
    for (const text of ['10.0.0', '10.0.0.256', 'fd00::1', '']) await refused('ipv4', text);
    await kept('ipv4', '10.0.0.2');
    await kept('ipv6', 'fd00::2');
    await refused('ipv6', '10.0.0.2');
    await kept('neighbours', '10.0.0.7=02:00:00:00:00:07', '::ffff:10.0.0.7=02:00:00:00:00:07');
    await kept('neighbours', '10.0.0.7=02:00:00:00:00:08', '::ffff:10.0.0.7=02:00:00:00:00:08');
    for (const text of ['10.0.0.8=01:00:00:00:00:07', '10.0.0.8', '=02:00:00:00:00:07', '-10.0.0.8']) {
      await refused('neighbours', text);
    }
    await kept('neighbours', '-10.0.0.7', '');
    await guest.sh(
      'grep -q "^mtu  *1500 *1280 *9000 *1500$" /sys/kernel/debug/homanic/0000:02:00.0/settings',
    );
  });

  it('wrong command lines end with 2 before the card is opened; a missing card with 4', async () => {
    for (const line of [
      'perf_echo --size 3',
      'perf_read --count x',
      'perf_latency_client',
      'perf_loopback --port 0',
    ]) {
      const outcome = await guest.machine.executor.run(['sh', '-c', `/tmp/${line}`]);
      expect(outcome.exitCode, line).to.equal(2);
      expect(outcome.stderr, line).to.match(/see perf_\w+ --help/);
    }
    const outcome = await guest.machine.executor.run(['/tmp/perf_echo', '--card', '7']);
    expect(outcome.exitCode).to.equal(4);
    expect(outcome.stderr).to.match(/load the driver/);
  });
});
