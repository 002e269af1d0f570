// What a path stands for, before and after opening: a file, a pipe, or something that holds no text.
import { fstatSync, type Stats, statSync } from 'node:fs';
import { isatty } from 'node:tty';
import { UsageError } from '../core/errors.js';

/** The machine does not let a file be read: exit code 3. */
export class ReadError extends Error {
  override name = 'ReadError';
}

/** Codes of paths that can never be input; all others are the environment's. */
const NEVER: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file (a part of its path is no directory)',
  ELOOP: 'a link to itself',
  ENAMETOOLONG: 'a name that is too long',
  EISDIR: 'a directory',
  ENXIO: 'a socket, or a device that is not there',
  ERR_INVALID_ARG_VALUE: 'a name with a zero byte',
};
const WHY: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EIO: 'input/output error',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files',
  EBADF: 'it is not open',
};
const NEXT: Readonly<Record<string, string>> = {
  EACCES: 'change its mode or read it as a user who may',
  EPERM: 'change its mode or read it as a user who may',
  EBADF: 'redirect something into it',
};

export function shownName(path: string): string {
  if (path === '') return '""';
  return fdOf(path) === 0 ? 'standard input' : printable(path);
}

/** Text from outside, without control characters. */
export function printable(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, '?');
}

/** The descriptor that a path names: 0 of `-` and /dev/stdin, N of /dev/fd/N. */
export function fdOf(path: string): number | undefined {
  if (path === '-' || path === '/dev/stdin') return 0;
  const fd = /^\/(?:dev|proc\/self)\/fd\/(\d{1,9})$/.exec(path)?.[1];
  return fd === undefined ? undefined : Number(fd);
}

/** `FILE: got WHAT, allowed ...; NEXT`. */
export function refusal(path: string, got: string, next?: string): UsageError {
  const allowed = 'a text file or a pipe with text';
  return new UsageError(
    `${shownName(path)}: got ${got}, allowed ${allowed}${next ? `; ${next}` : ''}`,
  );
}

/** What an error of open() or read() means: a UsageError or a ReadError; others unchanged. */
export function explained(path: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (!(error instanceof Error) || code === undefined || error instanceof UsageError) return error;
  if (Object.hasOwn(NEVER, code)) return refusal(path, NEVER[code]!, 'check the path');
  if (!('syscall' in error)) return error;
  const why = Object.hasOwn(WHY, code) ? WHY[code] : error.message;
  const next = Object.hasOwn(NEXT, code) ? `; ${NEXT[code]}` : '';
  return new ReadError(`${shownName(path)}: cannot be read: ${why} (${code})${next}`);
}

/** @throws UsageError for what can never be input, ReadError for what cannot be asked */
export function statInput(path: string): Stats {
  const fd = fdOf(path);
  let stat: Stats;
  try {
    stat = fd === undefined ? statSync(path) : fstatSync(fd);
  } catch (error) {
    throw explained(path, error);
  }
  if (stat.isDirectory()) throw refusal(path, 'a directory', 'name a file in it');
  if (stat.isSocket() && fd === undefined) throw refusal(path, 'a socket', 'name a file');
  if (stat.isBlockDevice()) throw refusal(path, 'a block device', 'name a file');
  if (stat.isCharacterDevice() && !isQuiet(path, fd)) {
    throw refusal(path, 'a device without an end', 'name a file');
  }
  return stat;
}

/** A terminal, or /dev/null: devices that come to an end. */
function isQuiet(path: string, fd: number | undefined): boolean {
  if (fd !== undefined && isatty(fd)) return true;
  if (path === '/dev/tty' || path === '/dev/console') return true;
  const stat = fd === undefined ? statSync(path) : fstatSync(fd);
  const none = statSync('/dev/null', { throwIfNoEntry: false });
  return none !== undefined && none.rdev === stat.rdev;
}

/** A name that no program takes for an option. */
export function asArgument(path: string): string {
  return path.startsWith('-') ? `./${path}` : path;
}

/** A word as sh takes it. */
export function quoted(word: string): string {
  return /^[\w./:@%+,=-]+$/.test(word) ? word : `'${printable(word).replaceAll("'", "'\\''")}'`;
}
