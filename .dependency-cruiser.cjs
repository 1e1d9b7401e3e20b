// SPDX-License-Identifier: Apache-2.0
// The dependency rules of design section 6, as data. A violation fails the build.
const only = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: `^src/${from}/` },
  to: { path: '^src/', pathNot: [`^src/${from}/`, '^src/errors/', ...allowed] },
});
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'nothing-imports-commands',
      severity: 'error',
      from: { pathNot: '^src/commands/' },
      to: { path: '^src/commands/' },
    },
    {
      name: 'only-commands-pick-a-backend',
      severity: 'error',
      from: { pathNot: '^src/(commands|perf/backends)/' },
      to: { path: '^src/perf/backends/' },
    },
    {
      name: 'errors-is-a-leaf',
      severity: 'error',
      from: { path: '^src/errors/' },
      to: { pathNot: '^src/errors/' },
    },
    only('stats-is-a-leaf', 'stats', []),
    only('random-is-a-leaf', 'random', []),
    only('workload-is-a-leaf', 'workload', []),
    only('parse-may-use-stats', 'parse', ['^src/stats/']),
    only('model-may-use-stats-random-workload', 'model', ['^src/(stats|random|workload)/']),
    {
      name: 'pure-folders-know-no-disk-no-terminal',
      severity: 'error',
      from: { path: '^src/(stats|random|workload|parse|model)/' },
      to: {
        path: '^(node:)?(fs|fs/promises|child_process|process|tty|readline|os|net|worker_threads)$',
      },
    },
    {
      name: 'sim-and-rtl-do-not-know-each-other',
      severity: 'error',
      from: { path: '^src/nic/sim/' },
      to: { path: '^src/nic/rtl/' },
    },
    {
      name: 'rtl-and-sim-do-not-know-each-other',
      severity: 'error',
      from: { path: '^src/nic/rtl/' },
      to: { path: '^src/nic/sim/' },
    },
    {
      name: 'world-sees-the-seam-only',
      severity: 'error',
      from: { path: '^src/world/' },
      to: { path: '^src/nic/(sim|rtl)/' },
    },
    {
      name: 'perf-names-no-kind',
      severity: 'error',
      from: { path: '^src/perf/', pathNot: '^src/perf/backends/' },
      to: { path: '^src/(nic|world|exec|vm)/' },
    },
    {
      name: 'world-knows-no-perf-no-cli',
      severity: 'error',
      from: { path: '^src/(world|nic)/' },
      to: { path: '^src/(base|perf|report|exec|vm|build|doctor)/' },
    },
    {
      name: 'only-exec-and-doctor-start-programs',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(exec|doctor)/' },
      to: { path: '^(node:)?child_process$|node_modules/execa/' },
    },
    {
      name: 'no-utils',
      severity: 'error',
      from: {},
      to: { path: ['/utils/', '/common/', '/(utils|common)[.]ts$'], pathNot: 'node_modules' },
    },
    { name: 'not-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
