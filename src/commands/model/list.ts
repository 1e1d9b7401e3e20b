// SPDX-License-Identifier: Apache-2.0
import { BaseCommand, type Outcome } from '../../base/base-command.js';
import { STRATEGIES } from '../../model/catalogue.js';
import { formatTable } from '../../report/table.js';

export default class ModelList extends BaseCommand<typeof ModelList> {
  static override summary = 'List the strategies of the queue model.';
  static override description =
    'Each strategy decides which message the link sends from next. Exact SRPT with an unbounded queue is the reference; ' +
    'the others are what hardware might do instead. docs/queues.md says how much each of them loses.';
  static override examples = [
    { description: 'What there is to compare', command: '<%= config.bin %> model list' },
  ];

  protected async execute(): Promise<Outcome> {
    const strategies = STRATEGIES.map(({ name, description, uses, minEntries }) => ({
      name,
      description,
      uses: [...uses],
      minEntries,
    }));
    return {
      result: { strategies },
      render: () =>
        formatTable(
          ['strategy', 'set by', 'what it is'],
          strategies.map((s) => [s.name, s.uses.join(', ') || '-', s.description]),
          { ...this.shape, widthColumns: Math.max(this.shape.widthColumns, 140) },
        ),
    };
  }
}
