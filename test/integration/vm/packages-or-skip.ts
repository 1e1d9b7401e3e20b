// SPDX-License-Identifier: Apache-2.0
// Fetches the guest's packages before any test runs. Exit code 1, with the reason, only when they cannot be fetched.
import { MissingError } from '#src/errors/errors.js';
import { LocalExecutor } from '#src/exec/local-executor.js';
import { ensurePackages } from '#src/vm/packages/guest-packages.js';
import { cacheFolder } from './guest-for-tests.js';

try {
  await ensurePackages({
    executor: new LocalExecutor(),
    cacheFolder,
    onStep: (text) => process.stdout.write(`${text}\n`),
    timeoutMs: 600_000,
  });
} catch (thrown) {
  if (!(thrown instanceof MissingError)) throw thrown;
  process.stdout.write(`skipped: ${thrown.message}\n`);
  process.exitCode = 1;
}
