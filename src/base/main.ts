// SPDX-License-Identifier: Apache-2.0
import { execute } from '@oclif/core';

/** Entry of the command line: runs the command named in process.argv and sets the exit code. */
export async function main(importUrl: string, options: { development?: boolean } = {}): Promise<void> {
  await execute({ dir: importUrl, development: options.development ?? false });
}
