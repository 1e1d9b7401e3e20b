// SPDX-License-Identifier: Apache-2.0
import tseslint from 'typescript-eslint';

const terminalAndEnvironment = [
  {
    selector: 'MemberExpression[object.name="process"][property.name=/^(env|stdout|stderr|exit|argv)$/]',
    message:
      'only src/base touches the terminal, the environment or the exit code (design section 6, rule 4)',
  },
  {
    selector: 'MemberExpression[object.name="console"]',
    message: 'only src/base writes to the terminal (design section 6, rule 4)',
  },
];
const clockAndDisk = [
  {
    selector: 'CallExpression[callee.object.name=/^(Date|performance)$/][callee.property.name="now"]',
    message: 'this folder knows no clock (design section 6, rule 2)',
  },
  { selector: 'NewExpression[callee.name="Date"]', message: 'this folder knows no clock' },
  {
    selector: 'CallExpression[callee.object.name="Math"][callee.property.name="random"]',
    message: 'draws come from src/random, with a seed',
  },
];

export default tseslint.config(
  { ignores: ['dist', 'build', 'node_modules', 'coverage', 'src/nic/regs.ts', 'homa-nic-results'] },
  ...tseslint.configs.strict,
  { files: ['bin/run.js'], rules: { '@typescript-eslint/no-require-imports': 'off' } },
  {
    files: ['**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/no-extraneous-class': 'off',
      'max-lines': ['error', { max: 400, skipBlankLines: false }],
      'no-restricted-syntax': ['error', ...terminalAndEnvironment],
    },
  },
  { files: ['src/base/**/*.ts'], rules: { 'no-restricted-syntax': 'off' } },
  {
    files: ['src/{stats,random,workload,parse,model,nic,world}/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...terminalAndEnvironment, ...clockAndDisk] },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      'no-restricted-syntax': 'off',
      'max-lines': 'off',
      '@typescript-eslint/no-unused-expressions': 'off',
    },
  },
);
