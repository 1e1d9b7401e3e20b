// SPDX-License-Identifier: Apache-2.0
import { homedir } from 'node:os';
import { BugError, ContentError, HomaNicError, InterruptedError, UsageError } from '../errors/errors.js';
import { showPath } from './shown-path.js';

const SYSTEM_WORDS: Record<string, string> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is not a folder',
  EEXIST: 'it exists already',
  ENOSPC: 'no space left on the disk',
  EROFS: 'the file system is read-only',
  EDQUOT: 'your share of the disk is used up',
  EIO: 'the disk does not work',
  EMFILE: 'too many open files',
};

/** What a write says that found no room; Node does not say which file that was. */
const NO_ROOM = new Set(['ENOSPC', 'EDQUOT', 'EIO']);

/** Takes the current folder, the package's own folder and the home folder out of a text meant for people. */
export function withoutAbsolutePaths(text: string, packageRoot?: string): string {
  let shown = text.replaceAll(/file:\/\/(?=\/)/g, '');
  const known: [string, string][] = [[process.cwd(), '.']];
  if (packageRoot) known.push([packageRoot, '<homa-nic>']);
  known.push([homedir(), '~']);
  known.sort((a, b) => b[0].length - a[0].length);
  for (const [folder, word] of known) {
    if (folder.length < 2) continue;
    shown = shown.replaceAll(`${folder}/`, word === '.' ? '' : `${word}/`).replaceAll(folder, word);
  }
  return shown;
}

/** Words for a system error code, such as ENOENT. */
export function systemErrorWords(code: string): string {
  return SYSTEM_WORDS[code] ?? code;
}

/**
 * Makes any thrown value one of our errors: ours stay, an abort becomes `interrupted`, an error of oclif a usage
 * error, an error of the file system a content error, and all else is a bug of ours.
 */
export function classify(thrown: unknown): HomaNicError {
  if (thrown instanceof HomaNicError) return thrown;
  if (!(thrown instanceof Error))
    return new BugError(`something that is no error was thrown: ${String(thrown)}`);
  if (thrown.name === 'AbortError') return new InterruptedError();
  const { code, syscall, path } = thrown as NodeJS.ErrnoException;
  if (typeof code === 'string' && syscall !== undefined && path !== undefined) {
    return new ContentError(`${showPath(path)}: ${systemErrorWords(code)}`, { code: 'io', cause: thrown });
  }
  if (typeof code === 'string' && NO_ROOM.has(code)) {
    return new ContentError(`cannot write: ${systemErrorWords(code)}`, { code: 'io', cause: thrown });
  }
  const oclif = (thrown as { oclif?: { exit?: number } }).oclif;
  if (oclif?.exit !== undefined) {
    return new UsageError(thrown.message.replace(/\nSee more help with --help$/, ''), { cause: thrown });
  }
  return new BugError(thrown.message || thrown.name, { cause: thrown });
}
