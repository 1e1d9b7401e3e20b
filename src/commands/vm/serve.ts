// SPDX-License-Identifier: Apache-2.0
import * as Flags from '@oclif/core/flags';
import { BaseCommand, type Outcome } from '../../base/base-command.js';
import { wholeNumber } from '../../base/flags.js';
import { MissingError, UsageError } from '../../errors/errors.js';
import { LocalExecutor } from '../../exec/local-executor.js';
import type { NicDeviceFactory } from '../../nic/device.js';

/** A kind of card as a guest gets it. */
export interface GuestNic {
  /** what the driver must multiply its time limits by, because the card is simulated slowly */
  timeScale: number;
  load: () => Promise<NicDeviceFactory>;
}

/** Kinds of card that can be put into a guest, and how each is made. */
export const GUEST_NICS: Record<string, GuestNic> = {
  sim: {
    timeScale: 1,
    load: async () => {
      const { createSimNic } = await import('../../nic/sim/device.js');
      return (outputs) => createSimNic({}, outputs);
    },
  },
};

/** The kind that is meant when nothing is said, or when what is configured is the real card. */
export const DEFAULT_GUEST_NIC = 'sim';

export default class VmServe extends BaseCommand<typeof VmServe> {
  static override summary = 'Run the guest in this process until it ends; vm start does it behind you.';
  static override hidden = true;
  static override flags = {
    nic: Flags.string({ description: 'kind of network card', required: true }),
    cards: wholeNumber({ description: 'number of cards', min: 1, max: 4, default: 1 }),
    iommu: Flags.boolean({ description: 'put an emulated IOMMU before the cards' }),
    'run-folder': Flags.string({ description: 'folder of sockets and logs', required: true }),
    'boot-timeout': wholeNumber({ description: 'seconds the guest may take to boot', min: 1, default: 120 }),
  };

  protected async execute(): Promise<Outcome> {
    const { superviseGuest } = await import('../../vm/supervisor.js');
    const { presentPackages } = await import('../../vm/packages/guest-packages.js');
    const packages = await presentPackages(this.config.cacheDir);
    const kind = GUEST_NICS[this.flags.nic];
    if (!kind) throw new UsageError(`no card '${this.flags.nic}' can be put into a guest`);
    if (!packages) {
      throw new MissingError("the guest's packages have not been fetched", {
        suggestions: ['homa-nic vm start'],
      });
    }
    await superviseGuest({
      executor: new LocalExecutor(),
      packages,
      agentSource: `${this.config.root}/app/guest/agent.c`,
      nic: this.flags.nic,
      factory: await kind.load(),
      timeScale: kind.timeScale,
      cards: this.flags.cards,
      iommu: this.flags.iommu,
      runFolder: this.flags['run-folder'],
      bootTimeoutMs: this.flags['boot-timeout'] * 1000,
      signal: this.signal,
    });
    return { result: {}, render: () => '' };
  }
}
