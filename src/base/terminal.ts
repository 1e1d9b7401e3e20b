// SPDX-License-Identifier: Apache-2.0
import { EXIT } from '../errors/errors.js';
import type { TextShape } from '../report/text-shape.js';
import { systemErrorWords } from './classify.js';

/** Width of text that goes to a pipe or a file, so that the same command always writes the same bytes. */
const PIPED_WIDTH = 80;

/** Is the locale one in which block characters can be shown? */
export function localeIsUtf8(env: NodeJS.ProcessEnv = process.env): boolean {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '';
  return /utf-?8/i.test(locale);
}

/** May this stream carry colour? NO_COLOR, TERM=dumb and FORCE_COLOR are honoured by Node's own answer. */
export function hasColour(stream: NodeJS.WriteStream): boolean {
  if (process.env['NO_COLOR'] !== undefined && process.env['NO_COLOR'] !== '') return false;
  return stream.isTTY === true && stream.hasColors();
}

/** The shape that text on stdout should take: as wide as the terminal, or 80 columns when piped or when it does not say. */
export function shapeOfStdout(): TextShape {
  const { stdout } = process;
  return {
    widthColumns: stdout.isTTY ? Math.max(40, stdout.columns || PIPED_WIDTH) : PIPED_WIDTH,
    unicode: localeIsUtf8(),
    colour: hasColour(stdout),
  };
}

/** Is stderr a place where a moving line can be drawn? */
export function stderrMoves(): boolean {
  return process.stderr.isTTY === true && !process.env['CI'] && process.env['TERM'] !== 'dumb';
}

let stdoutGone = false;

/** Has the reader of stdout gone away (`homa-nic ... | head`)? */
export function stdoutIsGone(): boolean {
  return stdoutGone;
}

/**
 * Makes a reader that goes away early (`| head`) a quiet end with exit code 0, and a stdout that cannot be written (a full
 * disk) an error with exit code 1: there, an envelope could not be written either. Called once, at start.
 */
export function endQuietlyOnClosedPipe(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (stdoutGone) return;
    stdoutGone = true;
    if (error.code === 'EPIPE') process.exit(EXIT.ok);
    writeErr(`error: cannot write the result: ${systemErrorWords(error.code ?? 'unknown')}\n`);
    process.exit(EXIT.content);
  });
  process.stderr.on('error', () => undefined);
}

/** Writes to stdout, waiting while the reader is slow. */
export async function writeOut(text: string): Promise<void> {
  if (stdoutGone || text === '') return;
  if (!process.stdout.write(text)) {
    await new Promise<void>((resolve) => process.stdout.once('drain', resolve));
  }
}

/** Writes to stderr. */
export function writeErr(text: string): void {
  process.stderr.write(text);
}
