// SPDX-License-Identifier: Apache-2.0
/** How often a property is tried: `few` in a normal run, ten times as often in the nightly one (HOMA_NIC_LONG). */
export function runs(few: number): number {
  return process.env['HOMA_NIC_LONG'] ? 10 * few : few;
}
