// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ContentError, InterruptedError, MissingError } from '#src/errors/errors.js';
import { runOrThrow } from '#src/exec/failures.js';
import { LocalExecutor } from '#src/exec/local-executor.js';

async function failureOf(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (thrown) {
    return thrown as Error;
  }
  throw new Error('it did not fail');
}

describe('executor of this machine', () => {
  const here = new LocalExecutor();
  const node = (program: string): string[] => [process.execPath, '-e', program];

  it('hands on input, output and exit code, and needs no shell', async () => {
    const program =
      'process.stdin.pipe(process.stdout); process.stderr.write(process.argv[1]); process.exitCode = 3';
    const outcome = await here.run([...node(program), '$HOME; *'], { stdin: 'in\n' });
    expect(outcome).to.deep.equal({ exitCode: 3, stdout: 'in\n', stderr: '$HOME; *' });
  });

  it('gives 128 + n when a signal ended it', async () => {
    const outcome = await here.run(node('process.kill(process.pid, "SIGKILL")'));
    expect(outcome.exitCode).to.equal(137);
  });

  it('shows output as it comes', async () => {
    const seen: string[] = [];
    await here.run(node('console.log("a"); console.error("b")'), {
      onOutput: (stream, bytes) => seen.push(`${stream} ${Buffer.from(bytes).toString()}`),
    });
    expect(seen.sort()).to.deep.equal(['stderr b\n', 'stdout a\n']);
  });

  it('says when there is no such program', async () => {
    const failure = await failureOf(here.run(['/no/such/program']));
    expect(failure).to.be.instanceOf(MissingError);
    expect(failure.message).to.include('/no/such/program is not on this machine');
  });

  it('stops a program that takes too long, and on abort', async () => {
    const late = await failureOf(here.run(node('setInterval(() => {}, 1000)'), { timeoutMs: 200 }));
    expect(late).to.be.instanceOf(ContentError).and.to.include({ code: 'timeout' });
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 100);
    const aborted = here.run(node('setInterval(() => {}, 1000)'), { signal: controller.signal });
    expect(await failureOf(aborted)).to.be.instanceOf(InterruptedError);
    expect(await failureOf(here.run(['true'], { signal: controller.signal }))).to.be.instanceOf(
      InterruptedError,
    );
  });

  it('lets an interruptible program finish by itself', async () => {
    const controller = new AbortController();
    const program =
      'process.on("SIGINT", () => { console.log("partial"); process.exit(130) }); console.log("up"); setInterval(() => {}, 1000)';
    const outcome = await here.run(node(program), {
      signal: controller.signal,
      interruptible: true,
      onOutput: () => controller.abort(),
    });
    expect(outcome).to.deep.equal({ exitCode: 130, stdout: 'up\npartial\n', stderr: '' });
  });

  it('reads and writes files', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hn-'));
    const path = join(folder, 'file');
    expect(await here.exists(path)).to.equal(false);
    await here.writeFile(path, Uint8Array.of(0, 255), 0o750);
    expect([...(await here.readFile(path))]).to.deep.equal([0, 255]);
    expect((await stat(path)).mode & 0o777).to.equal(0o750);
    await rm(folder, { recursive: true });
  });

  it('repeats the end of what a program said when it had to succeed', async () => {
    const program = 'console.error("x".repeat(5000) + " the reason"); process.exit(2)';
    const failure = await failureOf(
      runOrThrow(here, node(program), { what: 'the build', suggestions: ['apt install it'] }),
    );
    expect(failure.message).to.match(/^the build failed \(exit code 2\):\n\.\.\.x+ the reason$/);
    expect(failure.message.length).to.be.below(2000);
    expect(failure).to.deep.include({ suggestions: ['apt install it'] });
  });
});
