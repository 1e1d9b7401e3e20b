// SPDX-License-Identifier: Apache-2.0
import { BugError, EXIT, InterruptedError, type HomaNicError } from '../errors/errors.js';
import { jsonParts } from '../report/json.js';
import { printable } from '../report/printable.js';
import { withoutAbsolutePaths } from './classify.js';

/** Version of the envelope that --json prints. */
export const ENVELOPE_VERSION = 1;

/** What --json prints, whatever happens. `result` is there when there is one to show, even beside an error. */
export interface Envelope {
  schemaVersion: number;
  command: string;
  status: 'ok' | 'error' | 'interrupted';
  result?: unknown;
  error?: { code: string; message: string; suggestions: string[] };
  warnings: string[];
}

/** Builds the envelope of one run. */
export function makeEnvelope(
  command: string,
  outcome: { result?: unknown; failure?: HomaNicError | undefined; interrupted?: boolean },
  warnings: readonly string[],
  packageRoot?: string,
): Envelope {
  const clean = (text: string): string => withoutAbsolutePaths(text, packageRoot);
  const failure = outcome.failure ?? (outcome.interrupted ? new InterruptedError() : undefined);
  const interrupted = outcome.interrupted === true || failure instanceof InterruptedError;
  const envelope: Envelope = {
    schemaVersion: ENVELOPE_VERSION,
    command,
    status: interrupted ? 'interrupted' : failure ? 'error' : 'ok',
    warnings: warnings.map(clean),
  };
  if (!failure || outcome.result !== undefined) envelope.result = outcome.result ?? null;
  if (failure) {
    envelope.error = {
      code: failure.code,
      message: clean(failure.message),
      suggestions: failure.suggestions.map(clean),
    };
  }
  return envelope;
}

/** The envelope as the text that goes to stdout. */
export function formatEnvelope(envelope: Envelope): string {
  return [...envelopeParts(envelope)].join('');
}

/** The same in parts, for results of any size. */
export function* envelopeParts(envelope: Envelope): Generator<string> {
  const { schemaVersion, command, status, result, error, warnings } = envelope;
  const ordered = {
    schemaVersion,
    command,
    status,
    ...('result' in envelope ? { result } : {}),
    ...(error ? { error } : {}),
    warnings,
  };
  yield* jsonParts(ordered);
  yield '\n';
}

/** An error as people read it on stderr: the cause, then what to type. A bug adds how to report it. */
export function formatError(error: HomaNicError, about: { version: string; packageRoot?: string }): string {
  const lines = [`error: ${error.message}`];
  if (error instanceof BugError) {
    lines[0] = `error: this is a bug in homa-nic, not in what you typed: ${error.message}`;
    lines.push(
      `  please report it with the command you typed and this line: homa-nic ${about.version}, node ${process.version}, ${process.platform}-${process.arch}`,
      '  HOMA_NIC_DEBUG=1 before the command adds the place where it happened',
    );
  }
  for (const suggestion of error.suggestions) lines.push(`  try: ${suggestion}`);
  let text = printable(withoutAbsolutePaths(lines.join('\n'), about.packageRoot));
  if (process.env['HOMA_NIC_DEBUG']) {
    const cause = error.cause instanceof Error ? error.cause : error;
    text += `\n${cause.stack ?? ''}`;
  }
  return `${text}\n`;
}

/** Exit code of a run that ended so. */
export function exitCodeOf(outcome: { failure?: HomaNicError | undefined; interrupted?: boolean }): number {
  if (outcome.interrupted) return EXIT.interrupted;
  return outcome.failure?.exitCode ?? EXIT.ok;
}
