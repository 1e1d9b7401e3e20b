// SPDX-License-Identifier: Apache-2.0
import { Config } from '@oclif/core/config';

/** oclif's configuration with all commands and plugins; slow, so for what is not one command of ours. */
export async function loadConfig(root: string): Promise<Config> {
  return Config.load({ root, devPlugins: false, userPlugins: false });
}
