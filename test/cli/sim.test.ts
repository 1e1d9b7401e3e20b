// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { readPcap } from '#src/world/pcap.js';
import { makeFolder, runHomaNic, runInProcess, runShell } from './harness.js';

interface SimEnvelope {
  status: string;
  result: { rpcs: { ok: number }; packets: { total: number; byType: Record<string, number> } };
  error: { code: string; message: string };
}

describe('sim run', () => {
  it('runs a scenario and says what happened', async () => {
    const { stdout, exitCode } = await runInProcess(['sim', 'run', 'scenarios/rpc.json']);
    expect(exitCode).to.equal(0);
    expect(stdout).to.contain('simulated');
    expect(stdout).to.contain('1 started, 1 ok, 0 failed, 0 unfinished');
  });

  it('gives the same bytes twice, text, JSON and frames', async () => {
    const folder = makeFolder();
    try {
      const run = async (file: string) => {
        const { stdout } = await runInProcess([
          'sim',
          'run',
          'scenarios/lossy.json',
          '--json',
          '--pcap',
          join(folder.path, file),
        ]);
        return { stdout, pcap: readFileSync(join(folder.path, file)) };
      };
      const first = await run('a.pcap');
      const second = await run('b.pcap');
      expect(second.stdout).to.equal(first.stdout);
      expect(second.pcap.equals(first.pcap)).to.equal(true);
      const { result } = JSON.parse(first.stdout) as SimEnvelope;
      const frames = readPcap(first.pcap);
      expect(frames.length).to.equal(result.packets.total);
      expect(result.packets.byType['DATA']).to.be.above(200);
    } finally {
      folder.remove();
    }
  });

  it('gives the same bytes in several threads, from the program as it is installed', async () => {
    const argv = ['sim', 'run', 'scenarios/incast.json', '--json', '--threads'];
    const one = await runHomaNic([...argv, '1']);
    expect(one.exitCode).to.equal(0);
    expect((JSON.parse(one.stdout) as SimEnvelope).result.rpcs.ok).to.equal(128);
    const two = await runHomaNic([...argv, '2']);
    expect(two.stdout).to.equal(one.stdout);
    expect(two.stderr).to.equal(one.stderr);
  });

  it('hands no control character of a scenario to the terminal, and needs no RPC', async () => {
    const red = '\x1b[31m';
    const folder = makeFolder({
      'red.json': JSON.stringify({
        schemaVersion: 1,
        name: red,
        hosts: [{ name: 'a' }],
        expectations: [{ path: `${red}x`, equals: red }],
      }),
    });
    try {
      const { stdout, exitCode } = await runInProcess(['sim', 'run', join(folder.path, 'red.json')]);
      expect(exitCode).to.equal(1);
      expect(stdout).to.contain('\\x1b[31m: simulated').and.not.contain('\x1b');
      expect(stdout).to.match(/simulated time +0\.000 us/);
    } finally {
      folder.remove();
    }
  });

  it('exits with 1 when an expectation fails, with 1 on bad content, with 2 on a missing file', async () => {
    const scenario = JSON.parse(readFileSync('scenarios/rpc.json', 'utf8')) as Record<string, unknown>;
    const folder = makeFolder({
      'strict.json': JSON.stringify({ ...scenario, expectations: [{ path: 'rpcs.ok', equals: 2 }] }),
      'typo.json': JSON.stringify({ ...scenario, worklaod: {} }),
      'misfit.json': JSON.stringify({
        ...scenario,
        workload: { clients: [{ host: 'nobody', to: 'server', count: 1 }] },
      }),
      'text.json': 'hosts: 2',
    });
    try {
      const run = (file: string) => runInProcess(['sim', 'run', join(folder.path, file), '--json']);
      const error = async (file: string) => {
        const { stdout, exitCode } = await run(file);
        const envelope = JSON.parse(stdout) as SimEnvelope;
        expect(envelope.status).to.equal('error');
        return { exitCode, ...envelope.error };
      };
      expect(await error('strict.json')).to.include({ exitCode: 1, code: 'expectation' });
      const typo = await error('typo.json');
      expect(typo.exitCode).to.equal(1);
      expect(typo.message).to.contain("did you mean 'workload'");
      expect((await error('misfit.json')).message).to.contain("'nobody', which is no host");
      expect((await error('text.json')).message).to.contain('not JSON');
      expect(await error('none.json')).to.include({ exitCode: 2 });
      const twice = ['sim', 'run', 'scenarios/rpc.json', '--pcap', join(folder.path, 'text.json')];
      expect((await runInProcess(twice)).exitCode).to.equal(2);
    } finally {
      folder.remove();
    }
  });
});

/** Of this process: the tests run on two versions of Node at once. */
const PORT = 20_000 + (process.pid % 10_000) * 2;

