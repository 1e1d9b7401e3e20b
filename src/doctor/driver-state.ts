// SPDX-License-Identifier: Apache-2.0
// Looks at cards, driver and device files of a machine or of the guest; changes nothing.
import type { Executor } from '../exec/executor.js';
import { PCI_DEVICE, PCI_VENDOR, RegionDevice } from '../nic/regs.js';

export const MODULE_NAME = 'homanic';

/** A card on the PCI bus, and what the driver says of it when it drives it. */
export interface CardInfo {
  /** PCI address, for example 0000:01:00.0 */
  address: string;
  /** name of the driver bound to it */
  driver: string | undefined;
  /** files of the driver's `homa_state` folder by name; empty when it does not drive the card */
  state: Record<string, string>;
}

const LIST_CARDS = `
for card in /sys/bus/pci/devices/*; do
  read -r vendor < "$card/vendor" && read -r device < "$card/device" || continue
  [ "$vendor" = "$1" ] && [ "$device" = "$2" ] || continue
  driver=
  [ -e "$card/driver" ] && driver=$(basename "$(readlink -f "$card/driver")")
  echo "card \${card##*/} $driver"
  for file in "$card"/homa_state/*; do
    [ -r "$file" ] && echo "state \${file##*/} $(cat "$file" 2>/dev/null)"
  done
done`;

function hex4(value: number): string {
  return `0x${value.toString(16).padStart(4, '0')}`;
}

/** Cards on the PCI bus, in order of address. */
export async function findCards(executor: Executor): Promise<CardInfo[]> {
  const argv = ['sh', '-c', LIST_CARDS, 'sh', hex4(PCI_VENDOR), hex4(PCI_DEVICE)];
  const { stdout } = await executor.run(argv);
  const cards: CardInfo[] = [];
  for (const line of stdout.split('\n')) {
    const [kind, name = '', ...rest] = line.split(' ');
    const value = rest.join(' ').trim();
    if (kind === 'card') cards.push({ address: name, driver: value || undefined, state: {} });
    else if (kind === 'state') cards.at(-1)!.state[name] = value;
  }
  return cards;
}

/** Path of one device file; card 0 has the plain names. */
export function deviceFile(card: number, region: keyof typeof RegionDevice): string {
  const plain = RegionDevice[region];
  return `/dev/${card === 0 ? plain : plain.replace(/^homa_nic_/, `homa_nic${card}_`)}`;
}

/** The four device files of a card. */
export function deviceFiles(card: number): string[] {
  return (Object.keys(RegionDevice) as (keyof typeof RegionDevice)[]).map((region) =>
    deviceFile(card, region),
  );
}

/** Are the device files of a card there, so that programs can use it? What `perf` asks to choose its NIC. */
export async function cardPresent(executor: Executor, card = 0): Promise<boolean> {
  for (const path of deviceFiles(card)) if (!(await executor.exists(path))) return false;
  return true;
}

export async function moduleLoaded(executor: Executor): Promise<boolean> {
  return executor.exists(`/sys/module/${MODULE_NAME}`);
}

/** `srcversion` of the loaded module: tells builds apart. */
export async function loadedVersion(executor: Executor): Promise<string | undefined> {
  const outcome = await executor.run(['cat', `/sys/module/${MODULE_NAME}/srcversion`]);
  return outcome.exitCode === 0 ? outcome.stdout.trim() : undefined;
}

export async function isRoot(executor: Executor): Promise<boolean> {
  return (await executor.run(['id', '-u'])).stdout.trim() === '0';
}

export async function kernelRelease(executor: Executor): Promise<string> {
  return (await executor.run(['uname', '-r'])).stdout.trim();
}

/** Last lines that the driver wrote to the kernel log; empty when the log may not be read. */
export async function driverLog(executor: Executor, lines: number): Promise<string[]> {
  const outcome = await executor.run(['dmesg']);
  if (outcome.exitCode !== 0) return [];
  const own = outcome.stdout.split('\n').filter((line) => line.includes(MODULE_NAME));
  return own.slice(-lines).map((line) => line.replace(/^\[[^\]]*\] /, ''));
}

/** Processes that have a device file of any card open. */
export async function deviceUsers(executor: Executor): Promise<number[]> {
  const script =
    'for fd in /proc/[0-9]*/fd/*; do case $(readlink "$fd") in /dev/homa_nic*) echo "$fd";; esac; done';
  const { stdout } = await executor.run(['sh', '-c', script]);
  const pids = stdout.split('\n').map((line) => Number(line.split('/')[2]));
  return [...new Set(pids.filter((pid) => pid > 0))].sort((a, b) => a - b);
}
