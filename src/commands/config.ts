// SPDX-License-Identifier: Apache-2.0
import { BaseCommand, type Outcome } from '../base/base-command.js';
import { closest } from '../errors/closest.js';
import { CONFIG_KEYS, flagOfKey, variableOfKey } from '../base/config-keys.js';
import { shownUserFile, unknownVariables } from '../base/configuration.js';
import { formatTable } from '../report/table.js';

export default class Config extends BaseCommand<typeof Config> {
  static override summary = 'Show the resolved configuration and where each value comes from.';
  static override description = `A value is taken from the first of these that has it: a flag, an environment variable, ./homa-nic.json, config.json in the user's configuration folder, the default. Keys of the files are the names in the first column; an unknown key is an error.`;
  static override examples = [
    { description: 'What is in force here', command: '<%= config.bin %> config' },
    { description: 'The same for programs', command: '<%= config.bin %> config --json' },
  ];

  protected async execute(): Promise<Outcome> {
    for (const name of unknownVariables()) {
      const near = closest(name, CONFIG_KEYS.map(variableOfKey));
      this.warn(`${name} is set and means nothing${near ? `; did you mean ${near}?` : ''}`);
    }
    const settings = this.configuration;
    const result = {
      settings,
      files: { project: './homa-nic.json', user: shownUserFile() },
    };
    const rows = CONFIG_KEYS.map((key) => {
      const { value, from } = settings[key];
      return [key, value === null ? '-' : String(value), from, `--${flagOfKey(key)}`, variableOfKey(key)];
    });
    return {
      result,
      render: () => {
        const table = formatTable(
          ['key', 'value', 'from', 'variable'],
          rows.map((row) => [...row.slice(0, 3), row[4]!]),
          this.shape,
        );
        return `${table}\nproject file: ./homa-nic.json\nuser file:    ${shownUserFile()}\n`;
      },
    };
  }
}
