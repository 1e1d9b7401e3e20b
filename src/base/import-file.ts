// SPDX-License-Identifier: Apache-2.0

/** Imports the module in a file. In the bundle, whose files are CommonJS, bundle.mjs puts a `require` in this place. */
export async function importFile(file: URL): Promise<unknown> {
  return import(file.href);
}