describe('sim attach', () => {
  for (const [name, server, client] of [
    ['a unix socket', 'unix:cable', 'unix:cable'],
    ['UDP', `udp:${PORT}:127.0.0.1:${PORT + 1}`, `udp:${PORT + 1}:127.0.0.1:${PORT}`],
  ] as const) {
    it(`two processes exchange verified RPCs over ${name}, both address families`, async function () {
      this.timeout(120_000);
      const folder = makeFolder();
      try {
        // A server that is slow to start is made up for by generous timers at the client.
        const patient = '--timeout-ticks 20000 --for 40';
        const granted =
          '--unscheduled-bytes 3000 --priority-map 0,0,0,0,0,0,0,7 --cutoffs 0,0,0,0,1000000,5,4,3';
        const line = [
          `$HOMA_NIC sim attach --ethernet ${server} --ipv4 10.77.0.2 --ipv6 fd77::2 --echo 4000 --listen --for 100 --json > server.json & pid=$!`,
          ...(server.startsWith('unix')
            ? ['for i in $(seq 300); do [ -S cable ] && break; sleep 0.1; done']
            : []),
          `$HOMA_NIC sim attach --ethernet ${client} --mac 02:48:4f:4d:00:01 --ipv4 10.77.0.1 --ipv6 fd77::1 --send 3 --size 5000 --to 10.77.0.2:4000 ${patient}`,
          'first=$?',
          `$HOMA_NIC sim attach --ethernet ${client} --mac 02:48:4f:4d:00:01 --ipv6 fd77::1 --send 2 --size 100000 --to '[fd77::2]:4000' ${granted} ${patient}`,
          'second=$?',
          'kill -INT $pid; wait $pid; echo "exit $first $second"; cat server.json',
        ].join('\n');
        const { stdout, stderr } = await runShell(line, { cwd: folder.path });
        const out = `${stdout}\n${stderr}`;
        expect(stdout.match(/^rpc \d+: 5000 B to 10\.77\.0\.2:4000, ok, /gm), out).to.have.length(3);
        expect(stdout.match(/^rpc \d+: 100000 B to \[fd77::2\]:4000, ok, /gm), out).to.have.length(2);
        expect(stdout, out).to.contain('exit 0 0');
        expect(stdout, out).to.contain('"served": 5');
      } finally {
        folder.remove();
      }
    });
  }

  it('names what is wrong before anything starts', async () => {
    const message = async (...argv: string[]) => {
      const { stderr, exitCode } = await runInProcess(['sim', 'attach', ...argv]);
      expect(exitCode, argv.join(' ')).to.equal(2);
      return stderr;
    };
    const socket = ['--ethernet', 'unix:/tmp/none'];
    expect(await message('--ethernet', 'tcp:1', '--ipv4', '10.0.0.1')).to.contain('unix:PATH or udp:');
    expect(await message(...socket)).to.contain('needs an address');
    expect(await message(...socket, '--ipv4', '10.0.0.256')).to.contain(
      "'10.0.0.256' is not an IPv4 address",
    );
    expect(await message(...socket, '--ipv6', 'fd00::1::2')).to.contain('is not an IPv6 address');
    expect(await message(...socket, '--ipv4', '10.0.0.1', '--mac', '1:2')).to.contain('is not a MAC address');
    expect(await message(...socket, '--ipv4', '10.0.0.1', '--send', '1')).to.contain(
      '--send and --to go together',
    );
    expect(await message(...socket, '--ipv4', '10.0.0.1', '--send', '1', '--to', '10.0.0.2')).to.contain(
      'ADDRESS:PORT',
    );
    const many = ['--send', '200', '--to', '10.0.0.2:1', '--size', '600000', '--outstanding'];
    expect(await message(...socket, '--ipv4', '10.0.0.1', ...many, '9')).to.contain('--outstanding 8');
    expect(await message(...socket, '--ipv4', '10.0.0.1', '--echo', '40000')).to.contain('server port');
    expect(await message(...socket, '--ipv4', '10.0.0.1', '--neighbour', 'x')).to.contain('ADDRESS=MAC');
  });

  it('leaves a file alone that stands where its socket should be', async () => {
    const folder = makeFolder({ notes: 'mine' });
    const path = join(folder.path, 'notes');
    try {
      const argv = ['sim', 'attach', '--ethernet', `unix:${path}`, '--ipv4', '10.0.0.1', '--for', '1'];
      const { stderr, exitCode } = await runInProcess(argv);
      expect(exitCode).to.equal(2);
      expect(stderr).to.contain('no socket');
      expect(readFileSync(path, 'utf8')).to.equal('mine');
    } finally {
      folder.remove();
    }
  });

  it('has no user left for a client beside sixteen servers, and says so', async () => {
    const echoes = Array.from({ length: 16 }, (_, i) => ['--echo', String(i + 1)]).flat();
    const argv = ['sim', 'attach', '--ethernet', 'unix:/tmp/none', '--ipv4', '10.0.0.1', ...echoes];
    const { stderr, exitCode } = await runInProcess([...argv, '--send', '1', '--to', '10.0.0.2:1']);
    expect(exitCode).to.equal(2);
    expect(stderr).to.contain('user must be 1..16');
  });

  it('says when what comes over the socket is no frames, as a server too', async () => {
    const folder = makeFolder();
    const path = join(folder.path, 'cable');
    try {
      const argv = ['sim', 'attach', '--ethernet', `unix:${path}`, '--ipv4', '10.0.0.1', '--echo', '1'];
      const running = runInProcess([...argv, '--for', '15']);
      while (!existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 5));
      const peer = connect(path);
      peer.on('error', () => undefined);
      peer.write(new Uint8Array(8).fill(255));
      const { stderr, exitCode } = await running;
      peer.destroy();
      expect(exitCode).to.equal(1);
      expect(stderr).to.contain("not QEMU's framing");
    } finally {
      folder.remove();
    }
  });
});
