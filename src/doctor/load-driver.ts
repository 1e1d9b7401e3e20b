// SPDX-License-Identifier: Apache-2.0
// Loads and unloads the driver, step by step; every step may be repeated and says what to do when it fails.
import { readFile } from 'node:fs/promises';
import { type BuiltModule, type ModuleBuildSetup, buildModule } from '../build/kernel-module.js';
import { ContentError, InterruptedError, MissingError } from '../errors/errors.js';
import type { Executor } from '../exec/executor.js';
import {
  type CardInfo,
  MODULE_NAME,
  cardPresent,
  deviceFiles,
  deviceUsers,
  driverLog,
  findCards,
  isRoot,
  loadedVersion,
  moduleLoaded,
} from './driver-state.js';

export interface Step {
  name: string;
  /** `was done already` means that nothing had to be done */
  state: 'done' | 'was done already' | 'would be done';
  detail: string;
}

export interface LoadSetup {
  executor: Executor;
  /** `local` or `vm`, for what to type */
  target: 'local' | 'vm';
  build: ModuleBuildSetup;
  /** module parameters, `name=value` */
  parameters: readonly string[];
  dryRun: boolean;
  timeoutMs: number;
  signal: AbortSignal;
  onStep: (name: string) => void;
}

const GUEST_MODULE = '/tmp/homanic.ko';
const GROUP = 'homa';
const POLL_MS = 50;
const LOG_LINES = 8;

/** Loads the driver and waits until programs can use the cards. Throws `MissingError` or `ContentError` at the step that fails. */
export async function loadDriver(setup: LoadSetup): Promise<{ steps: Step[]; cards: CardInfo[] }> {
  const { executor, dryRun } = setup;
  const steps: Step[] = [];
  const note = (name: string, state: Step['state'], detail: string): void => {
    steps.push({ name, state, detail });
  };
  const begin = (name: string): void => {
    if (setup.signal.aborted) throw new InterruptedError();
    setup.onStep(name);
  };

  begin('looking for cards');
  const found = await findCards(executor);
  if (found.length === 0 && !dryRun) throw noCard(setup.target);
  note('cards', 'done', found.length > 0 ? found.map((card) => card.address).join(', ') : 'none found');

  begin('kernel headers');
  const missing = await missingHeaders(setup);
  if (missing && !dryRun) throw missing;
  note(
    'headers',
    'done',
    missing ? `${missing.message}: ${missing.suggestions[0]}` : setup.build.kernelRelease,
  );

  begin('building the module');
  let module: BuiltModule | undefined;
  if (dryRun) note('build', 'would be done', setup.build.make('<cache>/module').join(' '));
  else {
    module = await buildModule(setup.build);
    note('build', module.built ? 'done' : 'was done already', `for Linux ${setup.build.kernelRelease}`);
  }

  begin('loading the module');
  const insmod = ['insmod', setup.target === 'vm' ? GUEST_MODULE : (module?.path ?? 'homanic.ko')];
  const command = [...insmod, ...setup.parameters];
  if (dryRun) note('load', 'would be done', command.join(' '));
  else note('load', ...(await load(setup, module!, command)));

  if (dryRun) {
    note('devices', 'would be done', `wait for ${deviceFiles(0).join(', ')}`);
    note('permissions', 'would be done', `give them to the group ${GROUP}, if there is one`);
    note('identity', 'would be done', 'read what the card says of itself');
    return { steps, cards: found };
  }
  begin('waiting for the device files');
  note('devices', 'done', await waitForDevices(setup));
  begin('permissions');
  note('permissions', ...(await grant(setup, found.length)));
  begin('identity');
  const cards = await findCards(executor);
  const driven = cards.filter((card) => card.driver === MODULE_NAME);
  note('identity', 'done', driven.map(identity).join('; '));
  return { steps, cards: driven };
}

/** Unloads the driver. Throws `ContentError` while programs use it. */
export async function unloadDriver(setup: {
  executor: Executor;
  target: 'local' | 'vm';
  dryRun: boolean;
}): Promise<Step[]> {
  const { executor } = setup;
  const name = 'unload';
  if (!(await moduleLoaded(executor))) return [{ name, state: 'was done already', detail: 'not loaded' }];
  if (setup.dryRun) return [{ name, state: 'would be done', detail: `rmmod ${MODULE_NAME}` }];
  await needRoot(executor, `sudo homa-nic unload-driver`);
  const outcome = await executor.run(['rmmod', MODULE_NAME]);
  if (outcome.exitCode === 0) return [{ name, state: 'done', detail: `rmmod ${MODULE_NAME}` }];
  const users = await deviceUsers(executor);
  if (users.length > 0) {
    const kill =
      setup.target === 'vm' ? `homa-nic vm exec 'kill ${users.join(' ')}'` : `kill ${users.join(' ')}`;
    throw new ContentError(
      `the driver is in use by ${users.length === 1 ? 'process' : 'processes'} ${users.join(', ')}`,
      { code: 'driver_busy', suggestions: [kill] },
    );
  }
  throw new ContentError(`the driver could not be unloaded: ${outcome.stderr.trim()}`);
}

