// SPDX-License-Identifier: Apache-2.0
// Every class of failure, as data. A row is run in an empty folder, once as text and once with --json; add rows here.
import { readFileSync } from 'node:fs';
import { MODEL_FAILURES } from './model-failures.js';
import { PARSE_FAILURES } from './parse-failures.js';
import { SIM_ATTACH_FAILURES } from './sim-attach-failures.js';

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

const minimalScenario = readFileSync('scenarios/rpc.json', 'utf8');

/** A result that follows the schema; `settings` are what --repeat goes by. */
function resultWith(settings: Record<string, unknown>): string {
  const result = {
    schemaVersion: 1,
    kind: 'perf',
    nic: 'sim',
    simulated: true,
    profile: 'u250-gen3x16',
    seed: 1,
    settings: {
      count: 10,
      warmup: 0,
      seed: 1,
      pcieProfile: 'u250-gen3x16',
      tests: [{ name: 'echo', sizeBytes: 64 }],
      ...settings,
    },
    environment: {
      cpuModel: 'some',
      cores: 1,
      governor: null,
      kernel: 'Linux',
      node: 'v20.19.0',
      gitHash: null,
      gitDirty: null,
      virtualMachine: null,
    },
    versions: {},
    partial: false,
    tests: [],
    warnings: [],
  };
  return JSON.stringify(result);
}

