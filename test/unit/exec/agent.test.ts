// SPDX-License-Identifier: Apache-2.0
// The agent's protocol, its client and the door before it, with an agent made of a function.
import { mkdtemp, rm } from 'node:fs/promises';
import { type Socket, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { ContentError, InterruptedError, MissingError } from '#src/errors/errors.js';
import { AgentClient } from '#src/exec/agent-client.js';
import { AgentFrame, type Frame, FrameReader, encodeExec, encodeFrame } from '#src/exec/agent-protocol.js';
import { GuestExecutor } from '#src/exec/guest-executor.js';
import { ControlServer } from '#src/vm/control-server.js';

async function failureOf(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (thrown) {
    return thrown as Error;
  }
  throw new Error('it did not fail');
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

describe('agent protocol', () => {
  it('finds frames again however the stream is cut', () => {
    const frame = fc.record({ type: fc.integer({ min: 1, max: 65 }), id: fc.nat(), bytes: fc.uint8Array() });
    fc.assert(
      fc.property(fc.array(frame), fc.integer({ min: 1, max: 50 }), (frames, step) => {
        const stream = Buffer.concat(frames.map((f) => encodeFrame(f.type as AgentFrame, f.id, f.bytes)));
        const reader = new FrameReader();
        const found: Frame[] = [];
        for (let at = 0; at < stream.length; at += step)
          found.push(...reader.push(stream.subarray(at, at + step)));
        const plain = (f: Frame): unknown => [f.type, f.id, [...f.bytes]];
        expect(found.map(plain)).to.deep.equal(frames.map(plain));
      }),
    );
  });

  it('writes folder, variables and words of a program', () => {
    const bytes = encodeExec(['ls', '-l', ''], '/tmp', { A: '1' });
    expect(bytes.toString()).to.equal('/tmp\0' + '1\0' + 'A=1\0' + 'ls\0-l\0\0');
  });

  it('refuses an impossible length', () => {
    const bytes = encodeFrame(AgentFrame.stdout, 1);
    bytes.writeUInt32LE(0xffffffff, 8);
    expect(() => new FrameReader().push(bytes)).to.throw(RangeError);
  });
});

describe('agent client', () => {
  let folder: string;
  let client: AgentClient;
  let guest: Socket;
  let close: () => void;
  /** what the agent does with a frame */
  let behave: (frame: Frame, send: (type: AgentFrame, id: number, bytes?: Uint8Array) => void) => void;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hn-'));
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(folder, 'agent'), resolve));
    const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
    client = new AgentClient(connect(join(folder, 'agent')), 'the guest');
    guest = await accepted;
    guest.on('error', () => undefined);
    const reader = new FrameReader();
    guest.on('data', (chunk: Buffer) => {
      for (const frame of reader.push(chunk)) {
        behave(frame, (type, id, bytes) => guest.write(encodeFrame(type, id, bytes)));
      }
    });
    close = () => server.close();
  });
  afterEach(async () => {
    client.close();
    guest.destroy();
    close();
    await rm(folder, { recursive: true });
  });

  it('learns the kernel release from the hello', async () => {
    guest.write(encodeFrame(AgentFrame.hello, 0, Buffer.from('6.12')));
    expect(await client.hello).to.equal('6.12');
  });

  it('keeps the outputs of programs apart that run at once', async () => {
    const started: number[] = [];
    behave = (frame, send) => {
      if (frame.type !== AgentFrame.exec) return;
      started.push(frame.id);
      if (started.length < 2) return;
      for (const id of started) send(AgentFrame.stdout, id, Buffer.from(`out ${id} `));
      for (const id of started) send(AgentFrame.stderr, id, Buffer.from(`err ${id}`));
      for (const id of [...started].reverse()) send(AgentFrame.exit, id, word(id));
    };
    const outcomes = await Promise.all([client.run(['a']), client.run(['b'])]);
    expect(outcomes).to.deep.equal(
      started.map((id) => ({ exitCode: id, stdout: `out ${id} `, stderr: `err ${id}` })),
    );
  });

  it('sends the whole of a long input, then its end', async () => {
    const input = Buffer.alloc(700_000, 5);
    let got = 0;
    behave = (frame, send) => {
      if (frame.type === AgentFrame.stdin) got += frame.bytes.length;
      if (frame.type === AgentFrame.stdinEnd) send(AgentFrame.exit, frame.id, word(0));
    };
    await client.run(['cat'], { stdin: input });
    expect(got).to.equal(input.length);
  });

  it('kills what takes too long or is aborted, and says why', async () => {
    const signals: number[] = [];
    behave = (frame, send) => {
      if (frame.type !== AgentFrame.kill) return;
      signals.push(frame.bytes[0]!);
      send(AgentFrame.exit, frame.id, word(137));
    };
    const late = await failureOf(client.run(['sleep'], { timeoutMs: 50 }));
    expect(late).to.be.instanceOf(ContentError).and.to.include({ code: 'timeout' });
    const controller = new AbortController();
    const run = client.run(['sleep'], { signal: controller.signal });
    controller.abort();
    expect(await failureOf(run)).to.be.instanceOf(InterruptedError);
    expect(signals).to.deep.equal([9, 9]);
  });

  it('interrupts an interruptible program and gives what it ended with', async () => {
    behave = (frame, send) => {
      if (frame.type === AgentFrame.kill && frame.bytes[0] === 2) send(AgentFrame.exit, frame.id, word(130));
    };
    const controller = new AbortController();
    const run = client.run(['perf'], { signal: controller.signal, interruptible: true });
    controller.abort();
    expect((await run).exitCode).to.equal(130);
  });

  it('says that a program is not there, or the guest has gone', async () => {
    behave = (frame, send) => {
      if (frame.type === AgentFrame.exec) send(AgentFrame.noStart, frame.id, word(2));
    };
    const missing = await failureOf(client.run(['nonesuch']));
    expect(missing).to.be.instanceOf(MissingError);
    expect(missing.message).to.equal('nonesuch is not on the guest');
    behave = () => guest.destroy();
    expect(await failureOf(client.run(['true'])))
      .to.be.instanceOf(MissingError)
      .and.to.include({ code: 'vm_gone' });
    expect(await failureOf(client.run(['true']))).to.include({ code: 'vm_gone' });
  });

  it('carries files as bytes through the guest executor', async () => {
    const executor = new GuestExecutor(client);
    const bytes = Uint8Array.of(0, 255, 10, 13);
    behave = (frame, send) => {
      if (frame.type !== AgentFrame.exec) return;
      const words = Buffer.from(frame.bytes).toString().split('\0');
      if (words[2] === 'cat') send(AgentFrame.stdout, frame.id, bytes);
      send(AgentFrame.exit, frame.id, word(words[2] === 'test' ? 1 : 0));
    };
    expect([...(await executor.readFile('/x'))]).to.deep.equal([...bytes]);
    expect(await executor.exists('/x')).to.equal(false);
    await executor.writeFile('/x', bytes, 0o755);
  });

  it('is shared by clients of the door; one that leaves takes its programs with it', async () => {
    const door = new ControlServer(join(folder, 'door'), client, (question) =>
      question === 'who' ? Promise.resolve({ answer: 42 }) : Promise.reject(new Error('unknown')),
    );
    await door.listen();
    const killed: number[] = [];
    const running: number[] = [];
    behave = (frame, send) => {
      if (frame.type === AgentFrame.exec) {
        const words = Buffer.from(frame.bytes).toString().split('\0');
        if (words[2] === 'sleep') running.push(frame.id);
        else {
          send(AgentFrame.stdout, frame.id, Buffer.from(words[2]!));
          send(AgentFrame.exit, frame.id, word(0));
        }
      } else if (frame.type === AgentFrame.kill) killed.push(frame.id);
    };
    const clients = [1, 2, 3].map(() => new AgentClient(connect(join(folder, 'door')), 'the guest'));
    const outcomes = await Promise.all(clients.slice(0, 2).map((one, i) => one.run([`program ${i}`])));
    expect(outcomes.map(({ stdout }) => stdout)).to.deep.equal(['program 0', 'program 1']);
    expect(await clients[0]!.request('who', 1000)).to.deep.equal({ answer: 42 });
    expect(await clients[0]!.request('what', 1000)).to.deep.equal({ error: 'unknown' });
    const lost = failureOf(clients[2]!.run(['sleep']));
    while (running.length === 0) await new Promise((wait) => setTimeout(wait, 5));
    clients[2]!.close();
    await lost;
    while (killed.length === 0) await new Promise((wait) => setTimeout(wait, 5));
    expect(killed).to.deep.equal(running);
    for (const one of clients) one.close();
    await door.close();
  });
});
