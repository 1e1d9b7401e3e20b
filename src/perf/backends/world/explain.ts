// SPDX-License-Identifier: Apache-2.0
// Where the time of a test goes on a simulated card: rows that add up to what the world does with jitter off.
import { cardRows, explainEcho, explainRead, sumPs, type LatencyRow } from '../../../world/pcie/explain.js';
import type { PcieProfile } from '../../../world/pcie/profile.js';
import type { Explanation, TestRequest } from '../../backend.js';
import type { CardKind } from './card-kind.js';

/** The explanation of a test, or undefined when the kind of card or the test has none. */
export function explainTest(
  test: TestRequest,
  profile: PcieProfile,
  kind: CardKind,
): Explanation | undefined {
  const rows = rowsOf(test, profile, kind);
  if (!rows) return undefined;
  return {
    test: test.name,
    rows,
    basePs: sumPs(rows),
    jitter: {
      distribution: profile.jitterName,
      parameters: { ...profile.jitter },
      source: profile.jitterSource,
    },
  };
}

function rowsOf(test: TestRequest, profile: PcieProfile, kind: CardKind): LatencyRow[] | undefined {
  switch (test.name) {
    case 'echo': {
      const card = kind.cardRows(profile.cycleTable, 'echo');
      return card && explainEcho(profile, cardRows(card));
    }
    case 'read': {
      const card = kind.cardRows(profile.cycleTable, 'read');
      return card && explainRead(profile, cardRows(card));
    }
    default:
      return undefined;
  }
}
