// SPDX-License-Identifier: Apache-2.0
// Every class of failure, as data. A row is run in an empty folder, once as text and once with --json; add rows here.

export interface Failure {
  /** What goes wrong, as a title. */
  name: string;
  argv: string[];
  /** Files in the folder before the run. */
  files?: Record<string, string | Uint8Array>;
  env?: Record<string, string>;
  exitCode: number;
  /** `error.code` of the envelope. */
  code: string;
  /** In the message. */
  says: RegExp;
  /** In one of the suggestions. */
  suggests?: RegExp;
}

const CONFIG_JSON = 'homa-nic.json';

export const FAILURES: Failure[] = [
  {
    name: 'unknown command, a slip of the finger',
    argv: ['confg'],
    exitCode: 2,
    code: 'unknown_command',
    says: /no command 'confg'/,
    suggests: /^homa-nic config$/,
  },
  {
    name: 'unknown command, like none',
    argv: ['zzzzzzzz'],
    exitCode: 2,
    code: 'unknown_command',
    says: /no command 'zzzzzzzz'/,
    suggests: /homa-nic --help/,
  },
  {
    name: 'unknown command below a topic: names with spaces',
    argv: ['sim', 'bogus'],
    exitCode: 2,
    code: 'unknown_command',
    says: /no command 'sim bogus'/,
    suggests: /homa-nic sim/,
  },
  {
    name: 'help of an unknown command',
    argv: ['help', 'confg'],
    exitCode: 2,
    code: 'unknown_command',
    says: /no command 'confg'/,
    suggests: /^homa-nic config$/,
  },
  {
    name: '--help of an unknown command',
    argv: ['confg', '--help'],
    exitCode: 2,
    code: 'unknown_command',
    says: /no command 'confg'/,
  },
  {
    name: 'a flag where a command should be',
    argv: ['--bogus'],
    exitCode: 2,
    code: 'usage',
    says: /unknown flag --bogus/,
    suggests: /--help/,
  },
  {
    name: 'unknown flag',
    argv: ['config', '--jsno'],
    exitCode: 2,
    code: 'flags',
    says: /^unknown flag --jsno; did you mean --json\?$/,
    suggests: /homa-nic config --help/,
  },
  {
    name: 'several wrong flags in one error',
    argv: ['config', '--alpha', '--beta=2', 'extra', '--quiet=yes'],
    exitCode: 2,
    code: 'flags',
    says: /^4 problems with this command line:\n {2}- unknown flag --alpha\n {2}- unknown flag --beta\n/,
    suggests: /homa-nic config --help/,
  },
  {
    name: 'unexpected argument',
    argv: ['config', 'extra'],
    exitCode: 2,
    code: 'flags',
    says: /^unexpected argument 'extra'$/,
  },
  {
    name: 'two flags that exclude each other',
    argv: ['config', '--quiet', '--verbose'],
    exitCode: 2,
    code: 'flags',
    says: /--verbose.*--quiet/,
  },
  {
    name: 'unknown configuration key',
    argv: ['config'],
    files: { [CONFIG_JSON]: '{"sead": 3}' },
    exitCode: 2,
    code: 'config',
    says: /^\.\/homa-nic\.json: unknown key 'sead'; did you mean 'seed'\? \(allowed: nic, /,
    suggests: /homa-nic config --help/,
  },
  {
    name: 'configuration value of the wrong kind',
    argv: ['config'],
    files: { [CONFIG_JSON]: '{"count": "many"}' },
    exitCode: 2,
    code: 'config',
    says: /count: "many" must be an integer/,
  },
  {
    name: 'configuration that is not JSON',
    argv: ['config'],
    files: { [CONFIG_JSON]: '{count' },
    exitCode: 2,
    code: 'config',
    says: /^\.\/homa-nic\.json: this is not JSON/,
  },
  {
    name: 'environment variable of the wrong kind',
    argv: ['config'],
    env: { HOMA_NIC_SEED: 'x' },
    exitCode: 2,
    code: 'config',
    says: /^HOMA_NIC_SEED: "x" must be an integer$/,
  },
];
