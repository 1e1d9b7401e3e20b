// SPDX-License-Identifier: Apache-2.0
import * as Flags from '@oclif/core/flags';
import { BaseCommand, type Outcome } from '../../base/base-command.js';
import { wholeNumber } from '../../base/flags.js';
import { closest } from '../../errors/closest.js';
import { UsageError } from '../../errors/errors.js';
import { DEFAULT_GUEST_NIC, GUEST_NICS } from './serve.js';

export default class VmStart extends BaseCommand<typeof VmStart> {
  static override summary = 'Start a Linux guest with the simulated card in a PCIe slot.';
  static override description =
    'The guest is made of Debian packages: the first time about 100 MB are fetched into the cache folder of homa-nic ' +
    'and unpacked there (450 MB on disk). Nothing is installed, and the package state of this machine is not touched. ' +
    'Starting a guest that runs already is harmless.';
  static override examples = [
    '<%= config.bin %> vm start && <%= config.bin %> load-driver --target vm',
    '<%= config.bin %> vm start --cards 2 --iommu',
  ];
  static override flags = {
    nic: Flags.string({
      description: `kind of network card in the slot (default: ${DEFAULT_GUEST_NIC})`,
      helpValue: 'KIND',
    }),
    cards: wholeNumber({
      description: 'number of cards, joined by a hub',
      min: 1,
      max: 4,
      default: 1,
      helpValue: 'NUMBER',
    }),
    iommu: Flags.boolean({ description: 'put an emulated Intel IOMMU between the cards and memory' }),
    timeout: wholeNumber({
      description: 'seconds that fetching the packages, and then booting, may take',
      min: 1,
      default: 180,
      helpValue: 'SECONDS',
    }),
  };

  /** A kind that was typed must exist; one that is configured for `perf` may be a real card, which no guest has. */
  private kind(): string {
    const { nic } = this.flags;
    const kinds = Object.keys(GUEST_NICS);
    if (nic !== undefined && kinds.includes(nic)) return nic;
    if (nic === undefined || !this.typedFlags.has('nic')) return DEFAULT_GUEST_NIC;
    const near = closest(nic, kinds);
    throw new UsageError(`no card '${nic}' can be put into a guest: the kinds are ${kinds.join(', ')}`, {
      suggestions: [`homa-nic vm start --nic ${near ?? DEFAULT_GUEST_NIC}`],
    });
  }

  protected async execute(): Promise<Outcome> {
    const nic = this.kind();
    const { startGuest } = await import('../../vm/start-guest.js');
    const { state, started } = await startGuest({
      cacheFolder: this.config.cacheDir,
      agentSource: `${this.config.root}/app/guest/agent.c`,
      nic,
      cards: this.flags.cards,
      iommu: this.flags.iommu,
      ownCommand: [process.execPath, `${this.config.root}/bin/run.js`],
      timeoutMs: this.flags.timeout * 1000,
      signal: this.signal,
      onStep: (text) => this.progress.start(text),
    });
    const cards = state.cards === 1 ? 'one card' : `${state.cards} cards`;
    const how = started ? 'runs' : 'was running already';
    return {
      result: {
        started,
        nic: state.nic,
        cards: state.cards,
        iommu: state.iommu,
        kernel: state.kernelRelease,
      },
      render: () =>
        `the guest ${how}: Linux ${state.kernelRelease}, ${cards} of kind ${state.nic} (simulated)\n` +
        'next: homa-nic load-driver --target vm\n',
    };
  }
}
