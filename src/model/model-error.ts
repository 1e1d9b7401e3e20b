// SPDX-License-Identifier: Apache-2.0

/** A setting or an input of the model that cannot be used; the message names the value and the allowed range. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
}
