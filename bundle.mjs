// SPDX-License-Identifier: Apache-2.0
// Second half of `npm run build`: joins what tsc wrote to dist/ with what it uses of the packages into few files in
// dist/bundle, one per command and one for each set of modules that several share. bin/run.js starts the bundle; tests and
// bin/dev.js run dist/ as tsc left it. CommonJS, because Node 20 starts it 12 ms sooner than the same files as modules;
// esbuild divides only modules, hence two steps.
import { readdirSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { build, transform } from 'esbuild';

const OUT = 'dist/bundle';

/**
 * What a command of ours never comes to use of oclif: the help behind `Flags.help()` (--help is seen before a command is
 * loaded; help is a chunk of its own) and the end of oclif's own run(). It would be two thirds of what is read.
 */
const UNUSED = [
  ['/flags.js', './help'],
  ['/errors/index.js', './handle'],
  ['/parser/index.js', './help'],
];

const replacements = {
  name: 'replacements',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\.\/(help|handle)$/ }, ({ importer, path }) => {
      const unused = UNUSED.some(
        ([file, wanted]) => path === wanted && importer.endsWith(`/@oclif/core/lib${file}`),
      );
      return unused ? { path, namespace: 'unused' } : undefined;
    });
    onLoad({ filter: /.*/, namespace: 'unused' }, () => ({ contents: '' }));
    onLoad({ filter: /\/dist\/base\/import-file\.js$/ }, () => ({
      contents: `import { fileURLToPath } from 'node:url';
        export const importFile = async (file) => require(fileURLToPath(file));`,
    }));
  },
};

// All files lie side by side, two folders below package.json like dist/<folder>/<file>.js: paths relative to a file hold.
const entryPoints = {
  main: 'dist/base/main.js',
  'sweep-worker': 'dist/sweep/sweep-worker.js',
  'sim-shard': 'dist/perf/backends/sim-shard.js',
};
for (const file of readdirSync('dist/commands', { recursive: true })) {
  if (file.endsWith('.js'))
    entryPoints[`commands.${file.slice(0, -3).replaceAll('/', '.')}`] = `dist/commands/${file}`;
}

const { outputFiles } = await build({
  entryPoints,
  outdir: OUT,
  chunkNames: '[name]-[hash]',
  write: false,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // Loaded for plots only, and large; and what oclif looks for in a tree of TypeScript sources.
  external: ['vega', 'vega-lite', 'typescript', 'ts-node', 'tsx'],
  plugins: [replacements],
});

const names = new Set(outputFiles.map(({ path }) => basename(path)));
rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT);
for (const { path, text } of outputFiles) {
  const ours = text
    .replaceAll(/\bimport\("(\.\/[^"]+)"\)/g, 'Promise.resolve().then(() => require("$1"))')
    .replaceAll(/"\.\/([^"]+)\.js"/g, (whole, name) => (names.has(`${name}.js`) ? `"./${name}.cjs"` : whole));
  const { code } = await transform(ours, {
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    minifySyntax: true,
    minifyWhitespace: true,
    define: { 'import.meta.url': '__url' },
    banner: ours.includes('import.meta.url')
      ? 'const __url = require("node:url").pathToFileURL(__filename).href;'
      : '',
  });
  writeFileSync(`${OUT}/${basename(path, '.js')}.cjs`, code);
}
