// SPDX-License-Identifier: Apache-2.0
import * as Flags from '@oclif/core/flags';
import { BaseCommand, type Outcome } from '../base/base-command.js';
import { withoutAbsolutePaths } from '../base/classify.js';
import { sharedFlags, wholeNumber } from '../base/flags.js';
import { UsageError } from '../errors/errors.js';
import type { ModuleBuildSetup } from '../build/kernel-module.js';
import type { Executor } from '../exec/executor.js';
import { LocalExecutor } from '../exec/local-executor.js';

interface Place {
  executor: Executor;
  kernelRelease: string;
  make: ModuleBuildSetup['make'];
  parameters: string[];
  close: () => void;
}

export default class LoadDriver extends BaseCommand<typeof LoadDriver> {
  static override summary = 'Build and load the kernel module, and wait until the card can be used.';
  static override description =
    'Steps: cards, kernel headers, build, load, device files, permissions, identity. Running it twice is harmless. ' +
    'On this machine it needs root; in the guest it needs nothing.';
  static override examples = [
    'sudo <%= config.bin %> load-driver',
    '<%= config.bin %> load-driver --target vm',
    'sudo <%= config.bin %> load-driver --parameter ipv4=10.0.0.1 --parameter mtu=9000',
  ];
  static override flags = {
    target: sharedFlags.target,
    build: Flags.boolean({ description: 'build the module even when these sources have been built' }),
    'dry-run': sharedFlags.dryRun,
    parameter: Flags.string({
      description: 'module parameter (docs/driver.md lists them)',
      helpValue: 'NAME=VALUE',
      multiple: true,
      default: [],
    }),
    timeout: wholeNumber({
      description: 'seconds that building, loading and waiting may take each',
      min: 1,
      default: 120,
      helpValue: 'SECONDS',
    }),
  };

  protected async execute(): Promise<Outcome> {
    const wrong = this.flags.parameter.find((text) => !/^\w+=/.test(text));
    if (wrong !== undefined) throw new UsageError(`--parameter ${wrong}: expected NAME=VALUE`);
    const target = this.flags.target === 'vm' ? 'vm' : 'local';
    const place = target === 'vm' ? await this.guest() : await this.machine();
    const timeoutMs = this.flags.timeout * 1000;
    try {
      const { loadDriver } = await import('../doctor/load-driver.js');
      const { steps, cards } = await loadDriver({
        executor: place.executor,
        target,
        build: {
          executor: new LocalExecutor(),
          cacheFolder: this.config.cacheDir,
          driverFolder: `${this.config.root}/driver`,
          kernelRelease: place.kernelRelease,
          make: place.make,
          always: this.flags.build,
          timeoutMs,
          signal: this.signal,
        },
        parameters: [...place.parameters, ...this.flags.parameter],
        dryRun: this.flags['dry-run'],
        timeoutMs,
        signal: this.signal,
        onStep: (name) => this.progress.start(name),
      });
      const lines = steps.map(({ name, state, detail }) => `${name.padEnd(12)} ${state}: ${detail}`);
      if (!this.flags['dry-run']) {
        lines.push(`next: homa-nic perf --nic card${target === 'vm' ? ' --target vm' : ''} --parse`);
      }
      return {
        result: { target, steps, cards },
        render: () => `${withoutAbsolutePaths(lines.join('\n'), this.config.root)}\n`,
      };
    } finally {
      place.close();
    }
  }

  private async machine(): Promise<Place> {
    const { kernelRelease } = await import('../doctor/driver-state.js');
    const executor = new LocalExecutor();
    const release = await kernelRelease(executor);
    return {
      executor,
      kernelRelease: release,
      make: (folder) => ['make', '-C', `/lib/modules/${release}/build`, `M=${folder}`, 'modules'],
      parameters: [],
      close: () => undefined,
    };
  }

  private async guest(): Promise<Place> {
    const { connectToGuest } = await import('../vm/connect.js');
    const { presentPackages } = await import('../vm/packages/guest-packages.js');
    const { prepareKernelBuild } = await import('../vm/packages/kernel-headers.js');
    const guest = await connectToGuest(this.config.cacheDir);
    const packages = (await presentPackages(this.config.cacheDir))!;
    const { kmake } = await prepareKernelBuild(packages, `${this.config.cacheDir}/vm`);
    return {
      executor: guest.executor,
      kernelRelease: packages.kernelRelease,
      make: (folder) => [kmake, folder, 'modules'],
      // The driver's limits are for real hardware; a card simulated slowly needs longer ones.
      parameters: guest.state.timeScale > 1 ? [`time_scale=${guest.state.timeScale}`] : [],
      close: () => guest.close(),
    };
  }
}
