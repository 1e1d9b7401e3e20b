// SPDX-License-Identifier: Apache-2.0

/** Where the figures of a plot come from; stands under its title. */
export interface PlotSource {
  title: string;
  /** Made by a simulated card? Undefined when that is not known, as for a trace file by itself. */
  simulated?: boolean;
  profile?: string | null;
  seed?: number | null;
}

/** Title and subtitle of a plot; a simulated one says so in its title. */
export function titleOf(
  source: PlotSource,
  more: readonly string[] = [],
): { text: string; subtitle: string[] } {
  const facts = [
    ...(source.profile ? [`PCIe profile ${source.profile}`] : []),
    ...(source.seed === null || source.seed === undefined ? [] : [`seed ${source.seed}`]),
  ];
  const subtitle = [...(facts.length > 0 ? [facts.join(', ')] : []), ...more];
  return { text: `${source.title}${source.simulated ? ' (simulated)' : ''}`, subtitle };
}
