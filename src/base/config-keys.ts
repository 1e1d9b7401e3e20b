// SPDX-License-Identifier: Apache-2.0
// Every key that may be configured, with its default. Flags take their defaults from here, so help never lies.

/** Defaults of the settings that can be configured; null means "chosen at run time". */
export const DEFAULTS = {
  nic: null,
  device: null,
  target: 'local',
  pcieProfile: 'u250-gen3x16',
  seed: 1,
  count: 1000,
  warmup: 100,
  resultsFolder: 'homa-nic-results',
} as const;

export type ConfigKey = keyof typeof DEFAULTS;
export const CONFIG_KEYS = Object.keys(DEFAULTS) as ConfigKey[];

/** The flag of a key: pcieProfile is --pcie-profile. */
export function flagOfKey(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The environment variable of a key: pcieProfile is HOMA_NIC_PCIE_PROFILE. */
export function variableOfKey(key: string): string {
  return `HOMA_NIC_${flagOfKey(key).replaceAll('-', '_').toUpperCase()}`;
}
