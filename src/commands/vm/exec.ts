// SPDX-License-Identifier: Apache-2.0
import { BaseCommand, type Outcome } from '../../base/base-command.js';
import { wholeNumber } from '../../base/flags.js';
import { writeErr } from '../../base/terminal.js';
import { ContentError, UsageError } from '../../errors/errors.js';

export default class VmExec extends BaseCommand<typeof VmExec> {
  static override summary = 'Run a program in the guest.';
  static override description =
    'One word is given to the shell of the guest; several are a program and its arguments. Write -- before a program ' +
    'whose arguments begin with a dash. The exit code is 1 when the program fails; --json has its own.';
  static override usage = 'vm exec [--timeout SECONDS] [--] PROGRAM [ARGUMENTS]';
  static override examples = [
    "<%= config.bin %> vm exec 'dmesg | tail'",
    '<%= config.bin %> vm exec -- ls -l /dev',
  ];
  static override strict = false;
  static override flags = {
    timeout: wholeNumber({
      description: 'seconds the program may take',
      min: 1,
      default: 60,
      helpValue: 'SECONDS',
    }),
  };

  protected async execute(): Promise<Outcome> {
    const { words } = this;
    if (words.length === 0) {
      throw new UsageError('what shall run in the guest?', { suggestions: ['homa-nic vm exec uname -a'] });
    }
    const { connectToGuest } = await import('../../vm/connect.js');
    const guest = await connectToGuest(this.config.cacheDir);
    try {
      const argv = words.length === 1 ? ['sh', '-c', words[0]!] : words;
      const outcome = await guest.executor.run(argv, {
        timeoutMs: this.flags.timeout * 1000,
        signal: this.signal,
      });
      const { exitCode, stdout, stderr } = outcome;
      if (!this.json && stderr !== '') writeErr(stderr);
      return {
        result: { exitCode, stdout, stderr },
        render: () => stdout,
        ...(exitCode === 0
          ? {}
          : {
              failure: new ContentError(`${words[0]} ended with exit code ${exitCode}`, { code: 'program' }),
            }),
      };
    } finally {
      guest.close();
    }
  }
}
