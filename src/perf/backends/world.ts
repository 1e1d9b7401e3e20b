// SPDX-License-Identifier: Apache-2.0
// The PerfBackend over simulated hosts: any NicDevice, in the world.
import { ContentError, UsageError } from '../../errors/errors.js';
import { pcieProfile, pcieProfiles, type PcieProfile } from '../../world/pcie/profile.js';
import { RunAborted } from '../../world/world.js';
import type {
  BackendDescription,
  Explanation,
  PerfBackend,
  RunSettings,
  TestRequest,
  TestRun,
} from '../backend.js';
import type { Ceiling } from '../result.js';
import { findTest, TESTS } from '../tests.js';
import { BenchHost } from './world/bench-host.js';
import type { CardKind } from './world/card-kind.js';
import { EchoLoop } from './world/echo.js';
import { explainTest } from './world/explain.js';
import { LoopbackLoop } from './world/loopback.js';
import { Instants } from './world/measured.js';
import { runNetworkTest } from './world/network.js';
import { networkLimits } from './world/network-limits.js';
import { ReadLoop } from './world/read.js';

/** Does the card of this profile take inline payloads? The original did not. */
export function takesInline(profile: PcieProfile): boolean {
  return profile.cycleTable !== 'u250-original';
}

interface Loop {
  begin(): void;
}

/** Makes the loop of a test on a bench host. */
export function makeLoop(test: TestRequest, bench: BenchHost, instants: Instants): Loop {
  switch (test.name) {
    case 'echo':
      return new EchoLoop(bench, instants);
    case 'read':
      return new ReadLoop(bench, instants);
    case 'loopback':
      return new LoopbackLoop(bench, instants, test.sizeBytes, takesInline(bench.profile));
    default:
      throw new ContentError(`test '${test.name}' does not run on a simulated card`);
  }
}

/** Runs tests in the world with cards of one kind. Throws UsageError for a profile that is not there. */
export class WorldBackend implements PerfBackend {
  private readonly profile: PcieProfile;

  constructor(
    private readonly kind: CardKind,
    profileName: string,
  ) {
    const profiles = pcieProfiles().map((profile) => profile.name);
    if (!profiles.includes(profileName)) {
      throw new UsageError(`unknown PCIe profile '${profileName}': the profiles are ${profiles.join(', ')}`, {
        code: 'unknown_profile',
        suggestions: ['homa-nic perf --list'],
      });
    }
    this.profile = pcieProfile(profileName);
  }

  describe(): BackendDescription {
    return {
      nic: this.kind.name,
      simulated: true,
      profile: this.profile.name,
      tests: TESTS.map(({ name, text, sized }) => ({ name, text, sized })),
      profiles: pcieProfiles().map(({ name, text }) => ({ name, text })),
      versions: this.kind.versions,
    };
  }

  async run(
    test: TestRequest,
    settings: RunSettings,
    signal: AbortSignal,
    onProgress: (done: number, total: number) => void,
  ): Promise<TestRun> {
    const definition = findTest(test.name)!;
    if (definition.network === true) {
      const inputs = { ...this.kind, signal, onProgress };
      return runNetworkTest(test, definition, settings, inputs);
    }
    const bench = this.benchHost(settings.seed);
    const instants = new Instants(settings.warmup, settings.count);
    makeLoop(test, bench, instants).begin();
    let partial = false;
    try {
      await bench.world.runAsync(() => !instants.complete, {
        signal,
        onSlice: () => onProgress(instants.done, instants.total),
      });
    } catch (error) {
      if (!(error instanceof RunAborted)) throw error;
      partial = true;
    }
    if (!partial && !instants.complete)
      throw new ContentError(`test '${test.name}' stood still: the card never answered`);
    const warnings = bench.host.memory.violations.map(
      ({ kind, address }) => `DMA ${kind} outside host memory at 0x${address.toString(16)}`,
    );
    return {
      samples: instants.samplesNs(),
      unit: 'ns',
      clock: 'simulated, 1 ns',
      span: definition.span,
      trace: instants.trace(definition.startEvent, definition.endEvent),
      warnings,
      partial,
    };
  }

  explain(test: TestRequest, _settings: RunSettings): Explanation | undefined {
    return explainTest(test, this.profile, this.kind, {
      inline: takesInline(this.profile),
      measureBarePs: () => this.bareLatencyPs(test),
    });
  }

  limits(test: TestRequest, _settings: RunSettings): Ceiling[] {
    return networkLimits(test, this.profile);
  }

  /** Latency of one iteration with jitter off. */
  private bareLatencyPs(test: TestRequest): number {
    const bench = this.benchHost(0, false);
    const instants = new Instants(1, 1);
    makeLoop(test, bench, instants).begin();
    bench.world.runWhile(() => !instants.complete);
    return instants.endPs[1]! - instants.startPs[1]!;
  }

  /** A fresh world: every test begins with the same seed, so that it does not depend on the tests before it. */
  benchHost(seed: number, jitter = true): BenchHost {
    return new BenchHost(
      this.profile.name,
      seed,
      this.kind.makeCard({ cycleTable: this.profile.cycleTable }),
      jitter,
    );
  }
}
