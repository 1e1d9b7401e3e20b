// SPDX-License-Identifier: Apache-2.0
// The tests `perf` knows: what each measures, between which two events of its trace.

/** Smallest and largest message, bytes (design section 4). */
export const MIN_SIZE_BYTES = 1;
export const MAX_SIZE_BYTES = 1_000_000;

/** One test. */
export interface TestDefinition {
  name: string;
  /** one line for `perf --list` */
  text: string;
  /** what lies between start and stop */
  span: string;
  /** may `--size` name message sizes for it */
  sized: boolean;
  /** sizes when `--size` is not given, bytes */
  defaultSizesBytes: readonly number[];
  /** events of the trace that begin and end one iteration (design section 7) */
  startEvent: string;
  endEvent: string;
  /** does the payload cross the wire once in the measured span */
  oneWay: boolean;
  /** runs on several simulated hosts rather than on one card in loopback */
  network?: boolean;
}

/** Every test, in the order they are listed and run. */
export const TESTS: readonly TestDefinition[] = [
  {
    name: 'echo',
    text: '64 bytes to the card by MMIO (nop call), the same 64 bytes back by DMA',
    span: 'store of the call to sight of the result in host memory',
    sized: false,
    defaultSizesBytes: [64],
    startEvent: 'write request',
    endEvent: 'write response',
    oneWay: false,
  },
  {
    name: 'read',
    text: '64-byte load of the identity block in the aperture',
    span: 'start of the load to its data in a register',
    sized: false,
    defaultSizesBytes: [64],
    startEvent: 'read request',
    endEvent: 'read response',
    oneWay: false,
  },
  {
    name: 'loopback',
    text: 'sendmsg, packets out, MAC loopback, packets in, DMA into the receive buffer, payload checked',
    span: 'store of the sendmsg call to sight of the delivered message',
    sized: true,
    defaultSizesBytes: [64],
    startEvent: 'send request',
    endEvent: 'recv response',
    oneWay: true,
  },
  {
    name: 'rpc',
    text: 'request and response of the same size between two hosts, one at a time',
    span: 'store of the sendmsg to sight of the response',
    sized: true,
    defaultSizesBytes: [64],
    startEvent: 'rpc request',
    endEvent: 'rpc response',
    oneWay: false,
    network: true,
  },
  {
    name: 'throughput',
    text: 'requests of each size from one host to another, eight at a time, one-byte responses: payload rate',
    span: 'store of the sendmsg to sight of the response, eight RPCs at a time',
    sized: true,
    defaultSizesBytes: [1024, 4096, 16_384, 65_536, 262_144, 1_000_000],
    startEvent: 'rpc request',
    endEvent: 'rpc response',
    oneWay: true,
    network: true,
  },
  {
    name: 'rate',
    text: 'small requests from one host to another, as many at a time as one user may: messages a second',
    span: 'store of the sendmsg to sight of the response, 100 RPCs at a time',
    sized: true,
    defaultSizesBytes: [64],
    startEvent: 'rpc request',
    endEvent: 'rpc response',
    oneWay: true,
    network: true,
  },
  {
    name: 'workload',
    text: 'RPCs with lengths of --workload among four hosts on a switch at --load, open loop: slowdown by size decile',
    span: 'intended start to sight of the response, over the best unloaded time of an RPC of that size',
    sized: false,
    defaultSizesBytes: [0],
    startEvent: 'rpc request',
    endEvent: 'rpc response',
    oneWay: false,
    network: true,
  },
];

/** What `perf` runs when no test is named. */
export const DEFAULT_TESTS: readonly string[] = ['echo', 'read', 'loopback'];

/** The test of that name, or undefined. */
export function findTest(name: string): TestDefinition | undefined {
  return TESTS.find((test) => test.name === name);
}
