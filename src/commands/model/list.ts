// SPDX-License-Identifier: Apache-2.0
import { BaseCommand, type Outcome } from '../../base/base-command.js';
import { STRATEGIES, type StrategyEntry } from '../../model/catalogue.js';
import { wrap } from '../../report/wrap.js';

const NAME_COLUMNS = 16;
/** The flags of model run and model sweep behind what a strategy is set by. */
const FLAGS: Record<StrategyEntry['uses'][number], string[]> = {
  entries: ['--entries'],
  levels: ['--levels'],
  buckets: ['--buckets'],
  marks: ['--low-mark', '--high-mark'],
  refill: ['--refill-cycles'],
};

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
        strategies
          .map(({ name, description, uses }) => {
            const flags = uses.flatMap((setting) => FLAGS[setting]).join(', ');
            return [description, ...(flags === '' ? [] : [flags])]
              .map((text) => wrap(text, this.shape.widthColumns, ' '.repeat(NAME_COLUMNS), NAME_COLUMNS))
              .map((text, i) => `${(i === 0 ? name : '').padEnd(NAME_COLUMNS)}${text}\n`)
              .join('');
          })
          .join(''),
    };
  }
}
