// SPDX-License-Identifier: Apache-2.0
import { ContentError, UsageError } from '../errors/errors.js';
import { ModelError } from '../model/model-error.js';
import { WorkloadError } from '../workload/workload-table.js';
import { SweepFileError } from './rows.js';

/** Runs `work` and turns the errors of the model into those of the command line; what is no such error passes on. */
export async function asCommandErrors<T>(work: () => Promise<T> | T): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof WorkloadError) {
      if (error.kind === 'content') throw new ContentError(error.message, { code: 'workload', cause: error });
      throw new UsageError(error.message, { code: 'workload', suggestions: ['--workload w4'], cause: error });
    }
    if (error instanceof ModelError) {
      const content = error.message.startsWith('arrivals line') || error.message.startsWith('the arrivals');
      if (content) throw new ContentError(error.message, { code: 'arrivals', cause: error });
      throw new UsageError(error.message, { code: 'model_setting', cause: error });
    }
    if (error instanceof SweepFileError)
      throw new ContentError(error.message, { code: 'sweep_file', cause: error });
    throw error;
  }
}
