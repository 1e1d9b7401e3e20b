// SPDX-License-Identifier: Apache-2.0
import {
  compareResults,
  entriesNeeded,
  inOrder,
  type Comparable,
  type Comparison,
  type EntriesNeeded,
} from '../model/compare.js';

/** The comparison of rows, with the entries needed to stay within 1 % and 5 % where entries were varied. */
export function summarizeRows(rows: readonly Comparable[]): {
  comparisons: Comparison[];
  needed: EntriesNeeded[];
} {
  const comparisons = compareResults(inOrder(rows));
  const varied = comparisons.filter((c) =>
    comparisons.some(
      (d) => d.entries !== c.entries && d.strategy === c.strategy && d.workload === c.workload,
    ),
  );
  const needed = (['all', 'every tenth'] as const).flatMap((of) =>
    [1.01, 1.05].flatMap((limit) => entriesNeeded(varied, limit, of)),
  );
  return { comparisons, needed };
}
