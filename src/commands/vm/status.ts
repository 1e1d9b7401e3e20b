// SPDX-License-Identifier: Apache-2.0
import { BaseCommand, type Outcome } from '../../base/base-command.js';

interface Traffic {
  mmioReads: number;
  mmioWrites: number;
  dmaReads: number;
  dmaWrites: number;
  framesOut: number;
  framesIn: number;
}

export default class VmStatus extends BaseCommand<typeof VmStatus> {
  static override summary = 'Say whether a guest runs, what is in it and what its cards have done.';
  static override description = 'The exit code is 0 when a guest runs and 4 when none does.';
  static override examples = ['<%= config.bin %> vm status', '<%= config.bin %> vm status --json'];

  protected async execute(): Promise<Outcome> {
    const { connectToGuest } = await import('../../vm/connect.js');
    const guest = await connectToGuest(this.config.cacheDir);
    try {
      const { nic, cards, iommu, kernelRelease, startedAtMs } = guest.state;
      const traffic = (await guest.ask({ ask: 'traffic' })) as Traffic[];
      const loaded = (await guest.executor.run(['test', '-d', '/sys/module/homanic'])).exitCode === 0;
      const uptimeSeconds = Math.round((Date.now() - startedAtMs) / 1000);
      const lines = [
        `guest    Linux ${kernelRelease}, up ${uptimeSeconds} s, QEMU (TCG)${iommu ? ', IOMMU' : ''}`,
        `driver   ${loaded ? 'loaded' : 'not loaded'}`,
        ...traffic.map(
          (card, index) =>
            `card ${index}   ${nic} (simulated): ${card.mmioWrites} writes and ${card.mmioReads} reads by the guest, ` +
            `${card.dmaReads} DMA reads, ${card.dmaWrites} DMA writes, ${card.framesOut} frames out, ${card.framesIn} in`,
        ),
      ];
      return {
        result: {
          nic,
          simulated: true,
          cards,
          iommu,
          kernel: kernelRelease,
          uptimeSeconds,
          driverLoaded: loaded,
          traffic,
        },
        render: () => `${lines.join('\n')}\n`,
      };
    } finally {
      guest.close();
    }
  }
}
