// SPDX-License-Identifier: Apache-2.0
// How `sim attach` fails, as rows of the table in failures.ts.
import type { Failure } from './failures.js';

export const SIM_ATTACH_FAILURES: Failure[] = [
  {
    name: 'sim attach: parameters out of the range of their registers',
    argv: [
      'sim',
      'attach',
      '--ethernet',
      'unix:x',
      '--ipv4',
      '10.0.0.1',
      '--max-overcommit',
      '9',
      '--mtu',
      '3',
    ],
    exitCode: 2,
    code: 'flags',
    says: /--mtu: '3' is not a whole number from 1280 to 9000[\s\S]*--max-overcommit: '9' is not a whole number from 1 to 8/,
    suggests: /homa-nic sim attach --help/,
  },
  {
    name: 'sim attach: a list with a number for some levels only',
    argv: ['sim', 'attach', '--ethernet', 'unix:x', '--ipv4', '10.0.0.1', '--priority-map', '0,1,2,3'],
    exitCode: 2,
    code: 'flags',
    says: /--priority-map: '0,1,2,3' is not 8 whole numbers from 0 to 7 with commas between them/,
    suggests: /homa-nic sim attach --help/,
  },
];