const brokenSettings: [string, Record<string, unknown>, RegExp][] = [
  ['no iterations', { count: 0 }, /^\.\/r\.json: settings\.count is not a whole number from 1 to 10000000$/],
  ['more iterations than there may be', { count: 5e9 }, /settings\.count/],
  ['a warm-up that is no number', { warmup: 'x' }, /settings\.warmup/],
  ['a seed out of range', { seed: 2 ** 32 }, /settings\.seed/],
  ['no profile', { pcieProfile: null }, /settings\.pcieProfile/],
  ['no tests', { tests: [] }, /settings\.tests names no tests$/],
  ['nothing in the place of a test', { tests: [null] }, /settings\.tests/],
  ['an unknown test', { tests: [{ name: 'ecko', sizeBytes: 64 }] }, /settings\.tests names 'ecko', no test$/],
  ['an echo of another size', { tests: [{ name: 'echo', sizeBytes: 99 }] }, /echo with a size of 99 bytes$/],
  ['a size of 0', { tests: [{ name: 'loopback', sizeBytes: 0 }] }, /loopback with a size of 0 bytes$/],
  [
    'a load above 1',
    { tests: [{ name: 'workload', sizeBytes: 0 }], workload: 'w4', load: 2 },
    /settings\.load is no share/,
  ],
];

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
    name: 'scenario with many unknown keys: the first of them, and how many more',
    argv: ['sim', 'run', 's.json'],
    files: { 's.json': '{"a1":1,"a2":1,"a3":1,"a4":1,"a5":1,"a6":1}' },
    exitCode: 1,
    code: 'content',
    says: /^s\.json: .*unknown key 'a1'.*; and \d more$/,
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
  {
    name: 'perf: unknown test',
    argv: ['perf', '--test', 'ecko'],
    exitCode: 2,
    code: 'unknown_test',
    says: /^unknown test 'ecko': the tests are echo, read, loopback, rpc, throughput, rate, workload/,
    suggests: /^--test echo$/,
  },
  {
    name: 'perf: size 0',
    argv: ['perf', '--test', 'loopback', '--size', '0'],
    exitCode: 2,
    code: 'usage',
    says: /^size 0 is out of range: 1 to 1000000 bytes$/,
  },
  {
    name: 'perf: size of one byte too many',
    argv: ['perf', '--test', 'loopback', '--size', '1000001'],
    exitCode: 2,
    code: 'usage',
    says: /^size 1000001 is out of range: 1 to 1000000 bytes$/,
  },
  {
    name: 'perf: a size that is no number',
    argv: ['perf', '--test', 'loopback', '--size', '64,big'],
    exitCode: 2,
    code: 'usage',
    says: /^'big' is not a size in bytes/,
  },
  {
    name: 'perf: a size for a test that has only one',
    argv: ['perf', '--test', 'echo,loopback', '--size', '128'],
    exitCode: 2,
    code: 'size_of_fixed_test',
    says: /^--size does not go with echo: its size is always 64 bytes$/,
    suggests: /^--test loopback.* --size 128$/,
  },
  {
    name: 'perf: a size without a test',
    argv: ['perf', '--size', '128'],
    exitCode: 2,
    code: 'size_of_fixed_test',
    says: /^--size does not go with echo and read/,
  },
  {
    name: 'perf: count 0',
    argv: ['perf', '--count', '0'],
    exitCode: 2,
    code: 'flags',
    says: /'0' is not a whole number from 1 to/,
  },
  {
    name: 'perf: count that is no number',
    argv: ['perf', '--count', 'many'],
    exitCode: 2,
    code: 'flags',
    says: /'many' is not a whole number from 1 to/,
  },
  {
    name: 'perf: output that cannot be written, found before the run',
    argv: ['perf', '--out', 'blocked/out', '--count', '10000000'],
    files: { blocked: 'a file' },
    exitCode: 2,
    code: 'unwritable',
    says: /^cannot write to \.\/blocked\/out/,
    suggests: /--out/,
  },
  {
    name: 'perf: output that is there already',
    argv: ['perf', '--out', 'kept', '--count', '10000000'],
    files: { 'kept/result.json': '{}' },
    exitCode: 2,
    code: 'output_exists',
    says: /^\.\/kept has something in it already$/,
    suggests: /--force/,
  },
  {
    name: 'perf: a plot that is there already',
    argv: ['perf', '--plot', 'kept.svg', '--count', '10000000'],
    files: { 'kept.svg': '' },
    exitCode: 2,
    code: 'output_exists',
    says: /^\.\/kept\.svg exists already$/,
  },
  {
    name: 'perf: a plot in a folder that is not there, with the flag that mends it',
    argv: ['perf', '--plot', 'none/kept.svg', '--count', '10000000'],
    exitCode: 2,
    code: 'unwritable',
    says: /^cannot write \.\/none\/kept\.svg: no such file or folder$/,
    suggests: /another file/,
  },
  {
    name: 'perf: a plot that is named like another kind of picture',
    argv: ['perf', '--plot', 'kept.png', '--count', '10000000'],
    exitCode: 2,
    code: 'not_svg',
    says: /^--plot draws SVG, and \.\/kept\.png is not named so$/,
    suggests: /^--plot \.\/kept\.svg$/,
  },
  {
    name: 'perf: flags with nothing for a value',
    argv: ['perf', '--plot', '', '--out=', '--count', '10000000'],
    exitCode: 2,
    code: 'flags',
    says: /--plot needs a value\n {2}- --out needs a value$/,
  },
  {
    name: 'perf: unknown kind of card',
    argv: ['perf', '--nic', 'smi'],
    exitCode: 2,
    code: 'unknown_nic',
    says: /^unknown kind of network card 'smi': the kinds are sim/,
    suggests: /--nic sim/,
  },
  {
    name: 'perf: unknown PCIe profile',
    argv: ['perf', '--nic', 'sim', '--pcie-profile', 'gen9'],
    exitCode: 2,
    code: 'unknown_profile',
    says: /^unknown PCIe profile 'gen9': the profiles are u250-original, u250-gen3x16$/,
  },
  {
    name: 'perf: load of 1',
    argv: ['perf', '--test', 'workload', '--load', '1'],
    exitCode: 2,
    code: 'usage',
    says: /^--load '1' is not a share above 0 and below 1$/,
    suggests: /--load 0.8/,
  },
  {
    name: 'perf: unknown workload',
    argv: ['perf', '--test', 'workload', '--workload', 'w9'],
    exitCode: 2,
    code: 'flags',
    says: /w9/,
  },
  {
    name: 'perf: repeat of a file that is not there',
    argv: ['perf', '--repeat', 'result.json'],
    exitCode: 2,
    code: 'missing_input',
    says: /^cannot read \.\/result\.json: no such file or folder$/,
  },
  {
    name: 'sim run: a scenario that is not there, named by its absolute path',
    argv: ['sim', 'run', '/nonexistent/s.json'],
    exitCode: 2,
    code: 'missing_input',
    says: /^cannot read (\.\.\/)+nonexistent\/s\.json: no such file or folder$/,
  },
  {
    name: 'sim run: frames over a file that is there already',
    argv: ['sim', 'run', 's.json', '--pcap', 'kept.pcap'],
    files: { 's.json': minimalScenario, 'kept.pcap': 'mine' },
    exitCode: 2,
    code: 'output_exists',
    says: /^\.\/kept\.pcap exists already$/,
    suggests: /--force/,
  },
  {
    name: 'sim run: frames in the order of time from several threads',
    argv: ['sim', 'run', 's.json', '--pcap', 'new.pcap', '--threads', '2'],
    files: { 's.json': minimalScenario },
    exitCode: 2,
    code: 'threads_and_pcap',
    says: /^--pcap keeps frames in the order of time, which needs one thread$/,
    suggests: /leave out --threads/,
  },
  {
    name: 'sim run: no thread at all',
    argv: ['sim', 'run', 's.json', '--threads', '0'],
    files: { 's.json': minimalScenario },
    exitCode: 2,
    code: 'flags',
    says: /^--threads: '0' is not a whole number from 1 to 256$/,
  },
  {
    name: 'perf: a place of a real card with the simulated one',
    argv: ['perf', '--nic', 'sim', '--device', '0000:01:00.0'],
    exitCode: 2,
    code: 'place_of_simulation',
    says: /^--device says where a real card is: it does not go with --nic sim$/,
    suggests: /--nic card/,
  },
  {
    name: 'perf: the guest with the simulated card of this process',
    argv: ['perf', '--nic', 'sim', '--target', 'vm'],
    exitCode: 2,
    code: 'place_of_simulation',
    says: /^--target says where a real card is/,
  },
  {
    name: 'perf: a load and no workload test',
    argv: ['perf', '--test', 'echo', '--load', '0.5', '--workload', 'w2'],
    exitCode: 2,
    code: 'idle_flag',
    says: /^--workload and --load without the workload test would do nothing$/,
    suggests: /--test workload/,
  },
  {
    name: 'perf: a comma without a test',
    argv: ['perf', '--test', 'echo,,read'],
    exitCode: 2,
    code: 'unknown_test',
    says: /^'echo,,read' names no test at one of its commas: the tests are echo, /,
  },
  {
    name: 'perf: --explain of a test that has no table, on the simulated card',
    argv: ['perf', '--nic', 'sim', '--test', 'rpc', '--explain'],
    exitCode: 2,
    code: 'usage',
    says: /^--explain knows the parts of echo, read and loopback, not of rpc$/,
    suggests: /--test echo/,
  },
  ...brokenSettings.map(([what, settings, says]): Failure => ({
    name: `perf: repeat of ${what}`,
    argv: ['perf', '--repeat', 'r.json'],
    files: { 'r.json': resultWith(settings) },
    exitCode: 1,
    code: 'content',
    says,
    suggests: /result\.json/,
  })),
  {
    name: 'perf: repeat of something else',
    argv: ['perf', '--repeat', 'result.json'],
    files: { 'result.json': '{"schemaVersion": 2}' },
    exitCode: 1,
    code: 'content',
    says: /^\.\/result\.json: /,
  },
  {
    name: 'perf: repeat with settings of its own',
    argv: ['perf', '--repeat', 'result.json', '--count', '5'],
    exitCode: 2,
    code: 'usage',
    says: /^--repeat takes its settings from the file: leave out --count$/,
  },
  ...PARSE_FAILURES,
  ...SIM_ATTACH_FAILURES,
  ...MODEL_FAILURES,
];
