// SPDX-License-Identifier: Apache-2.0
import { BaseCommand, type Outcome } from '../base/base-command.js';
import { sharedFlags } from '../base/flags.js';
import { LocalExecutor } from '../exec/local-executor.js';

export default class UnloadDriver extends BaseCommand<typeof UnloadDriver> {
  static override summary = 'Unload the kernel module.';
  static override description =
    'Refused while programs use the card; the message names them. Running it twice is harmless. ' +
    'On this machine it needs root.';
  static override examples = [
    'sudo <%= config.bin %> unload-driver',
    '<%= config.bin %> unload-driver --target vm',
  ];
  static override flags = { target: sharedFlags.target, 'dry-run': sharedFlags.dryRun };

  protected async execute(): Promise<Outcome> {
    const { unloadDriver } = await import('../doctor/load-driver.js');
    const dryRun = this.flags['dry-run'];
    if (this.flags.target !== 'vm') {
      return this.outcome(await unloadDriver({ executor: new LocalExecutor(), target: 'local', dryRun }));
    }
    const { connectToGuest } = await import('../vm/connect.js');
    const guest = await connectToGuest(this.config.cacheDir);
    try {
      return this.outcome(await unloadDriver({ executor: guest.executor, target: 'vm', dryRun }));
    } finally {
      guest.close();
    }
  }

  private outcome(steps: { name: string; state: string; detail: string }[]): Outcome {
    const lines = steps.map(({ name, state, detail }) => `${name.padEnd(12)} ${state}: ${detail}`);
    return { result: { target: this.flags.target, steps }, render: () => `${lines.join('\n')}\n` };
  }
}
