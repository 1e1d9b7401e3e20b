// SPDX-License-Identifier: Apache-2.0

/** Columns of a sparkline where there is room for it. */
export const SPARKLINE_COLUMNS = 40;

const BLOCKS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII = ['.', ':', '-', '=', '+', '*', '#', '@'];

/**
 * A line of bars, one character for each bin. An empty bin is blank, any other shows at least the lowest bar, so that
 * a single far sample is seen.
 */
export function sparkline(bins: ArrayLike<number>, unicode: boolean): string {
  const levels = unicode ? BLOCKS : ASCII;
  const highest = Array.from(bins).reduce((a, b) => Math.max(a, b), 0);
  return Array.from(bins, (count) => {
    if (count <= 0) return ' ';
    return levels[Math.min(levels.length - 1, Math.floor((count / highest) * levels.length))]!;
  }).join('');
}