function noCard(target: 'local' | 'vm'): MissingError {
  if (target === 'vm') {
    return new MissingError('the guest has no card in its slots', {
      code: 'card_missing',
      suggestions: ['homa-nic vm stop && homa-nic vm start'],
    });
  }
  return new MissingError('no homa-nic card (PCI 10ee:484e) is in this machine', {
    code: 'card_missing',
    suggestions: [
      'without a card, use the guest: homa-nic vm start && homa-nic load-driver --target vm',
      'after flashing a card, reboot once so that its PCI address is assigned',
    ],
  });
}

async function needRoot(executor: Executor, what: string): Promise<void> {
  if (await isRoot(executor)) return;
  throw new MissingError('loading and unloading a kernel module needs root, and you are not root', {
    code: 'root',
    suggestions: [what],
  });
}

async function missingHeaders(setup: LoadSetup): Promise<MissingError | undefined> {
  if (setup.target === 'vm') return undefined;
  const release = setup.build.kernelRelease;
  if (await setup.build.executor.exists(`/lib/modules/${release}/build/Makefile`)) return undefined;
  return new MissingError(`the headers of this machine's kernel (${release}) are not installed`, {
    code: 'headers_missing',
    suggestions: [`apt install linux-headers-${release}`],
  });
}

async function load(
  setup: LoadSetup,
  module: BuiltModule,
  command: readonly string[],
): Promise<[Step['state'], string]> {
  const { executor } = setup;
  if (await moduleLoaded(executor)) {
    const version = await loadedVersion(executor);
    const same = version === undefined || (await readFile(module.path)).includes(`srcversion=${version}\0`);
    if (!same) {
      throw new ContentError('another build of the driver is loaded', {
        code: 'driver_differs',
        suggestions: [`homa-nic unload-driver${setup.target === 'vm' ? ' --target vm' : ''}`],
      });
    }
    return ['was done already', 'the same build is loaded; parameters are those it was loaded with'];
  }
  await needRoot(executor, `sudo homa-nic load-driver${setup.build.always ? ' --build' : ''}`);
  if (setup.target === 'vm') await executor.writeFile(GUEST_MODULE, await readFile(module.path));
  const outcome = await executor.run(command, { timeoutMs: setup.timeoutMs, signal: setup.signal });
  if (outcome.exitCode === 0) return ['done', command.join(' ')];
  const said = await driverLog(executor, LOG_LINES);
  const why = outcome.stderr.trim();
  const hint = /Key was rejected|Operation not permitted/i.test(why)
    ? ['the kernel takes signed modules only: turn Secure Boot off, or sign it (docs/driver.md)']
    : [];
  throw new ContentError(`the kernel did not take the module: ${[why, ...said].join('\n')}`, {
    code: 'load',
    suggestions: hint,
  });
}

async function waitForDevices(setup: LoadSetup): Promise<string> {
  const deadline = Date.now() + setup.timeoutMs;
  while (Date.now() < deadline) {
    if (await cardPresent(setup.executor)) return deviceFiles(0).join(', ');
    if (setup.signal.aborted) throw new InterruptedError();
    // A probe that failed left a line in the log and will not be repeated: waiting on would be in vain.
    const driven = (await findCards(setup.executor)).some((card) => card.driver === MODULE_NAME);
    if (!driven) break;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const said = await driverLog(setup.executor, LOG_LINES);
  throw new ContentError(['the driver is loaded and drives no card', ...said].join('\n'), {
    code: 'probe',
    suggestions: [`homa-nic unload-driver${setup.target === 'vm' ? ' --target vm' : ''}`],
  });
}

async function grant(setup: LoadSetup, cards: number): Promise<[Step['state'], string]> {
  const { executor } = setup;
  const files = Array.from({ length: cards }, (_, card) => deviceFiles(card)).flat();
  const hasGroup = (await executor.run(['grep', '-q', `^${GROUP}:`, '/etc/group'])).exitCode === 0;
  if (!hasGroup) {
    const advice = setup.target === 'vm' ? '' : `; for others: groupadd -r ${GROUP}, then load again`;
    return ['done', `for root only${advice}`];
  }
  if (!(await isRoot(executor))) return ['was done already', 'left as they are'];
  for (const file of files) {
    if (!(await executor.exists(file))) continue;
    await executor.run(['chgrp', GROUP, file]);
    await executor.run(['chmod', '660', file]);
  }
  return ['done', `for the group ${GROUP}`];
}

function identity(card: CardInfo): string {
  const { interface_version: version, build_kind: kind, build_id: build, link } = card.state;
  return `${card.address}: ${kind}, interface ${version}, build ${build}, link ${link === '1' ? 'up' : 'down'}`;
}
