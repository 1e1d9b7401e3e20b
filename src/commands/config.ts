// SPDX-License-Identifier: Apache-2.0
import { BaseCommand, type Outcome } from '../base/base-command.js';

export default class Config extends BaseCommand<typeof Config> {
  static override summary = 'Show the resolved configuration and where each value comes from.';

  protected async execute(): Promise<Outcome> {
    return { result: {}, render: () => '' };
  }
}
