// SPDX-License-Identifier: Apache-2.0
// Any small scenario, for property tests.
import fc from 'fast-check';
import type { Scenario } from '#src/world/scenario/scenario.js';

/** Lengths around every edge there is: inline, segment, unscheduled, largest. */
export const EDGES = [
  1, 2, 3, 4, 5, 63, 64, 65, 127, 1000, 1403, 1404, 1405, 1424, 1425, 2807, 2808, 2809, 4096, 5000, 8191,
];
export const LARGE = [39_999, 40_000, 40_001, 65_536, 100_000];

const size = fc.oneof(fc.constantFrom(...EDGES), fc.integer({ min: 1, max: 20_000 }), {
  weight: 1,
  arbitrary: fc.constantFrom(...LARGE, 1_000_000),
});
const chance = fc.integer({ min: 0, max: 20 }).map((percent) => percent / 100);

/** Two to four hosts, any parameters, faults and clients. */
export const smallScenario: fc.Arbitrary<Scenario> = fc
  .record({
    seed: fc.nat(1000),
    hosts: fc.integer({ min: 2, max: 4 }),
    random: fc.record({
      drop: chance,
      duplicate: chance,
      reorder: chance,
      reorderUs: fc.integer({ min: 1, max: 9000 }),
    }),
    registers: fc.record(
      {
        mtu: fc.constantFrom(1280, 1500, 9000),
        unscheduledBytes: fc.constantFrom(1, 1000, 40_000, 1_000_000),
        maxOvercommit: fc.integer({ min: 1, max: 8 }),
        resendTicks: fc.integer({ min: 1, max: 5 }),
        numPriorities: fc.integer({ min: 1, max: 8 }),
      },
      { requiredKeys: [] },
    ),
    rpcEntries: fc.constantFrom(4, 64, 16_384),
    thinkUs: fc.constantFrom(0, 0, 3000),
    clients: fc.array(
      fc.record({
        from: fc.nat(3),
        sizes: fc.array(size, { minLength: 1, maxLength: 6 }),
        outstanding: fc.integer({ min: 1, max: 6 }),
        ipv4: fc.boolean(),
        responseBytes: fc.constantFrom(0, 1, 64, 5000),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  })
  .map(({ seed, hosts, random, registers, rpcEntries, thinkUs, clients }) => ({
    schemaVersion: 1 as const,
    name: 'found by the property test',
    seed,
    endUs: 20_000_000,
    drainUs: 2_500_000,
    hosts: Array.from({ length: hosts }, (_, i) => ({ name: `h${i}`, registers, rpcEntries })),
    faults: [{ random }],
    workload: {
      servers: clients.map(({ from, responseBytes }, i) => ({
        host: `h${(from + 1) % hosts}`,
        port: 4000 + i,
        receives: 2,
        capacityBytes: 1_000_000,
        responseBytes,
        thinkUs,
      })),
      clients: clients.map(({ from, sizes, outstanding, ipv4 }, i) => ({
        host: `h${from % hosts}`,
        to: `h${((from % hosts) + 1 + (from % (hosts - 1))) % hosts}`,
        port: 4000 + i,
        count: sizes.length,
        outstanding: Math.min(outstanding, sizes.some((bytes) => bytes > 100_000) ? 1 : 6),
        requestBytes: { list: sizes },
        match: 'id' as const,
        family: ipv4 ? ('ipv4' as const) : ('ipv6' as const),
      })),
    },
  }));
