// SPDX-License-Identifier: Apache-2.0
import { BaseCommand, type Outcome } from '../../base/base-command.js';

export default class VmStop extends BaseCommand<typeof VmStop> {
  static override summary = 'End the guest and everything that belongs to it.';
  static override description =
    'What is left of a guest that died is cleared away too. Stopping twice is harmless.';
  static override examples = ['<%= config.bin %> vm stop'];

  protected async execute(): Promise<Outcome> {
    const { stopGuest } = await import('../../vm/start-guest.js');
    const stopped = await stopGuest(this.config.cacheDir);
    return {
      result: { stopped },
      render: () => (stopped ? 'the guest has ended\n' : 'no guest was running\n'),
    };
  }
}
